package rest

import (
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/ingest"
)

// oneNode wraps what a node says as every _nodes answer does.
func (c *call) oneNode(node *object) error {
	return c.reply(http.StatusOK, newObject().
		set("_nodes", newObject().set("total", 1).set("successful", 1).set("failed", 0)).
		set("cluster_name", c.s.store.ClusterName()).
		set("nodes", newObject().set(c.s.nodeID(), node)).bytes())
}

// nodeHead is what identifies the node in every answer.
func (c *call) nodeHead() *object {
	addr := c.r.Host
	return newObject().set("name", c.s.nodeName).set("transport_address", addr).set("host", hostOf(addr)).set("ip", hostOf(addr))
}

// nodeMetrics that _nodes and _nodes/stats know; others are refused.
var (
	nodeInfoMetrics = []string{"http", "settings", "os", "process", "jvm", "thread_pool", "transport", "plugins", "ingest", "aggregations", "indices", "_all", "_local", "_master"}
	nodeStatMetrics = []string{"indices", "os", "process", "jvm", "thread_pool", "fs", "transport", "http", "breaker", "script", "discovery", "ingest", "adaptive_selection", "indexing_pressure", "_all"}
)

// handleNodesInfo answers GET /_nodes[/{filter}[/{metric}]].
func handleNodesInfo(c *call) error {
	want := map[string]bool{}
	for _, m := range strings.Split(c.vars["metric"]+","+c.vars["filter"], ",") {
		if m == "" || m == c.s.nodeID() || m == c.s.nodeName {
			continue
		}
		if !slices.Contains(nodeInfoMetrics, m) && c.vars["metric"] != "" {
			return illegal("request [%s] contains unrecognized metric: [%s]", c.r.URL.Path, m)
		}
		if slices.Contains(nodeInfoMetrics, m) {
			want[m] = true
		}
	}
	all := len(want) == 0 || want["_all"] || want["_local"] || want["_master"]
	addr := c.r.Host
	n := c.nodeHead().set("version", apiVersion).set("build_flavor", "default").set("build_type", "tar").set("build_hash", "unknown").set("roles", nodeRoles)
	for _, part := range []struct {
		name string
		val  any
	}{
		{"settings", map[string]any{"cluster": map[string]string{"name": c.s.store.ClusterName()}, "node": map[string]string{"name": c.s.nodeName}}},
		{"os", map[string]any{"name": runtime.GOOS, "arch": runtime.GOARCH, "available_processors": runtime.NumCPU(), "allocated_processors": runtime.GOMAXPROCS(0)}},
		{"process", map[string]any{"id": os.Getpid(), "mlockall": false}},
		{"http", map[string]any{"bound_address": []string{addr}, "publish_address": addr, "max_content_length_in_bytes": maxBody}},
		{"plugins", []any{}},
		{"ingest", map[string]any{"processors": ingestTypes()}},
	} {
		if all || want[part.name] {
			n.set(part.name, part.val)
		}
	}
	return c.oneNode(n)
}

// memory reads what the runtime holds, and may hold.
func memory() (heap, total, limit uint64) {
	samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/total:bytes"}}
	metrics.Read(samples)
	heap, total = samples[0].Value.Uint64(), samples[1].Value.Uint64()
	if l := debug.SetMemoryLimit(-1); l > 0 && l < 1<<60 {
		return heap, total, uint64(l)
	}
	return heap, total, total
}

