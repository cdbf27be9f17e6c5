// Command conform runs other projects' Kafka clients and their test suites against this broker: what it can fetch and build beside the
// project (under build/conform), it runs; what it cannot, it says. It is no part of the program.
//
//	go run ./broker/conform                 every suite
//	go run ./broker/conform kgo java        the named ones
//	go run ./broker/conform serve           a broker as the suites see it, until it is interrupted
//
// The failures that are known, with their reasons, are in docs/reference/kafka.md; others make it end with status 1.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/weirlog/weir/broker"
)

// suite is one client or test suite.
type suite struct {
	name string
	run  func(ctx context.Context, e *env) error
}

func suites() []suite {
	return []suite{
		{"kgo", runKgo}, {"librdkafka", runLibrdkafka}, {"java", runJava}, {"kcat", runKcat}, {"kafkajs", runKafkaJS},
		{"confluent-python", runConfluentPython}, {"kafka-python", runKafkaPython}, {"sarama", runSarama}, {"rsyslog", runRsyslog},
	}
}

// errAbsent says that a client cannot be had here.
var errAbsent = errors.New("not available")

func absent(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errAbsent, fmt.Sprintf(format, args...))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "conform:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string) error {
	dir, err := filepath.Abs(filepath.Join("build", "conform"))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if len(names) == 1 && names[0] == "serve" {
		e, err := start(ctx, dir, "127.0.0.1:0")
		if err != nil {
			return err
		}
		fmt.Println(e.addr)
		<-ctx.Done()
		return e.stop()
	}
	failed := 0
	for _, s := range suites() {
		if len(names) > 0 && !slices.Contains(names, s.name) {
			continue
		}
		e, err := start(ctx, dir, "127.0.0.1:0")
		if err != nil {
			return err
		}
		begin := time.Now()
		err = s.run(ctx, e)
		switch {
		case errors.Is(err, errAbsent):
			fmt.Printf("%-18s %v\n", s.name, err)
		case err != nil:
			failed++
			fmt.Printf("%-18s FAILED after %v: %v\n", s.name, time.Since(begin).Round(time.Second), err)
		default:
			fmt.Printf("%-18s ok, %v: %s\n", s.name, time.Since(begin).Round(time.Second), e.note)
		}
		if err := e.stop(); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d suites failed", failed)
	}
	return ctx.Err()
}

// env is what a suite runs in: a broker of its own, and the folder for what is fetched.
type env struct {
	dir    string // build/conform
	tmp    string
	addr   string
	note   string // what the suite did, for the summary
	cancel context.CancelFunc
	done   chan error
	b      *broker.Broker
}

// start runs a broker. Access control lists are on and let everybody do everything they are silent about, as the suites expect.
func start(ctx context.Context, dir, listen string) (*env, error) {
	tmp, err := os.MkdirTemp("", "conform")
	if err != nil {
		return nil, err
	}
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen, cfg.Partitions = filepath.Join(tmp, "queue"), []string{listen}, 4
	cfg.Authorize, cfg.AllowUnlisted = true, true
	cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	b, err := broker.Open(cfg)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	e := &env{dir: dir, tmp: tmp, addr: b.Addrs()[0].String(), cancel: cancel, done: make(chan error, 1), b: b}
	go func() { e.done <- b.Run(ctx) }()
	return e, nil
}

func (e *env) stop() error {
	e.cancel()
	return errors.Join(<-e.done, e.b.Close(), os.RemoveAll(e.tmp))
}

// command runs a program in a folder and gives what it printed, which is also kept in build/conform/NAME.log.
func (e *env) command(ctx context.Context, log, dir string, vars []string, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(os.Environ(), vars...)
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	c.WaitDelay = 10 * time.Second
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	path := filepath.Join(e.dir, log+".log")
	if werr := os.WriteFile(path, out.Bytes(), 0o644); werr != nil {
		return out.String(), werr
	}
	if err != nil {
		return out.String(), fmt.Errorf("%s: %w (%s)\n%s", name, err, path, tail(out.String(), 15))
	}
	return out.String(), nil
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// write puts a file of a suite beside what was fetched.
func (e *env) write(name, text string) (string, error) {
	path := filepath.Join(e.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// copyTree copies a folder of read-only files, such as a module's, so that it can be written to.
func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		dst := filepath.Join(to, rel)
		if d.IsDir() {
			return os.MkdirAll(dst, 0o755)
		}
		in, err := os.Open(path)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := os.Create(dst)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close())
	})
}
