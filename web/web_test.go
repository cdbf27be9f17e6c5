package web

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/weirlog/weir/web/live"
)

// fakeStore answers the requests of the pages from three documents. It checks that what it is asked has the shape a cluster takes.
type fakeStore struct{ t *testing.T }

func (f fakeStore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var req map[string]any
	if len(body) > 0 {
		if err := json.Unmarshal(body, &req); err != nil {
			f.t.Errorf("%s %s: body %q: %v", r.Method, r.URL, body, err)
		}
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/_kql/parse"):
		if req["text"] == "bad:" {
			io.WriteString(w, `{"tokens":[],"hints":[],"error":{"message":"a value is missing","at":4,"expected":"a value","fix":""},"dsl":null,"complete":{"from":4,"to":4,"kinds":["value"],"field":"level","prefix":"","items":[]}}`)
			return
		}
		io.WriteString(w, `{"tokens":[{"from":0,"to":5,"kind":"text"}],"hints":[],"error":null,"dsl":{"match_all":{}},"complete":{"from":0,"to":0,"kinds":["value"],"field":"log.level","prefix":"e","items":[]}}`)
	case strings.HasSuffix(r.URL.Path, "/_field_caps"):
		io.WriteString(w, `{"indices":["a"],"fields":{"log.level":{"keyword":{"type":"keyword","metadata_field":false,"searchable":true,"aggregatable":true}},"_id":{"_id":{"metadata_field":true}},"log":{"object":{"metadata_field":false}}}}`)
	case strings.HasSuffix(r.URL.Path, "/_search") && strings.Contains(r.URL.Path, "broken"):
		w.WriteHeader(400)
		io.WriteString(w, `{"error":{"root_cause":[{"type":"parsing_exception","reason":"no"}],"type":"x","reason":"y"},"status":400}`)
	case req["aggs"] != nil:
		io.WriteString(w, `{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":3,"relation":"eq"},"hits":[]},"aggregations":{
			"t":{"buckets":[{"key":1000,"doc_count":3,"by":{"buckets":[{"key":"ERROR","doc_count":1},{"key":"INFO","doc_count":2}]}}]},
			"top":{"buckets":[{"key":"ERROR","doc_count":1}]},"distinct":{"value":2},"exists":{"doc_count":3},"v":{"buckets":[{"key":"ERROR","doc_count":1},{"key":"INFO","doc_count":2}]}}}`)
	default:
		io.WriteString(w, `{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":3},"hits":[{"_index":"logs-a","_id":"1","_source":{"@timestamp":"2026-11-22T14:02:11.318Z","message":"hello","log":{"level":"INFO","offset":5,"file":{"path":"/a.log"}},"weir":{"source":"00"}},"sort":[1795356131318]}]}}`)
	}
}

