package output

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/queue"
)

// TestFileRotation: files follow one another by size and by day, the oldest go, and a start continues or begins one.
func TestFileRotation(t *testing.T) {
	t.Parallel()
	cfg := DefaultFile()
	cfg.Path, cfg.RotateEvery, cfg.Files = t.TempDir(), 30, 3
	day := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	f, err := openFile(cfg, func() time.Time { return day })
	if err != nil {
		t.Fatal(err)
	}
	put := func(text string) {
		t.Helper()
		if err := f.Produce(context.Background(), []queue.Record{{Value: []byte(text)}}); err != nil {
			t.Fatal(err)
		}
	}
	files := func() (out []string) {
		entries, _ := os.ReadDir(cfg.Path)
		for _, e := range entries {
			b, _ := os.ReadFile(filepath.Join(cfg.Path, e.Name()))
			if len(b) > 0 {
				out = append(out, strings.TrimPrefix(e.Name(), "filebeat-")+" "+strings.ReplaceAll(string(b), "\n", ";"))
			}
		}
		return out
	}
	for _, s := range []string{`{"a":1234567}`, `{"a":2234567}`, `{"a":3234567}`} {
		put(s)
	}
	want := []string{`20261122-1.ndjson {"a":3234567};`, `20261122.ndjson {"a":1234567};{"a":2234567};`}
	if got := files(); !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	day = day.Add(24 * time.Hour)
	put(`{"b":1}`)
	put(`{"b":2222222222222222222222222222222}`) // alone in a file, though it is larger than one should be
	want = []string{`20261122-1.ndjson {"a":3234567};`, `20261123-1.ndjson {"b":2222222222222222222222222222222};`, `20261123.ndjson {"b":1};`}
	if got := files(); !slices.Equal(got, want) {
		t.Fatalf("%q, want %q", got, want)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []FileConfig{{}, {Path: "x", Filename: "a/b", RotateEvery: 1, Files: 2}, {Path: "x", Filename: "a", RotateEvery: 1, Files: 1}} {
		if len(bad.Validate()) == 0 {
			t.Errorf("%+v is accepted", bad)
		}
	}
}
