// Command real runs a command against a real Apache Kafka: it fetches the jars that pom.xml names, formats a single KRaft node in a
// temporary directory, starts it on free loopback ports, runs the command with WEIR_KAFKA=host:port, and stops the node.
//
//	go run ./queue/kafka/real go test -count=1 ./queue/kafka
//
// It ends with the command's exit status. Where the jars, Java or Maven cannot be had it says "real Kafka not available: ..." and
// ends with 0; a node that does not start is a failure, with the end of its log.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	jars := flag.String("jars", "build/kafka", "directory the jars are in, filled when it is empty")
	pom := flag.String("pom", "queue/kafka/real/pom.xml", "what the jars are")
	flag.Parse()
	err := run(ctx, *pom, *jars, flag.Args())
	var missing *unavailableError
	var exit *exec.ExitError
	switch {
	case errors.As(err, &missing):
		fmt.Println("real Kafka not available:", missing)
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run runs args against a node of its own.
func run(ctx context.Context, pom, jars string, args []string) (err error) {
	if len(args) == 0 {
		return errors.New("want a command to run against Kafka")
	}
	version, err := fetchJars(ctx, pom, jars)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "weir-kafka-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	n, err := startNode(ctx, filepath.Join(jars, "*"), dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.stop()) }()
	fmt.Printf("Apache Kafka %s at %s, pid %d\n", version, n.addr, n.cmd.Process.Pid)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	cmd.Env = append(os.Environ(), "WEIR_KAFKA="+n.addr)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}
