package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// settled is a store with one data stream, one index of its own and one policy; it keeps what it was asked to change.
type settled struct{ asked []string }

func (s *settled) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.Method != "GET" {
		s.asked = append(s.asked, r.Method+" "+r.URL.Path+" "+strings.TrimSpace(string(body)))
		io.WriteString(w, `{"acknowledged":true}`)
		return
	}
	switch {
	case strings.HasPrefix(r.URL.Path, "/_cat/indices"):
		io.WriteString(w, `[{"index":".ds-logs-a-1","health":"green","docs.count":"7","store.size":"900"},{"index":"weir-ui","health":"yellow","docs.count":"1","store.size":"9"}]`)
	case r.URL.Path == "/_data_stream":
		io.WriteString(w, `{"data_streams":[{"name":"logs-a","indices":[{"index_name":".ds-logs-a-1"}]}]}`)
	case strings.HasSuffix(r.URL.Path, "/_ilm/explain"):
		io.WriteString(w, `{"indices":{".ds-logs-a-1":{"policy":"logs"}}}`)
	case strings.HasPrefix(r.URL.Path, "/_ilm/policy"):
		io.WriteString(w, `{"logs":{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_age":"1d"}}},"delete":{"min_age":"30d","actions":{"delete":{}}}}}}}`)
	default:
		io.WriteString(w, `{"cluster_name":"c","version":{"number":"3.1.0","distribution":"opensearch"}}`)
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	store := &settled{}
	s, err := New(Config{Store: store})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	_, out := get(t, srv.URL+"/weir/indices")
	for _, want := range []string{`"stream":"logs-a","docs":7,"bytes":900`, `"policy":"logs"`, `"delete_after":"30d"`, `"distribution":"opensearch"`} {
		if !strings.Contains(out, want) {
			t.Errorf("indices: %s lacks %s", out, want)
		}
	}
	for _, name := range []string{"logs-*", "_all", "weir-ui", "a,b"} {
		if status, _ := do(t, "DELETE", srv.URL+"/weir/indices/"+name, ""); status != 400 {
			t.Errorf("delete %s: %d", name, status)
		}
	}
	if status, out := do(t, "DELETE", srv.URL+"/weir/indices/old-1", ""); status != 200 {
		t.Errorf("delete: %d %s", status, out)
	}
	if status, out := do(t, "PUT", srv.URL+"/weir/retention/logs", `{"delete_after":"7d","index":"logs-*"}`); status != 200 {
		t.Errorf("retention: %d %s", status, out)
	}
	asked := strings.Join(store.asked, "\n")
	for _, want := range []string{"DELETE /old-1", `"min_age":"7d"`, `"rollover":{"max_age":"1d"}`, `PUT /logs-*/_settings {"index":{"lifecycle":{"name":"logs"}}}`} {
		if !strings.Contains(asked, want) {
			t.Errorf("asked %s, want %s", asked, want)
		}
	}
	if status, _ := do(t, "POST", srv.URL+"/weir/check", `{"name":"a.conf","text":""}`); status != 501 {
		t.Errorf("no checker: %d", status)
	}
}
