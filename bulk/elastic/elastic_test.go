package elastic

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/bulk/bulktest"
	"github.com/weirlog/weir/ledger"
)

// cluster is a small real implementation of _bulk: documents by index and id, and whatever trouble a test asks for.
type cluster struct {
	mu      sync.Mutex
	docs    map[string]map[string]string // index, id, message
	auto    int
	maxBody int
	trouble []func(w http.ResponseWriter) bool // each is used once; true: it has answered
	busy    map[string]int                     // ids that answer 429 so many times
}

func newCluster() *cluster {
	return &cluster{docs: map[string]map[string]string{}, busy: map[string]int{}, maxBody: 1 << 30}
}

func (c *cluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.URL.Path == "/" {
		io.WriteString(w, `{"version":{"number":"2.19.0","distribution":"opensearch"}}`)
		return
	}
	in := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		in, _ = gzip.NewReader(r.Body)
	}
	body, _ := io.ReadAll(in)
	if len(c.trouble) > 0 {
		f := c.trouble[0]
		c.trouble = c.trouble[1:]
		if f(w) {
			return
		}
	}
	if len(body) > c.maxBody {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	lines := bytes.Split(bytes.TrimSpace(body), []byte{'\n'})
	var items []string
	bad := false
	for len(lines) > 0 && len(lines[0]) > 0 {
		var action map[string]struct {
			Index string `json:"_index"`
			ID    string `json:"_id"`
		}
		if err := json.Unmarshal(lines[0], &action); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		lines = lines[1:]
		for name, meta := range action {
			var doc []byte
			if name != "delete" {
				doc, lines = lines[0], lines[1:]
			}
			status, reason := c.apply(name, meta.Index, meta.ID, doc)
			bad = bad || status >= 300
			if reason != "" {
				items = append(items, fmt.Sprintf(`{%q:{"status":%d,"error":{"type":"document_parsing_exception","reason":%q}}}`, name, status, reason))
			} else {
				items = append(items, fmt.Sprintf(`{%q:{"status":%d}}`, name, status))
			}
		}
	}
	fmt.Fprintf(w, `{"errors":%t,"items":[%s]}`, bad, strings.Join(items, ","))
}

func (c *cluster) apply(action, index, id string, doc []byte) (status int, reason string) {
	if c.busy[id] > 0 {
		c.busy[id]--
		return 429, "queue is full"
	}
	if c.docs[index] == nil {
		c.docs[index] = map[string]string{}
	}
	if id == "" {
		c.auto++
		id = fmt.Sprint("auto", c.auto)
	}
	var d struct {
		N       json.RawMessage `json:"n"`
		Message string          `json:"message"`
	}
	if action != "delete" {
		if err := json.Unmarshal(doc, &d); err != nil {
			return 400, err.Error()
		}
	}
	if index == "strict" && strings.HasPrefix(string(d.N), `"`) {
		return 400, "failed to parse field [n] of type [long]"
	}
	_, there := c.docs[index][id]
	switch {
	case action == "create" && there:
		return 409, "version conflict"
	case action == "delete":
		delete(c.docs[index], id)
		return 200, ""
	}
	c.docs[index][id] = d.Message
	return 201, ""
}

func (c *cluster) messages(index string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []string
	for _, m := range c.docs[index] {
		out = append(out, m)
	}
	return out
}

func newClient(t *testing.T, c *cluster, cfg Config) *Client {
	t.Helper()
	srv := httptest.NewServer(c)
	t.Cleanup(srv.Close)
	cfg.Hosts = []string{srv.URL}
	cfg.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	cl, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return cl
}

func TestSuite(t *testing.T) {
	t.Parallel()
	bulktest.Test(t, func(t *testing.T) *bulktest.Fixture {
		c := newCluster()
		return &bulktest.Fixture{Writer: newClient(t, c, Config{BodyBytes: 20 << 10}), StrictIndex: "strict",
			Messages: func(_ *testing.T, index string) []string { return c.messages(index) }}
	})
}

