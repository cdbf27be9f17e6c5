// Command agent measures the way of a line from a file into a queue.
//
//	go run ./bench/agent -mb 1024                     agent and embedded broker in one process, on disk, nobody reading
//	go run ./bench/agent -mb 1024 -to kafka           the agent alone; the broker, over TCP, is a process of its own
//	go run ./bench/agent -mb 1024 -to discard         the agent alone, to a queue that forgets
//	go run ./bench/agent -idle 5000                   files nobody writes to
//	go run ./bench/agent -latency 1000                a line in a quiet file, to acknowledged on disk
//
// It prints MB/s, CPU seconds per GiB of log, peak memory, and bytes on disk per byte read. With -read a member reads what is produced, too.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/cmd/weir/demo"
	"github.com/weirlog/weir/queue"
)

func main() {
	log.SetFlags(0)
	mb := flag.Int64("mb", 256, "MiB of log files")
	kind := flag.String("lines", "access", "access: a web server's log; spring: logs of three Spring Boot services")
	own := flag.String("own", "snappy", "the topic's compression.own")
	dir := flag.String("dir", "", "working folder (default: a temporary one, removed at the end)")
	profile := flag.String("cpu-profile", "", "file for a CPU profile")
	heap := flag.String("mem-profile", "", "file for a heap profile of -idle")
	read := flag.Bool("read", false, "read it as well, and commit")
	to := flag.String("to", "embedded", "embedded, kafka or discard")
	idleFiles := flag.Int("idle", 0, "measure so many idle files instead")
	quiet := flag.Int("latency", 0, "measure the latency of so many lines instead")
	broker := flag.String("serve", "", "run a broker in this folder (used by -to kafka)")
	flag.Parse()
	debug.SetGCPercent(50) // as weir does
	if *broker != "" {
		if err := serve(*broker); err != nil {
			log.Fatal(err)
		}
		return
	}
	if *profile != "" {
		f, err := os.Create(*profile)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	if *dir == "" {
		tmp, err := os.MkdirTemp("", "weir-bench-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		*dir = tmp
	}
	var err error
	switch {
	case *idleFiles > 0:
		err = idle(*dir, *idleFiles, 20*time.Second, *heap)
	case *quiet > 0:
		err = latency(*dir, *quiet)
	default:
		err = run(*dir, *kind, *own, *to, *mb<<20, *read)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// access writes at least size bytes of access-log lines of about 200 bytes and returns how many bytes and lines.
func access(path string, size int64) (bytes, lines int64, err error) {
	f, err := os.Create(path)
	if err != nil {
		return 0, 0, err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	seed := uint64(1)
	for ; bytes < size; lines++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		r := seed >> 20
		n, err := fmt.Fprintf(w, "10.0.%d.%d - - [22/Nov/2026:21:%02d:%02d +0000] \"GET /api/v1/stories/%d?page=%d&sort=newest HTTP/1.1\" 200 %d "+
			"\"https://example.com/stories\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/13%d.0 Safari/537.36\"\n",
			r%256, r>>8%256, lines/60_000%60, lines/1000%60, r>>16%100_000, r%9, 1000+r%50_000, r%10)
		if err != nil {
			return 0, 0, err
		}
		bytes += int64(n)
	}
	if err := w.Flush(); err != nil {
		return 0, 0, err
	}
	return bytes, lines, f.Close()
}

// spring writes the logs of three services into dir and returns how many bytes; a record may have several lines.
func spring(dir string, size int64) (bytes, events int64, err error) {
	p, err := demo.Open(demo.Config{Dir: dir, Rate: 1, Seed: 1, RotateBytes: 1 << 40})
	if err != nil {
		return 0, 0, err
	}
	defer p.Close()
	for bytes < size {
		n, err := p.Write(20_000, time.Unix(1_770_000_000+events/100_000, 0))
		if err != nil {
			return 0, 0, err
		}
		events += n
		if bytes, err = du(dir); err != nil {
			return 0, 0, err
		}
	}
	return bytes, events, nil
}

// du is the size of the files in dir; preallocated ones count what they hold.
func du(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			sum += min(info.Size(), st.Blocks*512)
		}
		return nil
	})
	return sum, err
}

func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func run(dir, kind, own, to string, size int64, read bool) error {
	logs := filepath.Join(dir, "logs")
	if err := os.MkdirAll(logs, 0o755); err != nil {
		return err
	}
	var bytes int64
	var err error
	switch kind {
	case "access":
		bytes, _, err = access(filepath.Join(logs, "access.log"), size)
	case "spring":
		bytes, _, err = spring(logs, size)
	default:
		err = fmt.Errorf("lines of kind %q are not known", kind)
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := newMeter(discard{})
	var q queue.Queue
	switch to {
	case "embedded":
		b, err := openBroker(dir, own)
		if err != nil {
			return err
		}
		defer b.Close()
		go b.Run(ctx)
		m.Producer, q = b, b
	case "kafka":
		k, stop, err := overTCP(ctx, filepath.Join(dir, "queue"))
		if err != nil {
			return err
		}
		defer stop()
		m.Producer, q = k, k
	case "discard":
		read = false
	default:
		return fmt.Errorf("a queue of kind %q is not known", to)
	}
	start, used := time.Now(), cpu()
	_, ended, err := startAgent(ctx, dir, m, filepath.Join(logs, "*.log"))
	if err != nil {
		return err
	}
	seen := make(chan error, 1)
	if read {
		go func() { seen <- consume(ctx, q, "logs", bytes) }()
	} else {
		seen <- nil
	}
	if err := m.await(bytes, ended); err != nil {
		return err
	}
	if err := <-seen; err != nil {
		return err
	}
	wall, used := time.Since(start), cpu()-used
	disk, err := du(filepath.Join(dir, "queue"))
	if err != nil && to != "discard" {
		return err
	}
	fmt.Printf("%.1f MB in %.1f s: %.0f MB/s, %.2f CPU-s/GiB, peak RSS %s MiB, %.3f bytes on disk per byte read\n", float64(bytes)/1e6, wall.Seconds(),
		float64(bytes)/1e6/wall.Seconds(), used.Seconds()/float64(bytes)*(1<<30), memory("VmHWM"), float64(disk)/float64(bytes))
	return nil
}

func openBroker(dir, own string) (*broker.Broker, error) {
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen, cfg.TopicDefaults = filepath.Join(dir, "queue"), nil, map[string]string{"compression.own": own}
	return broker.Open(cfg)
}

// discard is a queue that forgets.
type discard struct{}

func (discard) Produce(context.Context, []queue.Record) error { return nil }

// meter passes records on and counts the bytes of log that are acknowledged.
type meter struct {
	agent.Producer
	acked  atomic.Int64
	signal chan struct{}
}

func newMeter(q agent.Producer) *meter { return &meter{Producer: q, signal: make(chan struct{}, 1)} }

func (m *meter) Produce(ctx context.Context, recs []queue.Record) error {
	err := m.Producer.Produce(ctx, recs)
	if err == nil {
		var n int64
		for i := range recs {
			n += recs[i].Origin.Len()
		}
		m.acked.Add(n)
		select {
		case m.signal <- struct{}{}:
		default:
		}
	}
	return err
}

// await waits until so many bytes are acknowledged.
func (m *meter) await(bytes int64, ended <-chan error) error {
	for m.acked.Load() < bytes {
		select {
		case <-m.signal:
		case err := <-ended:
			return fmt.Errorf("ended early: %w", err)
		case <-time.After(time.Minute):
			return fmt.Errorf("%d of %d bytes acknowledged after a minute without any", m.acked.Load(), bytes)
		}
	}
	return nil
}

// consume reads a topic until its records cover so many bytes of log.
func consume(ctx context.Context, q queue.Queue, topic string, bytes int64) error {
	m, err := q.Join(ctx, "bench", topic)
	if err != nil {
		return err
	}
	defer m.Close()
	for bytes > 0 {
		recs, err := m.Poll(ctx)
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			continue
		}
		for i := range recs {
			bytes -= recs[i].Origin.Len()
		}
		last := recs[len(recs)-1]
		next := queue.Position{Topic: last.Topic, TopicID: last.TopicID, Partition: last.Partition, Offset: last.Offset + 1}
		if err := m.Commit(ctx, []queue.Position{next}); err != nil {
			return err
		}
	}
	return nil
}
