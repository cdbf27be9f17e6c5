package elastic

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
)

// registry is the part of a cluster that templates and aliases are put into; it notes every request.
type registry struct {
	mu   sync.Mutex
	have map[string]string
	log  []string
	down int // requests that answer 503
}

func (r *registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, _ := io.ReadAll(req.Body)
	r.log = append(r.log, req.Method+" "+req.URL.Path)
	if r.down > 0 {
		r.down--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	switch req.Method {
	case "POST": // _bulk
		r.log[len(r.log)-1] += " " + req.Header.Get("X-Who") + " " + strings.SplitN(string(body), "\n", 2)[0]
		io.WriteString(w, `{"errors":true,"items":[{"index":{"status":422,"error":{"type":"odd","reason":"very"}}}]}`)
	case "PUT":
		r.have[req.URL.Path] = string(body)
	default:
		if _, ok := r.have[req.URL.Path]; !ok {
			w.WriteHeader(http.StatusNotFound)
		}
	}
}

func TestSetup(t *testing.T) {
	t.Parallel()
	r := &registry{have: map[string]string{"/_index_template/kept": "old"}, down: 1}
	s := httptest.NewServer(r)
	defer s.Close()
	client := func(setup *Setup) *Client {
		c, err := New(Config{Hosts: []string{s.URL}, Setup: setup, Refuse: []int{422}, NoCompression: true, Headers: map[string]string{"X-Who": "weir"},
			pause: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := client(&Setup{Name: "kept", Template: []byte(`{"new":1}`), Alias: "web", Pattern: "{now/d}-000001", Policy: defaultPolicy})
	op := bulk.Op{Action: bulk.Index, Index: "web", ID: "1", Source: []byte(`{}`), Extra: &bulk.Extra{Pipeline: "p", Version: 7, VersionType: "external", Retries: 3}}
	for range 2 {
		rejected, err := c.Write(t.Context(), bulk.Batch{Ops: []bulk.Op{op}})
		if err != nil || len(rejected) != 1 || rejected[0].Status != 422 {
			t.Fatalf("rejected %v, %v", rejected, err)
		}
	}
	bulkLine := `POST /_bulk weir {"index":{"_index":"web","_id":"1","pipeline":"p","version":7,"version_type":"external"}}`
	want := []string{"GET /_index_template/kept", "GET /_index_template/kept", "GET /_ilm/policy/logstash-policy", "PUT /_ilm/policy/logstash-policy",
		"GET /_index_template/web-rollover", "PUT /_index_template/web-rollover", "HEAD /_alias/web", "PUT /<web-{now/d}-000001>", bulkLine, bulkLine}
	if got := strings.Join(r.log, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("requests\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if r.have["/_index_template/kept"] != "old" || !strings.Contains(r.have["/<web-{now/d}-000001>"], `{"aliases":{"web":{"is_write_index":true}}}`) {
		t.Errorf("the cluster has %v", r.have)
	}
	if err := (&Setup{Name: "kept", Template: []byte(`{"new":1}`), Overwrite: true}).Apply(t.Context(), c.send); err != nil || r.have["/_index_template/kept"] != `{"new":1}` {
		t.Errorf("overwritten: %v, %v", r.have["/_index_template/kept"], err)
	}
	if err := (&Setup{Name: "old", Template: []byte(`{}`), Legacy: true}).Apply(t.Context(), c.send); err != nil || r.have["/_template/old"] != `{}` {
		t.Errorf("legacy: %v", err)
	}
}
