package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// queueFlags are the flags of commands that speak Kafka: to a running weir or to any cluster.
type queueFlags struct {
	queue, user, password, mechanism, ca string
	tls, json                            bool
}

func (f *queueFlags) add(c *cobra.Command) {
	at := os.Getenv("WEIR_QUEUE")
	if at == "" {
		at = "127.0.0.1:9092"
	}
	fl := c.PersistentFlags()
	fl.StringVar(&f.queue, "queue", at, "host:port of a broker, or several (or WEIR_QUEUE)")
	fl.StringVar(&f.user, "username", os.Getenv("WEIR_QUEUE_USER"), "login (or WEIR_QUEUE_USER)")
	fl.StringVar(&f.password, "password", "", "its password; better in WEIR_QUEUE_PASSWORD")
	fl.StringVar(&f.mechanism, "mechanism", "SCRAM-SHA-512", "PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512")
	fl.BoolVar(&f.tls, "tls", false, "connect with TLS")
	fl.StringVar(&f.ca, "tls-ca", "", "PEM file of who signs the brokers' certificates; implies --tls")
	fl.BoolVar(&f.json, "json", false, "print JSON")
}

// login is what the flags and the environment say.
func (f *queueFlags) login() config.QueueLogin {
	login := config.QueueLogin{User: f.user, Password: f.password, Mechanism: f.mechanism}
	if login.User != "" && login.Password == "" {
		login.Password = os.Getenv("WEIR_QUEUE_PASSWORD")
	}
	if f.tls || f.ca != "" {
		login.TLS = &listen.TLS{}
		if f.ca != "" {
			login.TLS.Authorities = []string{f.ca}
		}
	}
	return login
}

// with runs fn with a client of the cluster. Nobody answering is exit code 3.
func (f *queueFlags) with(cmd *cobra.Command, fn func(ctx context.Context, a *kafka.Admin) error) error {
	cfg, err := kafkaConfig(f.queue, f.login())
	if err != nil {
		return err
	}
	a, err := kafka.OpenAdmin(cfg)
	if err != nil {
		return usage("%w", err)
	}
	defer a.Close()
	ctx := cmd.Context()
	if err := a.Ping(ctx); err != nil {
		switch {
		case ctx.Err() != nil:
			return &exitError{exitInterrupted, nil}
		case errors.Is(err, queue.ErrDenied):
			return fmt.Errorf("login refused: %w", err)
		}
		return &exitError{exitUnreachable, fmt.Errorf("no broker answers at %s (start one with `weir up`, or name one with --queue): %w", f.queue, err)}
	}
	if err := fn(ctx, a); err != nil {
		if ctx.Err() != nil {
			return &exitError{exitInterrupted, nil}
		}
		return err
	}
	return nil
}

// printJSON writes v as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// table writes rows in columns; the first is the head.
func table(w io.Writer, rows [][]string) error {
	tw := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(tw, strings.Join(r, "\t"))
	}
	return tw.Flush()
}

// bytesText is a size for people; -1 is one that is not known.
func bytesText(n int64) string {
	switch {
	case n < 0:
		return "-"
	case n < 10<<10:
		return fmt.Sprintf("%d B", n)
	case n < 10<<20:
		return fmt.Sprintf("%d KiB", n>>10)
	case n < 10<<30:
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d GiB", n>>30)
}

// timeText is a time for people; nil is one that is not known.
func timeText(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05")
}

// lagText is a lag in time for people.
func lagText(ms int64) string {
	return (time.Duration(ms) * time.Millisecond).Round(time.Millisecond).String()
}

// pairs reads k=v flags.
func pairs(flag string, list []string) (map[string]string, error) {
	out := map[string]string{}
	for _, s := range list {
		k, v, ok := strings.Cut(s, "=")
		if !ok || k == "" {
			return nil, usage("--%s %q: want name=value", flag, s)
		}
		out[k] = v
	}
	return out, nil
}