// TestSuiteOnCluster runs the suite on the cluster named by WEIR_ELASTICSEARCH=http://host:port, which it must have for itself: on the
// index or data stream that the cluster makes as it comes, and on a data stream that a template asks for.
func TestSuiteOnCluster(t *testing.T) {
	host := os.Getenv("WEIR_ELASTICSEARCH")
	if host == "" {
		t.Skip("WEIR_ELASTICSEARCH names no cluster")
	}
	cl, err := New(Config{Hosts: []string{host}})
	if err != nil {
		t.Fatal(err)
	}
	const template = "/_index_template/weir-suite"
	clean := func() { // a template in use is not deleted
		cl.send(context.Background(), "DELETE", "/_data_stream/logs-a-default", nil)
		cl.send(context.Background(), "DELETE", template, nil)
	}
	clean() // what a run that was cut short has left
	t.Cleanup(clean)
	t.Run("as it comes", func(t *testing.T) { suiteOnCluster(t, host) })
	body := []byte(`{"index_patterns":["logs-a-*"],"data_stream":{},"priority":500}`)
	if status, b, err := cl.send(t.Context(), "PUT", template, body); err != nil || status != http.StatusOK {
		t.Fatalf("create template: %d %s %v", status, b, err)
	}
	t.Run("data stream", func(t *testing.T) {
		suiteOnCluster(t, host)
		if status, b, err := cl.send(t.Context(), "GET", "/_data_stream/logs-a-default", nil); err != nil || status != http.StatusOK {
			t.Errorf("the suite made no data stream: %d %s %v", status, b, err)
		}
	})
}

func suiteOnCluster(t *testing.T, host string) {
	bulktest.Test(t, func(t *testing.T) *bulktest.Fixture {
		cl, err := New(Config{Hosts: []string{host}})
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/plain", "/strict", "/_data_stream/logs-a-default", "/logs-a-default"} {
			cl.send(t.Context(), "DELETE", path, nil) // those that are not there answer 404
		}
		if status, b, err := cl.send(t.Context(), "PUT", "/strict", []byte(`{"mappings":{"properties":{"n":{"type":"long"}}}}`)); err != nil || status != 200 {
			t.Fatalf("create index: %d %s %v", status, b, err)
		}
		return &bulktest.Fixture{Writer: cl, StrictIndex: "strict", Messages: func(t *testing.T, index string) []string {
			cl.send(t.Context(), "POST", "/"+index+"/_refresh", nil)
			_, b, err := cl.send(t.Context(), "POST", "/"+index+"/_search?size=10000&filter_path=hits.hits._source.message", nil)
			if err != nil {
				t.Fatal(err)
			}
			var answer struct {
				Hits struct {
					Hits []struct {
						Source struct{ Message string } `json:"_source"`
					}
				}
			}
			if err := json.Unmarshal(b, &answer); err != nil {
				t.Fatal(err)
			}
			var out []string
			for _, h := range answer.Hits.Hits {
				out = append(out, h.Source.Message)
			}
			return out
		}}
	})
}

func origins(n int) (b bulk.Batch) {
	src := ledger.NewSource(time.Now())
	for i := range n {
		b.Ops = append(b.Ops, bulk.Op{Index: "logs-a-default", Source: fmt.Appendf(nil, `{"message":"line %d"}`, i)})
		b.Origins = append(b.Origins, bulk.Origin{Range: ledger.Range{Source: src, From: int64(i), To: int64(i + 1)}, N: 1})
	}
	return b
}

// TestTrouble: whatever heals by itself is repeated, and what was written once stays single.
func TestTrouble(t *testing.T) {
	t.Parallel()
	answer := func(status int) func(http.ResponseWriter) bool {
		return func(w http.ResponseWriter) bool { w.WriteHeader(status); return true }
	}
	for name, trouble := range map[string]func(http.ResponseWriter) bool{
		"429": answer(429), "503": answer(503), "500": answer(500), "404": answer(404),
		"not JSON":   func(w http.ResponseWriter) bool { io.WriteString(w, "<html>"); return true },
		"short":      func(w http.ResponseWriter) bool { io.WriteString(w, `{"errors":true,"items":[]}`); return true },
		"connection": func(w http.ResponseWriter) bool { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster()
			c.trouble = []func(http.ResponseWriter) bool{trouble, trouble}
			cl := newClient(t, c, Config{})
			if r, err := cl.Write(t.Context(), origins(50)); err != nil || len(r) != 0 {
				t.Fatalf("%v %v", r, err)
			}
			if got := c.messages("logs-a-default"); len(got) != 50 {
				t.Fatalf("%d documents", len(got))
			}
			if cl.Retries() == 0 {
				t.Error("nothing was counted as sent again")
			}
		})
	}
}

