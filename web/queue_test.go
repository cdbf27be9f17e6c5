package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirlog/weir/queue/kafka"
)

// TestQueueAbsent and refusals: what is said where no queue is, where it does not answer, and for groups the store keeps.
func TestQueueRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, method, path, body string
		cfg                      Config
		status                   int
		want                     string
	}{
		{"no queue", "GET", "/weir/topics", "", Config{}, 501, "no_queue"},
		{"queue away", "GET", "/weir/groups", "", Config{Queue: func() (*kafka.Admin, error) { return nil, errors.New("broker is away") }}, 503, "broker is away"},
		{"kept group", "POST", "/weir/groups/weir/reset", `{"to":"start"}`, Config{Kept: func(g string) string { return g + " is kept: use weir pipeline rewind" }}, 409, "weir pipeline rewind"},
		{"no flow", "GET", "/weir/flow/history", "", Config{}, 501, "no_flow"},
		{"bad span", "GET", "/weir/flow/history?span=1y", "", Config{Flow: func() any { return nil }}, 400, "bad_span"},
		{"history", "GET", "/weir/flow/history?span=1h", "", Config{Flow: func() any { return nil }}, 200, `"step_ms":5000`},
	} {
		c.cfg.Store = fakeStore{t}
		s, err := New(c.cfg)
		if err != nil {
			t.Fatal(err)
		}
		srv := httptest.NewServer(s)
		status, out := do(t, c.method, srv.URL+c.path, c.body)
		srv.Close()
		if status != c.status || !strings.Contains(out, c.want) {
			t.Errorf("%s: %d %s, want %d %s", c.name, status, out, c.status, c.want)
		}
	}
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	if m, err := places("0:17,3:9"); err != nil || m[0] != 17 || m[3] != 9 {
		t.Errorf("%v %v", m, err)
	}
	for _, s := range []string{"x", "1", "1:-2", "-1:2", "1:2,", "9999999999:1"} {
		if m, err := places(s); err == nil {
			t.Errorf("%q is read as %v", s, m)
		}
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	var saw []string
	store := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		saw = append(saw, r.Method+" "+r.RequestURI+" "+r.Header.Get("Content-Type")+" "+r.Header.Get("Authorization"))
		if r.URL.Path == "/missing" {
			w.WriteHeader(404)
		}
		if r.URL.Path == "/long" {
			for range 10 {
				w.Write(make([]byte, 1<<20))
			}
		}
		w.Write([]byte("{\"ok\":12345678901234567890}"))
	})
	s, err := New(Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	at := srv.URL + "/weir/console"
	for body, want := range map[string]string{
		`{"method":"GET","path":"logs-*/_search?size=1"}`:    `12345678901234567890`,
		`{"method":"GET","path":"/missing"}`:                 `"status":404`,
		`{"method":"POST","path":"_bulk","body":"{}\n{}\n"}`: `"status":200`,
		`{"method":"GET","path":"long"}`:                     `"cut":true`,
		`{"method":"PATCH","path":"x"}`:                      `bad_method`,
		`{"method":"GET","path":"//other.example/x"}`:        `"status":200`, // leading slashes are one: the path stays the store's
		`{"method":"GET","path":"%zz"}`:                      `bad_path`,
	} {
		_, out := do(t, "POST", at, body, "Authorization", "Basic abc")
		if !strings.Contains(out, want) {
			t.Errorf("%s: %.200s, want %s", body, out, want)
		}
	}
	all := strings.Join(saw, "\n")
	for _, want := range []string{"GET /logs-*/_search?size=1 application/json Basic abc", "POST /_bulk application/x-ndjson", "GET /other.example/x"} {
		if !strings.Contains(all, want) {
			t.Errorf("the store saw\n%s\nwant %s", all, want)
		}
	}
	for name, header := range map[string][]string{"other site": {"Sec-Fetch-Site", "cross-site"}, "a form": {"Content-Type", "text/plain"}} {
		if status, _ := do(t, "POST", at, `{"method":"DELETE","path":"x"}`, header...); status < 400 {
			t.Errorf("%s: %d", name, status)
		}
	}
	if status, _ := do(t, "GET", at, ""); status != 404 && status != 405 {
		t.Errorf("GET: %d", status)
	}
	if strings.Contains(strings.Join(saw, "\n"), "DELETE") {
		t.Error("a refused request reached the store")
	}
}

func TestPatternsAPI(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	status, out := post(t, srv.URL+"/weir/patterns", `{"index":"logs-*","query":"hello","from":"2026-11-22T00:00:00Z","to":"2026-11-23T00:00:00Z"}`)
	if status != 200 || !strings.Contains(out, `"template":"hello"`) || !strings.Contains(out, `"seen":1`) || !strings.Contains(out, `"match_phrase":{"message":"hello"}`) {
		t.Errorf("%d %s", status, out)
	}
	if status, out := post(t, srv.URL+"/weir/patterns", `{"query":"bad:"}`); status != 200 || !strings.Contains(out, "a value is missing") {
		t.Errorf("%d %s", status, out)
	}
}
