package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/weirlog/weir/ledger"
)

// process is the real binary, running.
type process struct {
	cmd           *exec.Cmd
	stderr        *bytes.Buffer
	Kafka         string
	Elasticsearch string
	UI            string
	Monitor       string
}

// freePorts makes every port a free one.
var freePorts = []string{"--listen-kafka", "127.0.0.1:0", "--listen-elasticsearch", "127.0.0.1:0", "--listen-ui", "127.0.0.1:0", "--listen-monitor", "127.0.0.1:0"}

// startWeir runs the binary until it says that it is ready.
func startWeir(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(weirBinary, args...), stderr: &bytes.Buffer{}}
	p.cmd.Stderr = p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Kill()
		p.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		p.cmd.Wait()
		t.Fatalf("weir %v did not get ready: %v\n%s", args, err, p.stderr)
	}
	go io.Copy(io.Discard, out)
	if err := json.Unmarshal(line, p); err != nil {
		t.Fatalf("ready line %q: %v", line, err)
	}
	return p
}

// stop asks the process to end and waits for exit code 0.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.cmd.Process.Signal(syscall.SIGTERM)
	if err := p.cmd.Wait(); err != nil {
		t.Fatalf("after SIGTERM: %v\n%s", err, p.stderr)
	}
}

func (p *process) kill() {
	p.cmd.Process.Signal(syscall.SIGKILL)
	p.cmd.Wait()
}

// search posts a body and decodes the answer.
func (p *process) search(t *testing.T, path, body string, into any) {
	t.Helper()
	resp, err := http.Post(p.Elasticsearch+path, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", path, resp.StatusCode, b, err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %v in %s", path, err, b)
	}
}

func (p *process) count(t *testing.T) int64 {
	t.Helper()
	var answer struct{ Count int64 }
	p.search(t, "/logs-*/_count", "{}", &answer)
	return answer.Count
}