func newTestServer(t *testing.T, hub *live.Hub) *httptest.Server {
	t.Helper()
	s, err := New(Config{Store: fakeStore{t}, Live: hub, Version: "test", Match: func(kql string) (func([]byte) bool, error) {
		return func(doc []byte) bool { return strings.Contains(string(doc), kql) }, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

func TestExploreStreamsFrames(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	_, out := post(t, srv.URL+"/weir/explore", `{"index":"logs-*","query":"hello","from":"now-15m","to":"now","tz":"Asia/Seoul","filters":[{"field":"log.level","op":"is_not","value":"DEBUG"}],"size":1}`)
	kinds := map[string]json.RawMessage{}
	for sc := bufio.NewScanner(strings.NewReader(out)); sc.Scan(); {
		var f map[string]json.RawMessage
		if err := json.Unmarshal(sc.Bytes(), &f); err != nil {
			t.Fatalf("frame %q: %v", sc.Text(), err)
		}
		for k, v := range f {
			kinds[k] = v
		}
	}
	for kind, want := range map[string]string{"parsed": `"kind":"text"`, "hits": `"message":"hello"`, "histogram": `"ERROR":1`, "done": `"total":3`} {
		if !strings.Contains(string(kinds[kind]), want) {
			t.Errorf("%s = %s, want %s", kind, kinds[kind], want)
		}
	}
	if !strings.Contains(string(kinds["hits"]), `"cursor":"`) {
		t.Errorf("a full page has no cursor: %s", kinds["hits"])
	}
}

func TestExploreErrors(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	for body, want := range map[string]string{
		`{"query":"bad:"}`:             `"a value is missing"`,
		`{"from":"soon"}`:              `bad_time`,
		`{"from":"now","to":"now-1h"}`: `ends before it begins`,
		`{"tz":"Mars/Olympus"}`:        `bad_time_zone`,
		`{"cursor":"%%%"}`:             `bad_cursor`,
		`{"index":"broken"}`:           `parsing_exception`,
		`not json`:                     `bad_request`,
	} {
		if _, out := post(t, srv.URL+"/weir/explore", body); !strings.Contains(out, want) {
			t.Errorf("%s: %s, want %s", body, out, want)
		}
	}
}

func TestEventContextFieldsValuesKQL(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	for path, want := range map[string]string{
		"/weir/event?index=logs-a&id=1":                   `"message":"hello"`,
		"/weir/event?index=logs-a":                        `index and id are needed`,
		"/weir/context?index=logs-a&id=1&n=5":             `"hit":{"id":"1"`,
		"/weir/fields":                                    `{"fields":[{"name":"log.level","type":"keyword","searchable":true,"aggregatable":true}]}`,
		"/weir/values?field=log.level&from=now-1h&to=now": `"distinct":2`,
		"/weir/info":                                      `"version":"test"`,
		"/weir/flow":                                      `no_flow`,
		"/weir/nowhere":                                   `no handler for GET /weir/nowhere`,
	} {
		if _, out := get(t, srv.URL+path); !strings.Contains(out, want) {
			t.Errorf("%s: %s, want %s", path, out, want)
		}
	}
	if _, out := post(t, srv.URL+"/weir/kql", `{"text":"log.level: e","cursor":12}`); !strings.Contains(out, `{"text":"ERROR","kind":"value","detail":"1"}`) || strings.Contains(out, "INFO") {
		t.Errorf("completion = %s", out)
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	req, _ := http.NewRequest("GET", srv.URL+"/", nil)
	req.Host = "evil.example"
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusMisdirectedRequest {
		t.Errorf("foreign host: %v %v", resp, err)
	}
	req, _ = http.NewRequest("POST", srv.URL+"/weir/explore", strings.NewReader("{}"))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	if resp, err := http.DefaultClient.Do(req); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("cross-site post: %v %v", resp, err)
	}
	if resp, _ := http.Post(srv.URL+"/weir/explore", "text/plain", strings.NewReader("{}")); resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain post: %d", resp.StatusCode)
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	resp, page := get(t, srv.URL+"/explore?q=x")
	csp := resp.Header.Get("Content-Security-Policy")
	_, rest, _ := strings.Cut(csp, "'nonce-")
	nonce, _, _ := strings.Cut(rest, "'")
	if nonce == "" || !strings.Contains(page, `content="`+nonce+`"`) {
		t.Errorf("nonce %q is not in the page", nonce)
	}
	_, again := get(t, srv.URL+"/explore?q=x")
	if again == page {
		t.Error("two answers carry the same nonce")
	}
	_, after, ok := strings.Cut(page, `src="./assets/`)
	if !ok {
		t.Fatalf("no script in %s", page)
	}
	name, _, _ := strings.Cut(after, `"`)
	resp, script := get(t, srv.URL+"/assets/"+name)
	if resp.StatusCode != 200 || len(script) < 1000 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") {
		t.Errorf("script: %d, %d bytes, %v", resp.StatusCode, len(script), resp.Header)
	}
	if resp, _ := get(t, srv.URL+"/assets/none.js"); resp.StatusCode != 404 {
		t.Errorf("missing asset: %d", resp.StatusCode)
	}
	if resp, _ := get(t, srv.URL+"/nothing"); resp.StatusCode != 404 {
		t.Errorf("unknown page: %d", resp.StatusCode)
	}
}

// TestTail: history first, then what passes the hub and matches; what both bring comes once.
func TestTail(t *testing.T) {
	t.Parallel()
	hub := live.NewHub()
	go hub.Run(t.Context())
	srv := newTestServer(t, hub)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(srv.URL, "http", "ws", 1)+"/weir/tail?index=logs-*&query=ERR", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	var m tailMessage
	read := func() {
		t.Helper()
		_, b, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		m = tailMessage{}
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
	}
	read()
	if !m.History || len(m.Rows) != 1 || m.Rows[0].Message != "hello" {
		t.Fatalf("history = %+v", m)
	}
	hub.Offer([]live.Doc{
		{Index: "logs-a", Source: []byte(`{"message":"ERR again","log":{"offset":5,"file":{"path":"/a.log"}},"weir":{"source":"00"}}`)}, // in the history already
		{Index: "metrics-a", Source: []byte(`{"message":"ERR elsewhere"}`)},
		{Index: "logs-a", Source: []byte(`{"message":"fine"}`)},
		{Index: "logs-a", Source: fmt.Appendf(nil, `{"message":"ERR new"}`)}})
	for len(m.Rows) == 0 || m.History {
		read()
	}
	if len(m.Rows) != 1 || m.Rows[0].Message != "ERR new" || m.Skipped != 0 {
		t.Fatalf("live = %+v", m)
	}
}

func TestJourney(t *testing.T) {
	t.Parallel()
	srv := newTestServer(t, nil)
	if _, out := get(t, srv.URL+"/weir/journey?index=logs-a&id=1"); !strings.Contains(out, `"name":"file"`) || !strings.Contains(out, `"why":"no_record"`) {
		t.Errorf("a journey without a queue: %s", out)
	}
	if resp, _ := get(t, srv.URL+"/weir/journey?index=logs-a"); resp.StatusCode != 400 {
		t.Errorf("no id: %d", resp.StatusCode)
	}
}