// handleNodesStats answers GET /_nodes[/{filter}]/stats[/{metric}].
func handleNodesStats(c *call) error {
	want := map[string]bool{}
	for _, m := range strings.Split(c.vars["metric"], ",") {
		if m == "" {
			continue
		}
		if !slices.Contains(nodeStatMetrics, m) {
			return illegal("request [%s] contains unrecognized metric: [%s]", c.r.URL.Path, m)
		}
		want[m] = true
	}
	all := len(want) == 0 || want["_all"]
	heap, total, limit := memory()
	free, size, err := c.s.store.FS().Free(c.s.store.Dir())
	if err != nil {
		free, size = 0, 0
	}
	now := time.Now()
	n := newObject().set("timestamp", now.UnixMilli())
	head := c.nodeHead()
	n.b = append(append(n.b, ','), head.b[1:]...)
	n.set("roles", nodeRoles)
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	var docs, deleted, bytes int64
	segments := 0
	for _, i := range infos {
		docs, deleted, bytes, segments = docs+i.Docs, deleted+i.Deleted, bytes+i.Bytes, segments+i.Segments
	}
	for _, part := range []struct {
		name string
		val  func() any
	}{
		{"indices", func() any { return c.s.statsOf(docs, deleted, bytes, segments, true) }},
		{"os", func() any { return map[string]any{"timestamp": now.UnixMilli()} }},
		{"process", func() any {
			return map[string]any{"timestamp": now.UnixMilli(), "open_file_descriptors": openFiles(), "max_file_descriptors": -1, "mem": map[string]any{"total_virtual_in_bytes": total}}
		}},
		{"jvm", func() any {
			return map[string]any{"timestamp": now.UnixMilli(), "uptime_in_millis": now.Sub(c.s.began).Milliseconds(), "threads": map[string]int{"count": runtime.NumGoroutine()},
				"mem": map[string]any{"heap_used_in_bytes": heap, "heap_committed_in_bytes": total, "heap_max_in_bytes": limit, "heap_used_percent": 100 * heap / max(limit, 1)}}
		}},
		{"fs", func() any {
			return map[string]any{"timestamp": now.UnixMilli(), "total": map[string]any{"total_in_bytes": size, "free_in_bytes": free, "available_in_bytes": free},
				"data": []any{map[string]any{"path": c.s.store.Dir(), "total_in_bytes": size, "free_in_bytes": free, "available_in_bytes": free}}}
		}},
		{"http", func() any { return map[string]any{"total_opened": c.s.counts.requests.Load()} }},
		{"ingest", func() any { return c.s.ingestStats() }},
	} {
		if all || want[part.name] {
			n.set(part.name, part.val())
		}
	}
	return c.oneNode(n)
}

// openFiles counts the process's file descriptors, -1 where that cannot be told.
func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return -1
	}
	return len(list)
}

// ingestStats are the counters of the ingest pipelines that have run.
func (s *Server) ingestStats() *object {
	per := newObject()
	var count, failed, nanos int64
	pipes := s.store.Ingest().Cached()
	names := make([]string, 0, len(pipes))
	for n := range pipes {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		p := pipes[n]
		st := &p.Stats
		count, failed, nanos = count+st.Count.Load(), failed+st.Failed.Load(), nanos+st.Nanos.Load()
		steps := []any{}
		for _, x := range p.StepStats() {
			steps = append(steps, newObject().set(x.Name, newObject().set("type", x.Type).set("stats", newObject().set("count", x.Count).set("time_in_millis", x.Nanos/1e6).set("current", 0).set("failed", x.Failed))))
		}
		per.set(n, newObject().set("count", st.Count.Load()).set("time_in_millis", st.Nanos.Load()/1e6).set("current", st.Current.Load()).set("failed", st.Failed.Load()).set("processors", steps))
	}
	return newObject().set("total", newObject().set("count", count).set("time_in_millis", nanos/1e6).set("current", 0).set("failed", failed)).set("pipelines", per)
}

func ingestTypes() []any {
	out := []any{}
	for _, n := range ingest.Names() {
		out = append(out, map[string]string{"type": n})
	}
	return out
}

// handleNodesUsage answers GET /_nodes/usage: nothing is counted per endpoint.
func handleNodesUsage(c *call) error {
	return c.oneNode(newObject().set("timestamp", time.Now().UnixMilli()).set("since", c.s.began.UnixMilli()).set("rest_actions", map[string]int64{}).set("aggregations", map[string]any{}))
}

// handleHotThreads answers GET /_nodes/hot_threads: the stacks of all goroutines, as text.
func handleHotThreads(c *call) error {
	buf := make([]byte, 1<<20)
	buf = buf[:runtime.Stack(buf, true)]
	c.w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	c.w.Write([]byte("::: {" + c.s.nodeName + "}{" + c.s.nodeID() + "}\n\n"))
	c.w.Write(buf)
	return nil
}