// waitFor polls until cond holds.
func waitFor(t *testing.T, limit time.Duration, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); ; {
		if cond() {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

const numberedConf = `
input { kafka { topics => ["logs"] group_id => "numbers" codec => json } }
filter { grok { match => { "message" => "^line %{WORD:name} %{INT:number:int}" } } }
output { elasticsearch { data_stream => true data_stream_dataset => "numbers" } }
`

// numbered writes a configuration and gives its path and the folder of the log files.
func numbered(t *testing.T, dir string) (config, logs string) {
	t.Helper()
	logs = filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	config = filepath.Join(dir, "weir.yml")
	for name, text := range map[string]string{
		config:                             "agent.inputs: [{paths: [logs/*.log]}]\npipelines: [{path.config: numbers.conf}]\n",
		filepath.Join(dir, "numbers.conf"): numberedConf,
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return config, logs
}

// scribe appends numbered lines to files, in pieces that end anywhere, and renames a file now and then.
type scribe struct {
	dir  string
	rng  *rand.Rand
	next map[string]int // next number per name

	rotate  atomic.Bool    // not before the agent has seen the files: a first start leaves rotations alone whose history nobody knows
	rotated map[string]int // rotations per name
}

func (s *scribe) write(t *testing.T, name string, lines int) {
	t.Helper()
	var b []byte
	for range lines {
		b = fmt.Appendf(b, "line %s %d %s\n", name, s.next[name], strings.Repeat("x", s.rng.IntN(200)))
		s.next[name]++
	}
	path := filepath.Join(s.dir, name+".log")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	for cut := s.rng.IntN(len(b)); len(b) > 0; cut = len(b) {
		if _, err := f.Write(b[:cut]); err != nil {
			t.Error(err)
			return
		}
		b = b[cut:]
	}
	if s.rng.IntN(150) == 0 && s.rotate.Load() {
		s.rotated[name]++ // every rotation is kept: what is removed unread cannot be found
		for i := s.rotated[name]; i > 0; i-- {
			from := path
			if i > 1 {
				from = path + "." + strconv.Itoa(i-1)
			}
			os.Rename(from, path+"."+strconv.Itoa(i))
		}
	}
}

// TestKill: kill -9 of everything, again and again under load; at the end every numbered line is there, and none twice.
// WEIR_KILLS sets how often (default 20).
func TestKill(t *testing.T) {
	t.Parallel()
	kills := 20
	if v, err := strconv.Atoi(os.Getenv("WEIR_KILLS")); err == nil {
		kills = v
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dir := t.TempDir()
	config, logs := numbered(t, dir)
	s := &scribe{dir: logs, rng: rand.New(rand.NewPCG(seed, 1)), next: map[string]int{}, rotated: map[string]int{}}
	args := append([]string{"up", "-c", config, "--data", filepath.Join(dir, "data")}, freePorts...)

	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for !stop.Load() {
			for _, name := range []string{"a", "b", "c"} {
				s.write(t, name, 1+s.rng.IntN(60))
			}
			time.Sleep(4 * time.Millisecond) // the load, not a wait: about 20,000 lines a second
		}
	}()
	var found int64
	rng := rand.New(rand.NewPCG(seed, 2))
	for range kills {
		p := startWeir(t, args...)
		waitFor(t, 60*time.Second, "more documents than before the kill", func() bool { return p.count(t) > found })
		time.Sleep(time.Duration(rng.IntN(150)) * time.Millisecond) // the kill comes at any moment
		found = p.count(t)
		s.rotate.Store(true)
		p.kill()
	}
	stop.Store(true)
	<-done
	total := int64(0)
	for _, n := range s.next {
		total += int64(n)
	}
	p := startWeir(t, args...)
	catchUp(t, p, total)
	checkNumbers(t, p, s.next)
	checkAudit(t, p, logs)
	p.stop(t)
	t.Logf("%d lines through %d kills", total, kills)
}

// catchUp waits until all lines are found, or nothing has moved for half a minute: what is missing then is told by number.
func catchUp(t *testing.T, p *process, total int64) {
	t.Helper()
	last, moved := int64(-1), time.Now()
	for {
		n := p.count(t)
		if n >= total {
			return
		}
		if n != last {
			last, moved = n, time.Now()
		}
		if time.Since(moved) > 30*time.Second {
			t.Errorf("%d of %d lines are found, and nothing moves", n, total)
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// numbersPage is how many numbers one search covers: half of what an answer may hold, so that a page of repeats is seen.
const numbersPage = 5000

// checkNumbers reads all documents and compares them with what was written.
func checkNumbers(t *testing.T, p *process, written map[string]int) {
	t.Helper()
	for name, n := range written {
		seen := make([]int, n)
		for from := 0; from < n; from += numbersPage {
			var page struct {
				Hits struct {
					Hits []struct {
						Source struct{ Number int } `json:"_source"`
					}
				}
			}
			body := fmt.Sprintf(`{"size":10000,"_source":["number"],"query":{"bool":{"filter":[{"term":{"name":%q}},{"range":{"number":{"gte":%d,"lt":%d}}}]}}}`, name, from, from+numbersPage)
			p.search(t, "/logs-numbers-default/_search", body, &page)
			for _, h := range page.Hits.Hits {
				if h.Source.Number >= n {
					t.Fatalf("%s: number %d, but %d were written", name, h.Source.Number, n)
				}
				seen[h.Source.Number]++
			}
		}
		var missing, twice []int
		for i, c := range seen {
			if c == 0 {
				missing = append(missing, i)
			} else if c > 1 {
				twice = append(twice, i)
			}
		}
		if len(missing)+len(twice) > 0 {
			t.Errorf("%s: of %d lines %d are missing (from %v) and %d are there more than once (from %v)", name, n, len(missing), missing[:min(len(missing), 5)], len(twice), twice[:min(len(twice), 5)])
		}
	}
}

// checkAudit waits until the agent has announced everything, and compares the account with the sizes of the files.
func checkAudit(t *testing.T, p *process, logs string) {
	t.Helper()
	size := int64(0)
	files, err := os.ReadDir(logs)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		info, err := f.Info()
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	var total ledger.Line
	waitFor(t, 60*time.Second, "everything is announced", func() bool {
		body, err := askAudit(t.Context(), p.UI, "", "")
		if err != nil {
			t.Fatal(err)
		}
		var r auditReport
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatal(err)
		}
		if len(r.Groups) != 1 || r.Malformed != 0 {
			t.Fatalf("%s", body)
		}
		total = r.Groups[0].Total
		return total.Read >= size && total.Unannounced+total.Flight == 0
	})
	if total.Missing != 0 || total.Read != size || total.Indexed+total.Dropped+total.Lost != size {
		t.Errorf("the files hold %d bytes, the audit says %+v", size, total)
	}
}

// readAll is the body of an answer.
func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
