package jvm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Bounds of a server's life.
const (
	startPatience = 5 * time.Minute  // a JVM on a busy machine
	stopPatience  = 20 * time.Second // then it is killed: its data is thrown away in any case
	askEvery      = 200 * time.Millisecond
	askPatience   = 5 * time.Second
	logTail       = 4 << 10 // bytes of the log that a failure shows
)

// Process is a running server.
type Process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the process has ended
}

// Tool runs java to its end and returns the last line that it printed.
func Tool(ctx context.Context, args ...string) (string, error) {
	out, err := exec.CommandContext(ctx, "java", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return text[strings.LastIndexByte(text, '\n')+1:], nil
}

// Start starts java with what it prints going to the file log. It has a process group of its own: an interrupt at the terminal reaches
// it through Stop only.
func Start(log string, args ...string) (*Process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &Process{cmd: exec.Command("java", args...), log: log, done: make(chan struct{})}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start java: %w", err)
	}
	go func() {
		defer close(p.done)
		p.cmd.Wait() // how it ended is in the log
	}()
	return p, nil
}

// Await returns when ready says yes. A server that does not come up is stopped, and the error shows the end of its log.
func (p *Process) Await(ctx context.Context, ready func(ctx context.Context) bool) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.done:
			return fmt.Errorf("the server ended while starting:\n%s", p.tail())
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the server does not answer: %w\n%s", ctx.Err(), p.tail()), p.Stop())
		case <-tick.C:
			ask, cancel := context.WithTimeout(ctx, askPatience)
			ok := ready(ask)
			cancel()
			if ok {
				return nil
			}
		}
	}
}

// Stop ends the process by its id, and returns when it has ended.
func (p *Process) Stop() error {
	p.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	select {
	case <-p.done:
	case <-time.After(stopPatience):
		if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop java: %w", err)
		}
		<-p.done
	}
	return nil
}

func (p *Process) tail() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-logTail):])
}