// handleClusterStats answers GET /_cluster/stats.
func handleClusterStats(c *call) error {
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	var docs, deleted, bytes int64
	shards, segments, status := 0, 0, "green"
	types := map[string][2]int{}
	for _, i := range infos {
		docs, deleted, bytes = docs+i.Docs, deleted+i.Deleted, bytes+i.Bytes
		shards, segments = shards+i.Shards, segments+i.Segments
		if i.Replicas > 0 {
			status = "yellow"
		}
		countTypes(types, i)
	}
	fields := []any{}
	for _, name := range sortedNames(types) {
		fields = append(fields, newObject().set("name", name).set("count", types[name][0]).set("index_count", types[name][1]))
	}
	heap, _, limit := memory()
	free, size, err := c.s.store.FS().Free(c.s.store.Dir())
	if err != nil {
		free, size = 0, 0
	}
	indices := newObject().set("count", len(infos)).set("shards", newObject().set("total", shards).set("primaries", shards).set("replication", 0)).
		set("docs", newObject().set("count", docs).set("deleted", deleted)).set("store", newObject().set("size_in_bytes", bytes).set("total_data_set_size_in_bytes", bytes)).
		set("segments", newObject().set("count", segments)).set("mappings", newObject().set("field_types", fields))
	nodes := newObject().set("count", map[string]int{"total": 1, "data": 1, "ingest": 1, "master": 1, "coordinating_only": 0}).set("versions", []string{apiVersion}).
		set("os", map[string]any{"available_processors": runtime.NumCPU(), "allocated_processors": runtime.GOMAXPROCS(0)}).
		set("jvm", map[string]any{"max_uptime_in_millis": time.Since(c.s.began).Milliseconds(), "mem": map[string]any{"heap_used_in_bytes": heap, "heap_max_in_bytes": limit}}).
		set("fs", map[string]any{"total_in_bytes": size, "free_in_bytes": free, "available_in_bytes": free}).set("plugins", []any{})
	return c.reply(http.StatusOK, newObject().set("_nodes", newObject().set("total", 1).set("successful", 1).set("failed", 0)).set("cluster_name", c.s.store.ClusterName()).
		set("cluster_uuid", c.s.store.ClusterUUID()).set("timestamp", time.Now().UnixMilli()).set("status", status).set("indices", indices).set("nodes", nodes).bytes())
}

// stateMetrics that _cluster/state knows.
var stateMetrics = []string{"version", "master_node", "nodes", "routing_table", "routing_nodes", "metadata", "blocks", "customs", "_all"}

