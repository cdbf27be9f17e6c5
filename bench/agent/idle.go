package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/agent"
)

// idleFileBytes is the size of the files of -idle.
const idleFileBytes = 2600

// idle measures what many files cost that nobody writes to: CPU to read them, then CPU, memory and descriptors over a while.
func idle(dir string, files int, wait time.Duration, heap string) error {
	line := bytes.Repeat([]byte("x"), 199)
	text := bytes.Repeat(append(line, '\n'), idleFileBytes/200)
	for i := range files {
		name := filepath.Join(dir, "logs", fmt.Sprint(i%50), fmt.Sprintf("service-%d.log", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	m := newMeter(discard{})
	start := cpu()
	a, ended, err := startAgent(ctx, dir, m, filepath.Join(dir, "logs", "*", "*.log"))
	if err != nil {
		return err
	}
	if err := m.await(int64(files*len(text)), ended); err != nil {
		return err
	}
	read := cpu() - start
	time.Sleep(wait)
	start = cpu()
	time.Sleep(wait)
	used := cpu() - start
	st := a.Status()
	if heap != "" {
		f, err := os.Create(heap)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.WriteHeapProfile(f); err != nil {
			return err
		}
	}
	fmt.Printf("%d files: read with %.2f CPU-s; idle %.2f %% CPU, RSS %s MiB, peak %s MiB, %d descriptors of files\n", files, read.Seconds(),
		100*used.Seconds()/wait.Seconds(), memory("VmRSS"), memory("VmHWM"), st.Stats.OpenFiles)
	return nil
}

// memory is a figure of /proc/self/status in MiB.
func memory(key string) string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "?"
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return fmt.Sprintf("%.1f", float64(kb)/1024)
		}
	}
	return "?"
}

// latency measures the time from the write of a line into a quiet file to its acknowledgement.
func latency(dir string, lines int) error {
	if err := os.MkdirAll(filepath.Join(dir, "logs"), 0o755); err != nil {
		return err
	}
	name := filepath.Join(dir, "logs", "quiet.log")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b, err := openBroker(dir, "snappy")
	if err != nil {
		return err
	}
	defer b.Close()
	go b.Run(ctx)
	m := newMeter(b)
	_, ended, err := startAgent(ctx, dir, m, name)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var took []time.Duration
	var written int64
	for i := range lines {
		time.Sleep(time.Duration(rng.IntN(30)) * time.Millisecond)
		text := fmt.Sprintf("line %d\n", i)
		start := time.Now()
		if _, err := f.WriteString(text); err != nil {
			return err
		}
		written += int64(len(text))
		if err := m.await(written, ended); err != nil {
			return err
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	fmt.Printf("%d lines: p50 %v, p99 %v, worst %v\n", lines, took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	return nil
}

// startAgent runs an agent over files into q.
func startAgent(ctx context.Context, dir string, q agent.Producer, paths string) (*agent.Agent, chan error, error) {
	in := agent.DefaultInput("filestream")
	in.Paths = []string{paths}
	ac := agent.DefaultConfig()
	ac.Dir, ac.Queue, ac.Inputs = filepath.Join(dir, "agent"), q, []agent.Input{in}
	a, err := agent.Open(ac)
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	return a, ended, nil
}
