package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/queue"
)

// TestVerifyAndRepair: a flipped bit is found and named, repair makes a gap of it, and everything else stays readable.
func TestVerifyAndRepair(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen = filepath.Join(dir, "queue"), nil
	b, err := broker.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := b.Produce(context.Background(), []queue.Record{{Topic: "logs", Value: bytes.Repeat([]byte("line "), 50)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	weir := func(args ...string) (int, string) {
		var out bytes.Buffer
		code := run(append(args, "--data", dir), nil, &out, &out)
		return code, out.String()
	}
	if code, out := weir("verify"); code != 0 || !strings.Contains(out, "0 damaged") {
		t.Errorf("a good folder: code %d, %s", code, out)
	}
	path := filepath.Join(dir, "queue", "logs-0", strings.Repeat("0", 20)+".log")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text[len(text)/2] ^= 1
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out := weir("verify"); code != exitFailed || !strings.Contains(out, "offsets") {
		t.Errorf("a flipped bit: code %d, %s", code, out)
	}
	if code, out := weir("repair"); code != 0 || !strings.Contains(out, "are gone") {
		t.Errorf("repair: code %d, %s", code, out)
	}
	if code, out := weir("verify"); code != 0 || !strings.Contains(out, "as weir repair accepted") {
		t.Errorf("after the repair: code %d, %s", code, out)
	}
	if code, out := weir("repair"); code != 0 || !strings.Contains(out, "nothing is damaged") {
		t.Errorf("repair again: code %d, %s", code, out)
	}
	if b, err = broker.Open(cfg); err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	m, err := b.Join(context.Background(), "g", "logs")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, gaps := 0, 0
	for got+gaps < 10 {
		recs, err := m.Poll(context.Background())
		got += len(recs)
		if gap, ok := err.(*queue.Gap); ok {
			gaps += int(gap.To - gap.From)
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if got != 9 || gaps != 1 {
		t.Errorf("%d records and %d lost offsets", got, gaps)
	}
}