// handleClusterState answers GET /_cluster/state[/{metric}[/{index}]].
func handleClusterState(c *call) error {
	want := map[string]bool{}
	for _, m := range strings.Split(c.vars["metric"], ",") {
		if m == "" {
			continue
		}
		if !slices.Contains(stateMetrics, m) {
			return illegal("request [%s] contains unrecognized metric: [%s]", c.r.URL.Path, m)
		}
		want[m] = true
	}
	all := len(want) == 0 || want["_all"]
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject().set("cluster_name", c.s.store.ClusterName()).set("cluster_uuid", c.s.store.ClusterUUID())
	if all || want["version"] {
		o.set("version", c.s.began.UnixMilli()).set("state_uuid", c.s.nodeID())
	}
	if all || want["master_node"] {
		o.set("master_node", c.s.nodeID())
	}
	if all || want["blocks"] {
		o.set("blocks", blocksOf(infos))
	}
	if all || want["nodes"] {
		o.set("nodes", newObject().set(c.s.nodeID(), newObject().set("name", c.s.nodeName).set("ephemeral_id", c.s.nodeID()).set("transport_address", c.r.Host).set("roles", nodeRoles)))
	}
	if all || want["metadata"] {
		per := newObject()
		for _, i := range infos {
			state := "open"
			if i.Closed {
				state = "close"
			}
			per.set(i.Name, newObject().set("state", state).set("settings", map[string]any{"index": settingsOf(i)}).set("mappings", newObject().raw("_doc", i.Mapping.JSON())).set("aliases", sortedNames(i.Aliases)))
		}
		o.set("metadata", newObject().set("cluster_uuid", c.s.store.ClusterUUID()).set("indices", per))
	}
	if all || want["routing_table"] {
		per := newObject()
		for _, i := range infos {
			shards := newObject()
			for n := range i.Shards {
				shards.set(itoa(n), []any{c.shard(i.Name, n)})
			}
			per.set(i.Name, newObject().set("shards", shards))
		}
		o.set("routing_table", newObject().set("indices", per))
	}
	if all || want["routing_nodes"] {
		mine := []any{}
		for _, i := range infos {
			for n := range i.Shards {
				mine = append(mine, c.shard(i.Name, n))
			}
		}
		o.set("routing_nodes", newObject().set("unassigned", []any{}).set("nodes", newObject().set(c.s.nodeID(), mine)))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// shard is where a shard is: here.
func (c *call) shard(index string, n int) *object {
	return newObject().set("state", "STARTED").set("primary", true).set("node", c.s.nodeID()).set("relocating_node", nil).set("shard", n).set("index", index)
}

func blocksOf(infos []info) *object {
	per := newObject()
	for _, i := range infos {
		one := newObject()
		for _, b := range []struct{ setting, id, text string }{{"blocks.read_only", "5", "index read-only (api)"}, {"blocks.read", "7", "index read (api)"},
			{"blocks.write", "8", "index write (api)"}, {"blocks.metadata", "9", "index metadata (api)"}} {
			if i.Settings.Bool(b.setting, false) {
				one.set(b.id, newObject().set("description", b.text).set("retryable", false))
			}
		}
		if len(one.b) > 1 {
			per.set(i.Name, one)
		}
	}
	o := newObject()
	if len(per.b) > 1 {
		o.set("indices", per)
	}
	return o
}

// handlePendingTasks answers GET /_cluster/pending_tasks: changes of the state never wait.
func handlePendingTasks(c *call) error { return c.reply(http.StatusOK, []byte(`{"tasks":[]}`)) }

// handleAllocation answers GET /_cluster/allocation/explain: primaries are here, replicas are nowhere.
func handleAllocation(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	index, primary, shard := "", true, 0
	if len(strings.TrimSpace(string(body))) > 0 {
		v, err := fastjson.ParseBytes(body)
		if err != nil {
			return badRequest("parse_exception", "%v", err)
		}
		index, shard = string(v.GetStringBytes("index")), v.GetInt("shard")
		primary = v.Get("primary") == nil || v.GetBool("primary")
	} else {
		infos, err := c.indices("")
		if err != nil {
			return err
		}
		for _, i := range infos {
			if i.Replicas > 0 {
				index, primary = i.Name, false
				break
			}
		}
		if index == "" {
			return illegal("No shard was specified in the explain API request and there are no unassigned shards in this cluster. Specify a shard in the request body to explain an assigned shard.")
		}
	}
	if _, ok := c.s.store.SettingsOf(index); !ok {
		return &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]", Index: index}
	}
	o := newObject().set("index", index).set("shard", shard).set("primary", primary)
	if primary {
		o.set("current_state", "started").set("current_node", newObject().set("id", c.s.nodeID()).set("name", c.s.nodeName))
	} else {
		o.set("current_state", "unassigned").set("can_allocate", "no").set("allocate_explanation", "there is one node, and a replica cannot be on the node of its primary")
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleReroute answers POST /_cluster/reroute: there is nowhere to move a shard to.
func handleReroute(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(body))) > 0 {
		v, err := fastjson.ParseBytes(body)
		if err != nil {
			return badRequest("parse_exception", "%v", err)
		}
		if len(v.GetArray("commands")) > 0 {
			return illegal("there is one node: shards cannot be moved")
		}
	}
	return c.reply(http.StatusOK, acknowledged)
}

// inertSettings are cluster settings that steer several nodes, memory or threads of another implementation: kept, shown, without effect
// on one node. Others are refused.
var inertSettings = []string{"cluster.routing.", "cluster.max_shards_per_node", "cluster.info.", "indices.recovery.", "indices.breaker.", "logger.", "action.destructive_requires_name",
	"search.default_search_timeout", "search.max_keep_alive", "search.default_keep_alive", "search.max_open_scroll_context", "xpack.", "ingest.", "indices.lifecycle.", "persistent.", "cluster.metadata.", "plugins."}

// handlePutClusterSettings answers PUT /_cluster/settings.
func handlePutClusterSettings(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	kept, err := c.s.clusterSettings()
	if err != nil {
		return err
	}
	for _, kind := range []string{"persistent", "transient"} {
		if v.Get(kind) == nil {
			continue
		}
		for name, val := range flatValues("", v.Get(kind), map[string]any{}) {
			if !slices.ContainsFunc(inertSettings, func(p string) bool { return strings.HasPrefix(name, p) }) {
				return illegal("%s setting [%s], not recognized", kind, name)
			}
			if val == nil {
				delete(kept[kind], name)
			} else {
				kept[kind][name] = val
			}
		}
	}
	if err := c.s.store.PutDefinition(store.NodeSettings, "cluster", encode(kept)); err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("persistent", nest(kept["persistent"])).set("transient", nest(kept["transient"])).bytes())
}

