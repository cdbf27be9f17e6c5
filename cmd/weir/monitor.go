package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/metrics"
	rpprof "runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirlog/weir/pipeline"
)

// The API of Logstash on the monitor's port: /_node, /_node/stats and the like, in its shapes. What Logstash says of its JVM is said
// of Go's runtime under the same names.

// logstashAPI adds the routes.
func (n *node) logstashAPI(mux *http.ServeMux) {
	for pattern, f := range map[string]func(r *http.Request) (any, bool){
		"GET /{$}":                        func(*http.Request) (any, bool) { return n.identity(), true },
		"GET /_node":                      func(*http.Request) (any, bool) { return n.about("pipelines", "os", "jvm"), true },
		"GET /_node/{section}":            func(r *http.Request) (any, bool) { return n.aboutSection(r.PathValue("section")) },
		"GET /_node/pipelines/{id}":       n.aboutPipeline,
		"GET /_node/stats":                func(*http.Request) (any, bool) { return n.figures(sections...), true },
		"GET /_node/stats/{section}":      func(r *http.Request) (any, bool) { return n.figuresSection(r.PathValue("section")) },
		"GET /_node/stats/pipelines/{id}": n.figuresPipeline,
		"GET /_health_report":             func(*http.Request) (any, bool) { return n.healthReport(), true },
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			v, ok := f(r)
			w.Header().Set("Content-Type", "application/json")
			if !ok {
				w.WriteHeader(http.StatusNotFound)
				v = map[string]any{"path": r.URL.Path, "status": 404, "error": map[string]string{"message": "Not Found"}}
			}
			json.NewEncoder(w).Encode(v)
		})
	}
	mux.HandleFunc("GET /_node/hot_threads", hotThreads)
}

var sections = []string{"jvm", "process", "events", "flow", "pipelines", "reloads", "os"}

// identity is what every answer begins with.
func (n *node) identity() map[string]any {
	host, _ := os.Hostname()
	first := pipeline.BatchStats{Workers: runtime.GOMAXPROCS(0), Size: pipeline.DefaultConfig().BatchSize}
	for _, s := range n.pipelineStats() {
		first = s.Batch
		break
	}
	status := "green"
	if _, ok := n.health.Conditions(); !ok {
		status = "red"
	}
	id := fmt.Sprintf("%x", n.since.UnixNano())
	return map[string]any{"host": host, "version": buildVersion(), "http_address": strings.TrimPrefix(n.ready.Monitor, "http://"), "id": id, "name": host, "ephemeral_id": id,
		"status": status, "snapshot": false, "pipeline": map[string]any{"workers": first.Workers, "batch_size": first.Size, "batch_delay": 50}}
}

func (n *node) about(parts ...string) map[string]any {
	out := n.identity()
	for _, p := range parts {
		switch p {
		case "pipelines":
			all := map[string]any{}
			for id := range n.pipelineStats() {
				all[id] = n.aboutOne(id)
			}
			out[p] = all
		case "os":
			out[p] = map[string]any{"name": runtime.GOOS, "arch": runtime.GOARCH, "version": "", "available_processors": runtime.NumCPU()}
		case "jvm":
			out[p] = map[string]any{"pid": os.Getpid(), "version": runtime.Version(), "vm_name": "Go", "vm_version": runtime.Version(), "vm_vendor": "Go",
				"start_time_in_millis": n.since.UnixMilli(), "mem": map[string]any{"heap_max_in_bytes": heapLimit()}, "gc_collectors": []string{"young", "old"}}
		}
	}
	return out
}

func (n *node) aboutSection(name string) (any, bool) {
	switch name {
	case "pipelines", "os", "jvm":
		return n.about(name), true
	case "plugins":
		out := n.identity()
		list := []map[string]string{}
		c := pipeline.Catalog()
		for kind, plugins := range map[string][]pipeline.PluginInfo{"input": c.Inputs, "filter": c.Filters, "output": c.Outputs, "codec": c.Codecs} {
			for _, p := range plugins {
				list = append(list, map[string]string{"name": "logstash-" + kind + "-" + p.Name, "version": buildVersion()})
			}
		}
		slices.SortFunc(list, func(a, b map[string]string) int { return strings.Compare(a["name"], b["name"]) })
		out["total"], out["plugins"] = len(list), list
		return out, true
	case "logging":
		out := n.identity()
		out["loggers"] = map[string]string{"weir": strings.ToUpper(n.cfg.Log.Level)}
		return out, true
	}
	return nil, false
}

