// Command flow measures the whole way of a line: from files on disk to documents that a search finds.
//
// It writes log files of three Spring Boot services, starts the weir binary on them, waits until a count over the REST API finds every
// event, and prints events/s, MB/s, CPU seconds per million events, peak memory, bytes on disk per byte read, and where the CPU went.
//
//	go run ./bench/flow -mb 256
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirlog/weir/cmd/weir/demo"
)

func main() {
	log.SetFlags(0)
	mb := flag.Int("mb", 128, "MiB of log files")
	binary := flag.String("weir", "build/weir", "the binary to measure")
	config := flag.String("c", "weir.yml", "configuration")
	dir := flag.String("dir", "", "working folder (default: a temporary one, removed at the end)")
	flag.Parse()
	if *dir == "" {
		tmp, err := os.MkdirTemp("", "weir-bench-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		*dir = tmp
	}
	if err := run(*binary, *config, *dir, int64(*mb)<<20); err != nil {
		log.Fatal(err)
	}
}

// input is what was written before the run.
type input struct {
	events, bytes int64
}

// write plays services until the files hold at least size bytes.
func write(dir string, size int64) (input, error) {
	p, err := demo.Open(demo.Config{Dir: dir, Rate: 1, Seed: 1, RotateBytes: 1 << 40})
	if err != nil {
		return input{}, err
	}
	defer p.Close()
	var in input
	start := time.Now().Add(-10 * time.Minute)
	for in.bytes < size {
		n, err := p.Write(20_000, start.Add(time.Duration(in.events/100)*time.Millisecond))
		if err != nil {
			return input{}, err
		}
		in.events += n
		if in.bytes, err = du(dir); err != nil {
			return input{}, err
		}
	}
	return in, nil
}

// du is the size of all files below dir.
func du(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // removed meanwhile
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += min(info.Size(), st.Blocks*512) // preallocated extents count what they hold
		}
		return nil
	})
	return sum, err
}

// process is the running binary.
type process struct {
	cmd                    *exec.Cmd
	Elasticsearch, Monitor string
}

func start(binary, config, dir string) (*process, error) {
	cmd := exec.Command(binary, "up", "-c", config, "--data", filepath.Join(dir, "data"), "--cpu-profile", filepath.Join(dir, "cpu.pprof"),
		"--listen-kafka", "127.0.0.1:0", "--listen-elasticsearch", "127.0.0.1:0", "--listen-ui", "127.0.0.1:0", "--listen-monitor", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "WEIR_LOGS="+filepath.Join(dir, "logs"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (make build first): %w", binary, err)
	}
	p := &process{cmd: cmd}
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("no ready line: %w", err)
	}
	go io.Copy(io.Discard, out)
	return p, json.Unmarshal(line, p)
}

// count asks how many documents a search finds.
func (p *process) count() (int64, error) {
	resp, err := http.Get(p.Elasticsearch + "/logs-*/_count")
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	var answer struct{ Count int64 }
	return answer.Count, json.NewDecoder(resp.Body).Decode(&answer)
}

// cpu is user and system time so far.
func (p *process) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// peak is VmHWM in bytes.
func (p *process) peak() int64 {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	m := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(b)
	if m == nil {
		return 0
	}
	kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
	return kb << 10
}

func run(binary, config, dir string, size int64) error {
	in, err := write(filepath.Join(dir, "logs"), size)
	if err != nil {
		return err
	}
	fmt.Printf("input   %d events, %.1f MB, %.0f bytes each\n", in.events, float64(in.bytes)/1e6, float64(in.bytes)/float64(in.events))
	begin := time.Now()
	p, err := start(binary, config, dir)
	if err != nil {
		return err
	}
	ready := time.Since(begin)
	if err := p.wait(in.events); err != nil {
		return err
	}
	wall, cpu, peak := time.Since(begin), p.cpu(), p.peak()
	data := filepath.Join(dir, "data")
	parts := map[string]int64{}
	for _, part := range []string{"agent", "queue", "store"} {
		parts[part], _ = du(filepath.Join(data, part))
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("weir ended: %w", err)
	}
	sealed, err := du(filepath.Join(data, "store"))
	if err != nil {
		return err
	}
	ev, mbs := float64(in.events), float64(in.bytes)/1e6
	fmt.Printf("ready   %.2f s after the start\n", ready.Seconds())
	fmt.Printf("flow    %.1f s: %.0f events/s, %.1f MB/s\n", wall.Seconds(), ev/wall.Seconds(), mbs/wall.Seconds())
	fmt.Printf("cpu     %.1f s: %.2f s per million events, %.0f events per CPU second\n", cpu.Seconds(), cpu.Seconds()/ev*1e6, ev/cpu.Seconds())
	fmt.Printf("memory  %.0f MiB at the peak\n", float64(peak)/(1<<20))
	fmt.Printf("disk    %.2f bytes per byte read while running (queue %.2f, store %.2f, agent %.4f); store after the stop %.2f\n",
		float64(parts["agent"]+parts["queue"]+parts["store"])/float64(in.bytes), float64(parts["queue"])/float64(in.bytes),
		float64(parts["store"])/float64(in.bytes), float64(parts["agent"])/float64(in.bytes), float64(sealed)/float64(in.bytes))
	return stages(filepath.Join(dir, "cpu.pprof"))
}

// wait polls until every event is found, and fails when more are.
func (p *process) wait(events int64) error {
	var last int64
	moved := time.Now()
	for {
		n, err := p.count()
		if err != nil {
			return err
		}
		if n >= events {
			if n > events {
				return fmt.Errorf("%d documents from %d events", n, events)
			}
			return nil
		}
		if n != last {
			last, moved = n, time.Now()
		}
		if time.Since(moved) > time.Minute {
			return fmt.Errorf("%d of %d events after a minute without any", n, events)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// stages prints the CPU by the label "part" that weir gives its goroutines.
func stages(profile string) error {
	out, err := exec.Command("go", "tool", "pprof", "-tags", profile).CombinedOutput()
	if err != nil {
		return fmt.Errorf("read CPU profile: %w: %s", err, out)
	}
	fmt.Println("stages")
	fmt.Print(string(out))
	return nil
}
