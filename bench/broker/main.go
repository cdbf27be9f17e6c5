// Command broker measures the embedded queue over TCP with Kafka's own performance tools, beside a real Apache Kafka when WEIR_KAFKA names
// one, in turns in the same run:
//
//	go run ./queue/kafka/real go run ./bench/broker -n 1000000 -rounds 3
//
// The queue syncs before each acknowledgement; Kafka, as it comes, does not. CPU seconds and peak memory are the server process's, from
// /proc.
//
//	go run ./bench/broker -open 10
//
// fills a queue, kills it with SIGKILL while it is written to, and times its next start.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/queue"
)

func main() {
	n := flag.Int("n", 1_000_000, "records of a round")
	size := flag.Int("size", 200, "bytes of a record")
	rounds := flag.Int("rounds", 3, "rounds; medians are printed")
	jars := flag.String("jars", "build/kafka", "folder of Kafka's jars, filled by make test-kafka")
	fill := flag.Int("open", 0, "instead: fill a queue with so many GiB, kill it, and time its start")
	serve := flag.String("serve", "", "be the server: keep the queue in this folder")
	load := flag.Int("load", 0, "be the server, and write so many GiB into the queue")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	switch {
	case *serve != "":
		err = serveQueue(ctx, *serve, *load)
	case *fill > 0:
		err = timeOpen(ctx, *fill)
	default:
		err = measure(ctx, *n, *size, *rounds, *jars)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/broker:", err)
		os.Exit(1)
	}
}

// serveQueue runs a broker and prints its address. With load it writes so many GiB into it, says so, and goes on writing until it is
// killed.
func serveQueue(ctx context.Context, dir string, load int) error {
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen, cfg.Log = dir, []string{"127.0.0.1:0"}, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := broker.Open(cfg)
	if err != nil {
		return err
	}
	fmt.Println(b.Addrs()[0])
	if load > 0 {
		return fillQueue(ctx, b, int64(load)<<30)
	}
	return errors.Join(b.Run(ctx), b.Close())
}

// fillQueue writes records that do not get smaller, a MiB a call, into 16 partitions.
func fillQueue(ctx context.Context, b *broker.Broker, bytes int64) error {
	go b.Run(ctx)
	value := make([]byte, 8<<10)
	for written := int64(0); ctx.Err() == nil; {
		recs := make([]queue.Record, 128)
		for i := range recs {
			for k := 0; k < len(value); k += 8 {
				binary.LittleEndian.PutUint64(value[k:], rand.Uint64())
			}
			recs[i] = queue.Record{Topic: fmt.Sprintf("fill-%d", i%16), Value: slices.Clone(value)}
			written += int64(len(value))
		}
		if err := b.Produce(ctx, recs); err != nil {
			return err
		}
		if written >= bytes && written-int64(len(recs)*len(value)) < bytes {
			fmt.Println("filled")
		}
	}
	return ctx.Err()
}

// timeOpen kills a queue that is being written to and times its next start, from the start of the process to its address.
func timeOpen(ctx context.Context, gib int) error {
	dir, err := os.MkdirTemp("", "bench-broker")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	first := exec.CommandContext(ctx, self, "-serve", dir, "-load", strconv.Itoa(gib))
	first.Stderr = os.Stderr
	out, err := first.StdoutPipe()
	if err != nil {
		return err
	}
	if err := first.Start(); err != nil {
		return err
	}
	for sc := bufio.NewScanner(out); sc.Scan() && sc.Text() != "filled"; {
	}
	time.Sleep(time.Second)
	if err := first.Process.Kill(); err != nil {
		return err
	}
	first.Wait() // it was killed
	begin := time.Now()
	s, err := startQueue(ctx, dir)
	if err != nil {
		return err
	}
	fmt.Printf("%d GiB in 16 topics, killed while writing: answers after %v, %.2f s of CPU, %s\n", gib, time.Since(begin).Round(time.Millisecond), cpuOf(s.pid), peak(s.pid))
	return errors.Join(s.cmd.Process.Signal(syscall.SIGTERM), s.cmd.Wait())
}

// server is a broker under test.
type server struct {
	name, addr string
	pid        int
	cmd        *exec.Cmd // nil when it was not started here
	produce    []perf
	consume    []perf
	cpu        []float64 // seconds per million records, both ways
}

// perf is what a tool said of one round.
type perf struct{ rate, avg, p99 float64 }