func (n *node) aboutPipeline(r *http.Request) (any, bool) {
	id := r.PathValue("id")
	if n.fleet == nil || n.fleet.Running(id) == nil {
		return nil, false
	}
	out := n.identity()
	out["pipelines"] = map[string]any{id: n.aboutOne(id)}
	return out, true
}

func (n *node) aboutOne(id string) map[string]any {
	st, err := n.fleet.State(id)
	if err != nil {
		return nil
	}
	s, _ := n.fleet.Stats(id)
	automatic := false
	interval := 3 * time.Second
	for _, p := range n.cfg.Pipelines {
		automatic = automatic || p.Automatic
		interval = max(interval, p.Interval)
	}
	return map[string]any{"ephemeral_id": st.Hash, "hash": s.Hash, "workers": s.Batch.Workers, "batch_size": s.Batch.Size, "batch_delay": st.Settings.Delay,
		"config_reload_automatic": automatic, "config_reload_interval": interval.Nanoseconds(), "dead_letter_queue_enabled": true, "dead_letter_queue_path": "topic " + pipeline.DeadLettersTopic}
}

// figures is the sections of /_node/stats.
func (n *node) figures(parts ...string) map[string]any {
	out := n.identity()
	var events pipeline.EventStats
	var flow map[string]float64
	var reloads pipeline.ReloadStats
	all := map[string]any{}
	for id, s := range n.pipelineStats() {
		all[id] = s
		events = pipeline.Stats{Events: events}.Plus(s).Events
		reloads.Successes, reloads.Failures = reloads.Successes+s.Reloads.Successes, reloads.Failures+s.Reloads.Failures
		flow = addFlow(flow, s.Flow)
	}
	for _, p := range parts {
		switch p {
		case "pipelines":
			out[p] = all
		case "events":
			out[p] = events
		case "reloads":
			out[p] = map[string]int64{"successes": reloads.Successes, "failures": reloads.Failures}
		case "flow":
			lifetimes := map[string]any{}
			for k, v := range flow {
				lifetimes[k] = map[string]float64{"current": v, "lifetime": v}
			}
			out[p] = lifetimes
		case "jvm":
			out[p] = n.runtimeFigures()
		case "process":
			out[p] = processFigures()
		case "os":
			out[p] = map[string]any{}
		}
	}
	return out
}

func addFlow(sum map[string]float64, f pipeline.FlowStats) map[string]float64 {
	if sum == nil {
		sum = map[string]float64{}
	}
	for k, v := range map[string]pipeline.Flow{"input_throughput": f.Input, "filter_throughput": f.Filter, "output_throughput": f.Output, "worker_concurrency": f.Concurrency, "queue_backpressure": f.Pressure} {
		if v.Current != nil {
			sum[k] += *v.Current
		} else {
			sum[k] += v.Lifetime
		}
	}
	return sum
}

func (n *node) figuresSection(name string) (any, bool) {
	if !slices.Contains(sections, name) {
		return nil, false
	}
	return n.figures(name), true
}

func (n *node) figuresPipeline(r *http.Request) (any, bool) {
	if n.fleet == nil {
		return nil, false
	}
	id := r.PathValue("id")
	s, err := n.fleet.Stats(id)
	if err != nil {
		return nil, false
	}
	out := n.identity()
	out["pipelines"] = map[string]any{id: s}
	return out, true
}