// clusterSettings are those that were put, by kind.
func (s *Server) clusterSettings() (map[string]map[string]any, error) {
	out := map[string]map[string]any{"persistent": {}, "transient": {}}
	body, ok := s.store.Definition(store.NodeSettings, "cluster")
	if !ok {
		return out, nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, err
	}
	for kind := range out {
		flatValues("", v.Get(kind), out[kind])
	}
	return out, nil
}

// flatValues turns nested settings into dotted ones; null is nil, all others are texts.
func flatValues(prefix string, v *fastjson.Value, out map[string]any) map[string]any {
	if v == nil {
		return out
	}
	if o := v.GetObject(); o != nil && v.Type() == fastjson.TypeObject {
		o.Visit(func(k []byte, e *fastjson.Value) {
			name := string(k)
			if prefix != "" {
				name = prefix + "." + name
			}
			flatValues(name, e, out)
		})
		return out
	}
	if v.Type() == fastjson.TypeNull {
		out[prefix] = nil
	} else {
		out[prefix] = scalarText(v)
	}
	return out
}

func nest(flat map[string]any) map[string]any {
	tree := map[string]any{}
	for k, v := range flat {
		if s, ok := v.(string); ok {
			plant(tree, strings.Split(k, "."), s)
		}
	}
	return tree
}

// handleClusterSettings answers GET /_cluster/settings.
func handleClusterSettings(c *call) error {
	kept, err := c.s.clusterSettings()
	if err != nil {
		return err
	}
	asFlat, err := c.params.boolean("flat_settings", false)
	if err != nil {
		return err
	}
	defaults, err := c.params.boolean("include_defaults", false)
	if err != nil {
		return err
	}
	o := newObject()
	for _, kind := range []string{"persistent", "transient"} {
		if asFlat {
			o.set(kind, kept[kind])
		} else {
			o.set(kind, nest(kept[kind]))
		}
	}
	if defaults {
		o.set("defaults", map[string]any{"cluster": map[string]any{"name": c.s.store.ClusterName()}, "search": map[string]string{"max_buckets": "65536", "max_keep_alive": "24h"}})
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleHealthReport answers GET /_health_report.
func handleHealthReport(c *call) error {
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	status, unassigned := "green", 0
	for _, i := range infos {
		unassigned += i.Shards * i.Replicas
		if i.Replicas > 0 && status == "green" {
			status = "yellow"
		}
		if i.Damaged > 0 {
			status = "red"
		}
	}
	symptom := "This cluster has all shards available."
	if unassigned > 0 {
		symptom = "This cluster has " + itoa(unassigned) + " unavailable replica shards."
	}
	ind := newObject().
		set("master_is_stable", newObject().set("status", "green").set("symptom", "The cluster has a stable master node")).
		set("shards_availability", newObject().set("status", status).set("symptom", symptom)).
		set("disk", newObject().set("status", c.diskStatus()).set("symptom", "The disk of the data folder")).
		set("ilm", newObject().set("status", "green").set("symptom", "Index Lifecycle Management is running"))
	if c.diskStatus() == "red" {
		status = "red"
	}
	return c.reply(http.StatusOK, newObject().set("status", status).set("cluster_name", c.s.store.ClusterName()).set("indicators", ind).bytes())
}

func (c *call) diskStatus() string {
	free, size, err := c.s.store.FS().Free(c.s.store.Dir())
	switch {
	case err != nil || size == 0 || free*100/size >= 15:
		return "green"
	case free*100/size >= 5:
		return "yellow"
	}
	return "red"
}

// handleAuthenticate answers GET /_security/_authenticate: who asks is not known, as there is no login on this port.
func handleAuthenticate(c *call) error {
	return c.reply(http.StatusOK, newObject().set("username", "_anonymous").set("roles", []string{"superuser"}).set("full_name", nil).set("email", nil).
		set("metadata", map[string]any{}).set("enabled", true).set("authentication_realm", map[string]string{"name": "__anonymous", "type": "__anonymous"}).
		set("lookup_realm", map[string]string{"name": "__anonymous", "type": "__anonymous"}).set("authentication_type", "anonymous").bytes())
}

// handleRemoteInfo answers GET /_remote/info: no other cluster is known.
func handleRemoteInfo(c *call) error { return c.reply(http.StatusOK, []byte(`{}`)) }

// readSmall is a small file of the system, "" when it cannot be read.
func readSmall(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(b)
}
