package jvm

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

// Server is a kind of server that a command runs against.
type Server struct {
	Name    string   // as a person calls it
	POM     string   // default of -pom
	Jars    string   // default of -jars
	Pattern string   // of the server's own jar, see Fetch
	Tools   []string // wanted in the PATH
	// Start starts a server with its files in dir, on free loopback ports. When it answers, it returns the variables, NAME=value, that
	// tell the command where it is.
	Start func(ctx context.Context, classpath, dir string) (*Process, []string, error)
}

// Main is the main function of a program that runs its arguments as a command against a server, and ends with the command's status.
// Where the server cannot be had it says so and ends with 0.
func Main(s Server) {
	jars := flag.String("jars", s.Jars, "directory the jars are in, filled when it is empty")
	pom := flag.String("pom", s.POM, "what the jars are")
	flag.Parse()
	s.Jars, s.POM = *jars, *pom
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := s.run(ctx, flag.Args())
	stop()
	var missing *UnavailableError
	var exit *exec.ExitError
	switch {
	case errors.As(err, &missing):
		fmt.Printf("real %s not available: %v\n", s.Name, missing)
	case errors.As(err, &exit):
		os.Exit(max(exit.ExitCode(), 1))
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func (s Server) run(ctx context.Context, args []string) (err error) {
	if len(args) == 0 {
		return fmt.Errorf("want a command to run against %s", s.Name)
	}
	version, err := Fetch(ctx, s.POM, s.Jars, s.Pattern, s.Tools...)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "weir-real-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, env, err := s.Start(ctx, filepath.Join(s.Jars, "*"), dir)
	if err != nil {
		return fmt.Errorf("start %s: %v", s.Name, err) // not wrapped: the exit status of a tool is not the command's
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	fmt.Printf("%s %s, pid %d: %s\n", s.Name, version, p.cmd.Process.Pid, strings.Join(env, " "))
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopPatience
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", strings.Join(args, " "), err)
	}
	return nil
}