// runtimeFigures is Go's runtime under the names of a JVM.
func (n *node) runtimeFigures() map[string]any {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	limit := heapLimit()
	if limit > 1<<60 {
		limit = int64(m.Sys)
	}
	pools := map[string]any{"heap": map[string]any{"used_in_bytes": m.HeapAlloc, "max_in_bytes": limit, "committed_in_bytes": m.HeapSys, "peak_used_in_bytes": m.HeapSys, "peak_max_in_bytes": limit}}
	return map[string]any{
		"threads": map[string]int{"count": runtime.NumGoroutine(), "peak_count": runtime.NumGoroutine()},
		"mem": map[string]any{"heap_used_percent": 100 * int64(m.HeapAlloc) / max(limit, 1), "heap_committed_in_bytes": m.HeapSys, "heap_max_in_bytes": limit,
			"heap_used_in_bytes": m.HeapAlloc, "non_heap_used_in_bytes": m.StackInuse + m.MSpanInuse + m.MCacheInuse, "non_heap_committed_in_bytes": m.StackSys + m.MSpanSys + m.MCacheSys + m.GCSys + m.OtherSys,
			"pools": pools},
		"gc":               map[string]any{"collectors": map[string]any{"young": collector(0, 0), "old": collector(int64(m.NumGC), int64(m.PauseTotalNs)/1e6)}},
		"uptime_in_millis": time.Since(n.since).Milliseconds(),
	}
}

func collector(count, millis int64) map[string]int64 {
	return map[string]int64{"collection_count": count, "collection_time_in_millis": millis}
}

// heapLimit is the heap's bound as the runtime knows it.
func heapLimit() int64 {
	s := []metrics.Sample{{Name: "/gc/gomemlimit:bytes"}}
	metrics.Read(s)
	return int64(s[0].Value.Uint64())
}

// processFigures is the process as the system sees it.
func processFigures() map[string]any {
	var u syscall.Rusage
	cpu := int64(0)
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) == nil {
		cpu = (u.Utime.Nano() + u.Stime.Nano()) / 1e6
	}
	open := 0
	if l, err := os.ReadDir("/proc/self/fd"); err == nil {
		open = len(l)
	}
	var most syscall.Rlimit
	syscall.Getrlimit(syscall.RLIMIT_NOFILE, &most)
	out := map[string]any{"open_file_descriptors": open, "peak_open_file_descriptors": open, "max_file_descriptors": most.Cur,
		"mem": map[string]any{"total_virtual_in_bytes": virtualBytes()}, "cpu": map[string]any{"total_in_millis": cpu, "percent": 0}}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		f := strings.Fields(string(load))
		average := map[string]float64{}
		for i, name := range []string{"1m", "5m", "15m"} {
			if i < len(f) {
				average[name], _ = strconv.ParseFloat(f[i], 64)
			}
		}
		out["cpu"].(map[string]any)["load_average"] = average
	}
	return out
}

func virtualBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, _, _ := strings.Cut(string(b), " ")
	n, _ := strconv.ParseInt(pages, 10, 64)
	return n * int64(os.Getpagesize())
}

// healthReport is /_health_report: how each pipeline is.
func (n *node) healthReport() map[string]any {
	worst := "green"
	pipelines := map[string]any{}
	if n.fleet != nil {
		for _, id := range n.fleet.Pipelines() {
			s, err := n.fleet.State(id)
			if err != nil {
				continue
			}
			status, symptom := "green", "The pipeline is healthy"
			switch {
			case s.State == "failed":
				status, symptom = "red", "The pipeline ended: "+s.Error
			case s.State == "stopped":
				status, symptom = "yellow", "The pipeline has come to its end"
			case s.Reloads.LastError != nil && (s.Reloads.LastSuccess == nil || s.Reloads.LastFailure.After(*s.Reloads.LastSuccess)):
				status, symptom = "yellow", "The last change was not taken: "+s.Reloads.LastError.Message
			}
			if status == "red" || status == "yellow" && worst == "green" {
				worst = status
			}
			pipelines[id] = map[string]any{"status": status, "symptom": symptom, "details": map[string]any{"status": map[string]string{"state": strings.ToUpper(s.State)}}}
		}
	}
	out := n.identity()
	out["status"], out["symptom"] = worst, "The pipelines are "+worst
	out["indicators"] = map[string]any{"pipelines": map[string]any{"status": worst, "symptom": "The pipelines are " + worst, "indicators": pipelines}}
	return out
}

// hotThreads shows where goroutines are, those that are at one place counted together.
func hotThreads(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintf(w, "::: {%s}\nHot threads at %s\n%s\n", filepath.Base(os.Args[0]), time.Now().UTC().Format(time.RFC3339), strings.Repeat("=", 80))
	rpprof.Lookup("goroutine").WriteTo(w, 1)
}
