package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/queue/kafka"
)

// serve runs a broker alone in this process until its standard input ends, and prints its address.
func serve(dir string) error {
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen = dir, []string{"127.0.0.1:0"}
	b, err := broker.Open(cfg)
	if err != nil {
		return err
	}
	defer b.Close()
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	fmt.Println(b.Addrs()[0])
	return b.Run(ctx)
}

// overTCP starts a broker in a process of its own, so that the figures are the agent's alone, and connects to it with lz4 and acks=all.
func overTCP(ctx context.Context, dir string) (q *kafka.Queue, stop func(), err error) {
	cmd := exec.CommandContext(ctx, os.Args[0], "-serve", dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() {
		in.Close()
		cmd.Wait()
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	if err == nil {
		q, err = kafka.Open(ctx, kafka.Config{Brokers: []string{strings.TrimSpace(addr)}, Compression: "lz4"})
	}
	if err != nil {
		stop()
		return nil, nil, err
	}
	return q, stop, nil
}
