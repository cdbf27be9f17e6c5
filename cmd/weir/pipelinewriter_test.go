package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestElasticsearchOutputOverTLS runs a configuration against a cluster with a certificate of its own, below a path, with a key.
func TestElasticsearchOutputOverTLS(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var requests []string
	cluster := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		requests = append(requests, fmt.Sprintf("%s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), body))
		io.WriteString(w, `{"errors":false,"items":[{"index":{"status":201}}]}`)
	}))
	defer cluster.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cluster.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(cluster.URL, "https://")
	text := fmt.Sprintf(`input { generator { count => 1 message => "hello" } } filter { prune { whitelist_names => ["^message$"] } }
output { elasticsearch { hosts => [%q] ssl_enabled => true ssl_certificate_authorities => [%q] path => "/es/" api_key => "id:key" index => "x" document_id => "1"
  compression_level => 0 proxy => "" } }`, addr, ca)
	if code, out := weirCommand(t, "pipeline", "-e", text); code != 0 {
		t.Fatalf("%d %s", code, out)
	}
	mu.Lock()
	defer mu.Unlock()
	want := "POST /es/_bulk ApiKey aWQ6a2V5 {\"index\":{\"_index\":\"x\",\"_id\":\"1\"}}\n{\"message\":\"hello\"}\n"
	if len(requests) != 1 || requests[0] != want {
		t.Errorf("requests %q, want %q", requests, want)
	}
}

func TestWithScheme(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		host string
		tls  bool
		want string
	}{
		{"a", false, "http://a:9200"}, {"a:1", true, "https://a:1"}, {"https://a/", false, "https://a:9200"}, {"http://u:p@a:5/", true, "http://u:p@a:5"}, {"::1", false, "http://::1"},
		{"[::1]", true, "https://[::1]:9200"},
	} {
		if got := withScheme(tt.host, tt.tls); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.host, got, tt.want)
		}
	}
}
