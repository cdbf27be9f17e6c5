package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/rest"
	"github.com/weirlog/weir/vfs"
)

// restServer is the REST API of an empty store; before sees each request and may answer it.
func restServer(t *testing.T, before func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	cfg := store.DefaultConfig()
	cfg.FS, cfg.Dir = vfs.NewMem(), "store"
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := rest.New(s, nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if before == nil || !before(w, r) {
			h.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() { srv.Close(); h.Close(); s.Close() })
	return srv.URL
}

// command runs a command line and gives standard output.
func command(t *testing.T, stdin string, args ...string) (string, error) {
	t.Helper()
	root := newRoot()
	var out, errOut bytes.Buffer
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&errOut)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

func countOf(t *testing.T, url, index string) int {
	t.Helper()
	resp, err := http.Get(url + "/" + index + "/_count")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var c struct{ Count int }
	if err := json.NewDecoder(resp.Body).Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c.Count
}

func ndjson(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "{\"n\":%d,\"text\":\"line %d\"}\n", i, i)
	}
	return b.String()
}

// TestImportExport: documents go in and come out as they were; a repetition writes nothing twice.
func TestImportExport(t *testing.T) {
	t.Parallel()
	dir, url := t.TempDir(), restServer(t, nil)
	in := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(in, []byte(ndjson(2500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := command(t, "", "import", "--url", url, "--index", "a", "--batch", "300", "--quiet", in); err != nil {
			t.Fatal(err)
		}
		if n := countOf(t, url, "a"); n != 2500 {
			t.Fatalf("%d documents, want 2500", n)
		}
	}
	out := filepath.Join(dir, "out.ndjson")
	if _, err := command(t, "", "export", "--url", url, "--index", "a", "-o", out, "--page", "700", "--quiet"); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(out)
	if err != nil || string(got) != ndjson(2500) {
		t.Errorf("%d bytes come out, %d went in, %v", len(got), len(ndjson(2500)), err)
	}
	if _, err := os.Stat(out + ".export"); err == nil {
		t.Error("the state of a whole export is left")
	}
	text, err := command(t, "", "export", "--url", url, "--index", "a", "--query", "n >= 2490", "--fields", "n", "--bulk", "--quiet")
	if err != nil || strings.Count(text, "\n") != 20 || !strings.Contains(text, `{"index":{"_id":"`) || !strings.Contains(text, `{"n":2499}`) {
		t.Errorf("%v\n%s", err, text)
	}
	if _, err := command(t, text, "import", "--url", url, "--index", "b", "--quiet"); err != nil {
		t.Fatal(err)
	}
	if n := countOf(t, url, "b"); n != 10 {
		t.Errorf("%d documents copied, want 10", n)
	}
	for _, args := range [][]string{{"index", "ls"}, {"index", "compact", "a"}, {"index", "stats", "a"}, {"index", "rm", "b"}} {
		if out, err := command(t, "", append(args, "--url", url)...); err != nil || out == "" {
			t.Errorf("%v: %v %s", args, err, out)
		}
	}
	if _, err := command(t, "", "index", "rm", "*", "--url", url); err == nil {
		t.Error("a pattern is deleted without --yes")
	}
}

// TestImportGoesOn: an import that was cut short goes on behind the last batch that is in; one whose answer was lost writes nothing twice.
func TestImportGoesOn(t *testing.T) {
	t.Parallel()
	var bulks atomic.Int32
	dir := t.TempDir()
	url := restServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		if !strings.HasPrefix(r.URL.Path, "/_bulk") {
			return false
		}
		switch bulks.Add(1) {
		case 2: // busy once
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		case 4: // broken
			w.WriteHeader(http.StatusForbidden)
			return true
		}
		return false
	})
	in := filepath.Join(dir, "in.ndjson")
	if err := os.WriteFile(in, []byte(ndjson(1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"import", "--url", url, "--index", "a", "--batch", "100", "--quiet", in}
	if _, err := command(t, "", args...); err == nil {
		t.Fatal("a refused request is no error")
	}
	if n := countOf(t, url, "a"); n != 200 {
		t.Fatalf("%d documents before the fault, want 200", n)
	}
	if _, err := command(t, "", "import", "--url", url, "--index", "other", "--quiet", in); err == nil {
		t.Error("an import goes on into another index")
	}
	before := bulks.Load()
	if _, err := command(t, "", args...); err != nil {
		t.Fatal(err)
	}
	if n := countOf(t, url, "a"); n != 1000 || bulks.Load()-before != 8 {
		t.Errorf("%d documents by %d further requests, want 1000 by 8", n, bulks.Load()-before)
	}
}

// TestExportGoesOn: an export that was cut short goes on with whole pages of the same moment.
func TestExportGoesOn(t *testing.T) {
	t.Parallel()
	var searches atomic.Int32
	url := restServer(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/_search" && searches.Add(1) == 4 {
			w.WriteHeader(http.StatusBadRequest)
			return true
		}
		return false
	})
	if _, err := command(t, ndjson(500), "import", "--url", url, "--index", "a", "--quiet"); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "out.ndjson")
	args := []string{"export", "--url", url, "--index", "a", "-o", out, "--page", "100", "--quiet"}
	if _, err := command(t, "", args...); err == nil {
		t.Fatal("a refused page is no error")
	}
	if _, err := command(t, "", args...); err == nil || !strings.Contains(err.Error(), "--resume") {
		t.Errorf("a half file is overwritten: %v", err)
	}
	if _, err := command(t, `{"n":9999}`, "import", "--url", url, "--index", "a", "--quiet"); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(out, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"half a li`)
	f.Close()
	if _, err := command(t, "", append(args, "--resume")...); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(out); err != nil || string(got) != ndjson(500) {
		t.Errorf("%d bytes, want %d, %v", len(got), len(ndjson(500)), err)
	}
}

// TestSegmentCommands: dump and verify on the files of a store.
func TestSegmentCommands(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := store.DefaultConfig()
	cfg.Dir = filepath.Join(dir, "store")
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h := rest.New(s, nil)
	srv := httptest.NewServer(h)
	if _, err := command(t, ndjson(50), "import", "--url", srv.URL, "--index", "a", "--quiet"); err != nil {
		t.Fatal(err)
	}
	err = s.Flush(nil)
	srv.Close()
	h.Close()
	if cerr := s.Close(); err != nil || cerr != nil {
		t.Fatal(err, cerr)
	}
	files, err := filepath.Glob(filepath.Join(dir, "store", "idx", "*", "*.seg"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	if out, err := command(t, "", "index", "dump", files[0]); err != nil || !strings.Contains(out, "50 documents") || !strings.Contains(out, "text.keyword") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := command(t, "", "index", "dump", "--docs", files[0]); err != nil || out != ndjson(50) {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := command(t, "", "index", "verify", "--data", dir); err != nil || !strings.Contains(out, "1 segments: 0 damaged") {
		t.Errorf("%v\n%s", err, out)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/3] ^= 4
	if err := os.WriteFile(files[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := command(t, "", "index", "verify", "--data", dir); err == nil || !strings.Contains(out, "BAD") {
		t.Errorf("a flipped bit is not told: %v\n%s", err, out)
	}
}
