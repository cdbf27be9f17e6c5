package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/rest"
	"golang.org/x/sys/unix"
)

// server is one of the two that are measured.
type server struct {
	name, dir string
	bulk      string // path of _bulk
	start     func() (*process, error)
	settle    func(p *process) error // everything on disk in its last form
	victoria  bool
}

// process is a running server.
type process struct {
	cmd  *exec.Cmd
	base string
	http http.Client
	id   string // of a document
}

// serve is the store's process: it prints its address and ends when its input does.
func serve(dir, profile string) error {
	if profile != "" {
		f, err := os.Create(profile)
		if err != nil {
			return err
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // as weir up does
	}
	cfg := store.DefaultConfig()
	cfg.Dir = dir
	s, err := store.Open(cfg)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	srv := &http.Server{Handler: rest.New(s, nil)}
	go srv.Serve(l)
	<-ctx.Done()
	srv.Close()
	return errors.Join(<-done, s.Close())
}

func weirServer(dir, profile string) server {
	s := server{name: "weir", dir: dir, bulk: "/" + index + "/_bulk"}
	runs := 0
	s.start = func() (*process, error) {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		args := []string{"-serve", dir}
		if profile != "" {
			runs++
			args = append(args, "-cpu-profile", fmt.Sprintf("%s.%d", profile, runs))
		}
		cmd := exec.Command(self, args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		addr, err := bufio.NewReader(out).ReadString('\n')
		return &process{cmd: cmd, base: "http://" + strings.TrimSpace(addr)}, err
	}
	s.settle = func(p *process) error {
		_, err := p.post("/"+index+"/_flush", "application/json", nil)
		return err
	}
	return s
}

func victoriaServer(dir, binary string) server {
	s := server{name: "VictoriaLogs", dir: dir, victoria: true,
		bulk: "/insert/elasticsearch/_bulk?_msg_field=message&_time_field=@timestamp&_stream_fields=host.name,service.name"}
	s.start = func() (*process, error) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		addr := l.Addr().String()
		l.Close()
		cmd := exec.Command(binary, "-storageDataPath="+dir, "-httpListenAddr="+addr, "-retentionPeriod=100y", "-futureRetention=100y", "-loggerLevel=ERROR")
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		p := &process{cmd: cmd, base: "http://" + addr}
		for range 100 {
			if _, err = p.get("/health"); err == nil {
				return p, nil
			}
			time.Sleep(100 * time.Millisecond)
		}
		return nil, errors.Join(err, p.stop())
	}
	s.settle = func(p *process) error {
		if _, err := p.get("/internal/force_flush"); err != nil {
			return err
		}
		_, err := p.get("/internal/force_merge")
		time.Sleep(15 * time.Second) // the merge goes on behind the answer
		return err
	}
	return s
}

func (p *process) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// cpu is the time of all threads there are; threads of Go programs do not end.
func (p *process) cpu() time.Duration {
	var sum time.Duration
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", p.cmd.Process.Pid))
	for _, name := range files {
		if b, err := os.ReadFile(name); err == nil {
			ns, _ := strconv.ParseInt(strings.Fields(string(b))[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

// memory reads VmRSS or VmHWM in bytes.
func (p *process) memory(key string) int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}

func (p *process) get(path string) ([]byte, error) {
	r, err := p.http.Get(p.base + path)
	return body(r, err)
}

func (p *process) post(path, contentType string, b []byte) ([]byte, error) {
	r, err := p.http.Post(p.base+path, contentType, bytes.NewReader(b))
	return body(r, err)
}

func body(r *http.Response, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode >= 300 {
		err = fmt.Errorf("status %d: %.300s", r.StatusCode, b)
	}
	return b, err
}

func (p *process) bulk(path string, b []byte) error {
	answer, err := p.post(path, "application/x-ndjson", b)
	if err == nil && bytes.Contains(answer, []byte(`"errors":true`)) {
		err = fmt.Errorf("refused documents: %.500s", answer)
	}
	return err
}

// ask asks one question: CPU of the server, time until the answer, and what both servers should agree on.
func (p *process) ask(s server, i int) (cpu, wall time.Duration, answer string, err error) {
	q := questions[i]
	before, began := p.cpu(), time.Now()
	var b []byte
	switch {
	case q.ours == "" && s.victoria:
		return 0, 0, "has no ids", nil
	case q.ours == "":
		b, err = p.lookup()
	case s.victoria:
		b, err = p.get("/select/logsql/query?query=" + url.QueryEscape(q.theirs))
	default:
		b, err = p.post("/"+index+"/_search", "application/json", []byte(q.ours))
	}
	wall = time.Since(began)
	return p.cpu() - before, wall, summary(b, s.victoria), err
}

// lookup gets one document by its id, which is learnt the first time.
func (p *process) lookup() ([]byte, error) {
	if p.id == "" {
		b, err := p.post("/"+index+"/_search", "application/json", []byte(`{"size":1,"_source":false}`))
		if err != nil {
			return nil, err
		}
		var a struct {
			Hits struct {
				Hits []struct {
					ID    string `json:"_id"`
					Index string `json:"_index"`
				}
			}
		}
		if err := json.Unmarshal(b, &a); err != nil || len(a.Hits.Hits) == 0 {
			return nil, fmt.Errorf("no document: %w", err)
		}
		p.id = "/" + a.Hits.Hits[0].Index + "/_doc/" + a.Hits.Hits[0].ID
	}
	return p.get(p.id)
}

// summary is a total or the first line.
func summary(b []byte, victoria bool) string {
	if victoria {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		return fmt.Sprintf("%.60s (%d lines)", line, 1+bytes.Count(rest, []byte("\n")))
	}
	var a struct {
		Hits struct {
			Total struct{ Value int }
			Hits  []json.RawMessage
		}
		Aggregations map[string]struct {
			Value   *float64
			Buckets []struct {
				Key   any
				Count int `json:"doc_count"`
			}
		}
	}
	if json.Unmarshal(b, &a) != nil {
		return ""
	}
	for _, g := range a.Aggregations {
		if g.Value != nil {
			return fmt.Sprint(*g.Value)
		}
		if len(g.Buckets) > 0 {
			return fmt.Sprintf("%v %d (%d buckets)", g.Buckets[0].Key, g.Buckets[0].Count, len(g.Buckets))
		}
	}
	return fmt.Sprintf("%d (%d hits)", a.Hits.Total.Value, len(a.Hits.Hits))
}

// eachFile calls f for the files below dir.
func eachFile(dir string, f func(path string, d fs.DirEntry) error) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return f(path, d)
	})
}

// diskUse is the bytes of all files; preallocated ones count what they hold.
func diskUse(dir string) (sum int64, err error) {
	return sum, eachFile(dir, func(_ string, d fs.DirEntry) error {
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += min(info.Size(), st.Blocks*512)
		}
		return nil
	})
}

// forget takes the files out of the page cache.
func forget(dir string) error {
	return eachFile(dir, func(path string, _ fs.DirEntry) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		unix.Fsync(int(f.Fd()))
		return unix.Fadvise(int(f.Fd()), 0, 0, unix.FADV_DONTNEED)
	})
}