func measure(ctx context.Context, n, size, rounds int, jars string) error {
	dir, err := os.MkdirTemp("", "bench-broker")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	weir, err := startQueue(ctx, filepath.Join(dir, "queue"))
	if err != nil {
		return err
	}
	servers := []*server{weir}
	if addr := os.Getenv("WEIR_KAFKA"); addr != "" {
		servers = append(servers, &server{name: "Apache Kafka", addr: addr, pid: sibling("kafka.Kafka")})
	}
	for round := range rounds + 1 { // the first warms up
		for _, s := range servers {
			if err := s.round(ctx, fmt.Sprintf("bench-%d", round), n, size, jars, round > 0); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%d records of %d bytes, acks=all, linger 5 ms, batches of 256 KiB, median of %d rounds\n\n", n, size, rounds)
	fmt.Println("| | produce rec/s | avg ms | p99 ms | consume rec/s | server CPU-s/M | server peak RSS |\n|---|---|---|---|---|---|---|")
	for _, s := range servers {
		rate := func(p perf) float64 { return p.rate }
		fmt.Printf("| %s | %.0f | %.1f | %.0f | %.0f | %.2f | %s |\n", s.name, median(s.produce, rate), median(s.produce, func(p perf) float64 { return p.avg }),
			median(s.produce, func(p perf) float64 { return p.p99 }), median(s.consume, rate), median(s.cpu, func(f float64) float64 { return f }), peak(s.pid))
	}
	return errors.Join(weir.cmd.Process.Signal(syscall.SIGTERM), weir.cmd.Wait())
}

func startQueue(ctx context.Context, dir string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := exec.CommandContext(ctx, self, "-serve", dir)
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the queue did not start: %w", err)
	}
	return &server{name: "weir", addr: strings.TrimSpace(line), pid: c.Process.Pid, cmd: c}, nil
}

var (
	producedLine = regexp.MustCompile(`records sent, ([0-9.]+) records/sec .*?, ([0-9.]+) ms avg latency, .*?, ([0-9.]+) ms 99th`)
	numberCell   = regexp.MustCompile(`^[0-9.]+$`)
)

// round produces and consumes a topic once.
func (s *server) round(ctx context.Context, topic string, n, size int, jars string, counts bool) error {
	before := cpuOf(s.pid)
	count := strconv.Itoa(n)
	out, err := tool(ctx, jars, "org.apache.kafka.tools.ProducerPerformance", "--topic", topic, "--num-records", count, "--record-size", strconv.Itoa(size),
		"--throughput", "-1", "--producer-props", "bootstrap.servers="+s.addr, "acks=all", "linger.ms=5", "batch.size=262144", "buffer.memory=67108864")
	if err != nil {
		return err
	}
	all := producedLine.FindAllStringSubmatch(out, -1)
	if len(all) == 0 {
		return fmt.Errorf("the tool's answer is not what this program knows: %s", out)
	}
	m := all[len(all)-1]
	produced := perf{number(m[1]), number(m[2]), number(m[3])}
	out, err = tool(ctx, jars, "org.apache.kafka.tools.ConsumerPerformance", "--topic", topic, "--bootstrap-server", s.addr, "--messages", count, "--timeout", "30000")
	if err != nil {
		return err
	}
	consumed, err := consumeRate(out)
	if err != nil {
		return err
	}
	if counts {
		s.produce, s.consume = append(s.produce, produced), append(s.consume, perf{rate: consumed})
		s.cpu = append(s.cpu, (cpuOf(s.pid)-before)/float64(n)*1e6)
	}
	return nil
}

// consumeRate is the column fetch.nMsg.sec of the last line, without the time it took to join a group.
func consumeRate(out string) (float64, error) {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	cells := strings.Split(lines[len(lines)-1], ", ")
	if len(cells) < 10 || !numberCell.MatchString(cells[9]) {
		return 0, fmt.Errorf("the tool's answer is not what this program knows: %s", out)
	}
	return number(cells[9]), nil
}

func number(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}

func tool(ctx context.Context, jars, class string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "java", append([]string{"-Xmx512m", "-cp", filepath.Join(jars, "*"), class}, args...)...)
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w\n%s", class, err, out)
	}
	return string(out), nil
}

// median is the middle one of a list by value.
func median[T any](list []T, value func(T) float64) float64 {
	v := make([]float64, len(list))
	for i := range list {
		v[i] = value(list[i])
	}
	slices.Sort(v)
	return v[len(v)/2]
}

// clockTick is the unit of /proc's times, in seconds.
const clockTick = 0.01

// cpuOf is the CPU seconds a process has used.
func cpuOf(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	return (number(f[11]) + number(f[12])) * clockTick
}

// peak is the most memory a process had.
func peak(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "-"
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return fmt.Sprintf("%.0f MB", number(strings.Fields(v)[0])/1024)
		}
	}
	return "-"
}

// sibling finds the process that a starter of servers has beside this one, by a word of its command line; 0 when there is none.
func sibling(word string) int {
	deadline := time.Now().Add(time.Second)
	for time.Now().Before(deadline) {
		entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
		if err != nil {
			return 0
		}
		for _, path := range entries {
			b, err := os.ReadFile(path)
			if err == nil && strings.Contains(string(b), "\x00"+word+"\x00") {
				if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil {
					return pid
				}
			}
		}
	}
	return 0
}
