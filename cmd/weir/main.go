// Command weir carries log lines from files to a screen: agent, broker, pipeline, store and web UI in one program.
//
// main.go holds the table of commands; each command has its own file. This is the only package that knows which implementation of a
// border is used: node.go wires the parts of one process.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
)

// Exit codes, the same for every command.
const (
	exitFailed      = 1 // could not run, or a check found something
	exitUsage       = 2 // configuration or usage
	exitUnreachable = 3 // a client command found no server
	exitInterrupted = 130
)

// exitError carries an exit code to main; its text is printed unless it is empty.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run executes one command line and gives its exit code. A second signal ends the process at once, as a kill would: nothing that was
// acknowledged is lost by it.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	return report(err, stderr)
}

// report prints an error as its kind asks for and gives the exit code.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return 0
	}
	var exit *exitError
	isExit := errors.As(err, &exit)
	var places config.Errors
	switch {
	case errors.As(err, &places):
		fmt.Fprint(stderr, places.Excerpt())
		if !isExit {
			return exitUsage
		}
	case isExit && exit.err == nil:
	default:
		fmt.Fprintf(stderr, "weir: %v\n", err)
		if strings.HasPrefix(err.Error(), "unknown command") {
			return exitUsage
		}
	}
	if isExit {
		return exit.code
	}
	return exitFailed
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "weir",
		Short: "Collect, buffer, process, store, search and see logs, in one program",
		Long: `weir carries log lines from files to a screen.

  weir demo                      three services, live, on http://127.0.0.1:5601
  weir up -c weir.yml            everything in one process
  weir tail 'log.level: ERROR'   follow what arrives
  weir check pipelines/*.conf    every mistake of a configuration, with its place`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &exitError{exitUsage, err} })
	root.AddCommand(newUp(), newDemo(), newAgent(), newBroker(), newPipeline(), newStore(),
		newTail(), newSearch(), newIndex(), newExport(), newTopics(), newGroups(), newVerify(), newRepair(), newAudit(), newCheck(), newGrok(), newImport(), newKeystore(), newDoctor(), newVersion())
	for _, c := range root.Commands() {
		args := c.Args
		c.Args = func(cmd *cobra.Command, a []string) error {
			if args == nil {
				args = cobra.NoArgs
			}
			if err := args(cmd, a); err != nil {
				return &exitError{exitUsage, err}
			}
			return nil
		}
	}
	return root
}