// TestAnswerLost: the cluster wrote, the answer did not come: the same ids are sent again and conflict.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	c := newCluster()
	cl := newClient(t, c, Config{})
	b := origins(20)
	for range 3 {
		if r, err := cl.Write(t.Context(), b); err != nil || len(r) != 0 {
			t.Fatalf("%v %v", r, err)
		}
	}
	if got := c.messages("logs-a-default"); len(got) != 20 || cl.Conflicts() != 0 {
		t.Fatalf("%d documents, %d conflicts", len(got), cl.Conflicts())
	}
}

func TestBusyItemsGoAgainAlone(t *testing.T) {
	t.Parallel()
	c := newCluster()
	b := origins(10)
	c.busy[string(appendID(nil, b.Origins[3]))] = 2
	if r, err := newClient(t, c, Config{}).Write(t.Context(), b); err != nil || len(r) != 0 {
		t.Fatalf("%v %v", r, err)
	}
	if got := c.messages("logs-a-default"); len(got) != 10 {
		t.Fatalf("%d documents", len(got))
	}
}

// TestTooLarge: a body that is refused is halved; one document that is too large alone is rejected.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	c := newCluster()
	c.maxBody = 2000
	b := origins(100)
	b.Ops[7].Source = fmt.Appendf(nil, `{"message":%q}`, strings.Repeat("x", 5000))
	r, err := newClient(t, c, Config{NoCompression: true}).Write(t.Context(), b)
	if err != nil || len(r) != 1 || r[0].Op != 7 || r[0].Status != 413 {
		t.Fatalf("%+v %v", r, err)
	}
	if got := c.messages("logs-a-default"); len(got) != 99 {
		t.Fatalf("%d documents", len(got))
	}
}

func TestLoginRefused(t *testing.T) {
	t.Parallel()
	c := newCluster()
	c.trouble = []func(http.ResponseWriter) bool{func(w http.ResponseWriter) bool {
		w.WriteHeader(401)
		io.WriteString(w, `{"error":{"type":"security_exception","reason":"missing authentication credentials"},"status":401}`)
		return true
	}}
	_, err := newClient(t, c, Config{}).Write(t.Context(), origins(1))
	var denied *deniedError
	if !errors.As(err, &denied) || !strings.Contains(err.Error(), "missing authentication") {
		t.Fatalf("err = %v", err)
	}
}

func TestPingAndConfig(t *testing.T) {
	t.Parallel()
	cl := newClient(t, newCluster(), Config{})
	if who, err := cl.Ping(t.Context()); err != nil || who != "opensearch 2.19.0" {
		t.Fatalf("%q %v", who, err)
	}
	for _, hosts := range [][]string{nil, {"localhost:9200"}, {"ftp://x"}} {
		if _, err := New(Config{Hosts: hosts}); err == nil {
			t.Errorf("hosts %v were accepted", hosts)
		}
	}
}

func TestIDDependsOnOriginOnly(t *testing.T) {
	t.Parallel()
	src, _ := ledger.ParseSource("0191a5b3c4d500112233445566778899")
	o := bulk.Origin{Range: ledger.Range{Source: src, From: 300, To: 401}, N: 1}
	id := string(appendID(nil, o))
	if len(id) != idLen || !strings.HasPrefix(id, "AZGls8TV") {
		t.Errorf("id %q", id)
	}
	longer := o
	longer.Range.To = 500
	if string(appendID(nil, longer)) != id {
		t.Error("the end of the range changes the id")
	}
	second := o
	second.K = 1
	if string(appendID(nil, second)) == id {
		t.Error("two documents of one record share an id")
	}
}
