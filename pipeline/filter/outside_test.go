package filter

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirlog/weir/event"
)

// run sends one event through a filter and gives it as JSON, with its metadata behind it.
func run(t *testing.T, conf, in string) string {
	t.Helper()
	return through(t, build(t, conf), in)
}

func through(t *testing.T, f Filter, in string) string {
	t.Helper()
	b := event.NewBatch(true)
	e := b.New(0)
	if err := b.DecodeObject(e, in); err != nil {
		t.Fatal(err)
	}
	f.Filter(e)
	return string(e.AppendMetaJSON(append(e.AppendJSON(nil), ' ')))
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		user, pass, _ := r.BasicAuth()
		switch r.URL.Path {
		case "/json":
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprintf(w, `{"q":%q,"verb":%q,"body":%q,"h":%q,"u":%q}`, r.URL.RawQuery, r.Method, body, r.Header.Get("X-A"), user+":"+pass)
		case "/bad":
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, "{nope")
		case "/500":
			http.Error(w, "no", http.StatusInternalServerError)
		default:
			io.WriteString(w, "plain")
		}
	}))
	t.Cleanup(srv.Close)
	common := ` target_headers => "[@metadata][h]" target_body => "r" remove_field => ["[@metadata][h]"]`
	got := run(t, `http { url => "`+srv.URL+`/%{path}" verb => "POST" body => { "a" => "%{n}" } body_format => "json" query => { "q" => "%{n} x" } headers => { "X-A" => "%{n}" } user => "u" password => "p"`+common+` }`, `{"path":"json","n":5}`)
	if !strings.HasPrefix(got, `{"path":"json","n":5,"r":{"q":"q=5+x","verb":"POST","body":"{\"a\":\"5\"}","h":"5","u":"u:p"}}`) {
		t.Error(got)
	}
	f := build(t, `http { url => "`+srv.URL+`/%{path}" body => "text %{n}" verb => "PUT"`+common+` }`)
	for in, out := range map[string]string{`{"path":"x"}`: `{"path":"x","r":"plain"} {"h":`, `{"path":"bad"}`: `{"path":"bad","r":"{nope","tags":["_jsonparsefailure"]} {"h":`,
		`{"path":"500"}`: `{"path":"500","tags":["_httprequestfailure"]} {}`} {
		if got := through(t, f, in); !strings.HasPrefix(got, out) {
			t.Errorf("%s gave %s", in, got)
		}
	}
	srv.Close()
	for range breakAfter + 1 {
		want(t, through(t, f, `{"path":"x"}`), `{"path":"x","tags":["_httprequestfailure"]} {}`)
	}
	if !f.(*httpFilter).breaker.open() {
		t.Error("the breaker is closed after many failures")
	}
}

func TestElasticsearch(t *testing.T) {
	t.Parallel()
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = r.URL.String() + " " + r.Header.Get("Authorization") + " " + string(body)
		if strings.Contains(r.URL.Path, "none") {
			io.WriteString(w, `{"hits":{"hits":[]}}`)
			return
		}
		if strings.Contains(r.URL.Path, "bad") {
			http.Error(w, "x", http.StatusBadRequest)
			return
		}
		io.WriteString(w, `{"hits":{"hits":[{"_id":"7","_source":{"a":{"b":1},"c":"x"}},{"_id":"8","_source":{"c":"y"}}]},"aggregations":{"m":{"value":2}}}`)
	}))
	t.Cleanup(srv.Close)
	tpl := filepath.Join(t.TempDir(), "q.json")
	os.WriteFile(tpl, []byte(`{"query":{"term":{"id":"%{id}"}}}`), 0o600)
	got := run(t, `elasticsearch { hosts => ["`+srv.URL+`"] index => "logs-%{id}" query => "id:%{id}" fields => { "c" => "[f][c]" "[a][b]" => "b" } docinfo_fields => { "_id" => "doc" } aggregation_fields => { "m" => "agg" } api_key => "i:k" }`, `{"id":3}`)
	want(t, got, `{"id":3,"agg":{"value":2},"f":{"c":["x","y"]},"b":[1],"doc":["7","8"]} {}`)
	want(t, asked, "/logs-3/_search?ignore_unavailable=true&q=id%3A3&size=1&sort=%40timestamp%3Adesc ApiKey aTpr ")
	f := build(t, `elasticsearch { hosts => ["`+srv.URL+`"] index => "%{i}" query_template => "`+tpl+`" fields => { "c" => "c" } target => "t" add_tag => ["hit"] }`)
	want(t, through(t, f, `{"i":"none","id":"q"}`), `{"i":"none","id":"q"} {}`)
	want(t, asked, `/none/_search?ignore_unavailable=true  {"query":{"term":{"id":"q"}}}`)
	want(t, through(t, f, `{"i":"bad"}`), `{"i":"bad","tags":["_elasticsearch_lookup_failure"]} {}`)
	want(t, through(t, f, `{"i":"x"}`), `{"i":"x","t":{"c":["x","y"]}} {}`)
}

// nameServer answers A questions for a.test with 10.0.0.1, PTR ones with a.test, says no to others and is silent about slow.test.
func nameServer(t *testing.T) string {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			if out := dnsAnswer(buf[:n]); out != nil {
				c.WriteTo(out, from)
			}
		}
	}()
	return c.LocalAddr().String()
}

func dnsAnswer(q []byte) []byte {
	end := 12
	for q[end] != 0 {
		end += int(q[end]) + 1
	}
	name, typ := string(q[12:end]), binary.BigEndian.Uint16(q[end+1:])
	if strings.Contains(name, "slow") {
		return nil
	}
	out := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, q[12:end+5]...)
	data := []byte(nil)
	switch {
	case strings.HasPrefix(name, "\x01a\x04test") && typ == 1:
		data = []byte{10, 0, 0, 1}
	case strings.HasPrefix(name, "\x01a\x04test"):
		return out
	case typ == 12:
		data = []byte("\x01a\x04test\x00")
	default:
		out[3] |= 3
		return out
	}
	out[7] = 1
	out = append(out, 0xc0, 12, 0, byte(typ), 0, 1, 0, 0, 0, 60, 0, byte(len(data)))
	return append(out, data...)
}

func TestDNS(t *testing.T) {
	t.Parallel()
	server := nameServer(t)
	hosts := filepath.Join(t.TempDir(), "hosts")
	os.WriteFile(hosts, []byte("10.9.9.9 known.test alias # c\n"), 0o600)
	f := build(t, `dns { resolve => ["n"] reverse => ["ip"] nameserver => "`+server+`" hostsfile => ["`+hosts+`"] hit_cache_size => 10 failed_cache_size => 10 timeout => 0.2 max_retries => 0 add_tag => ["ok"] }`)
	for _, tt := range [][2]string{
		{`{"n":"a.test.","ip":"10.0.0.1"}`, `{"n":["a.test.","10.0.0.1"],"ip":["10.0.0.1","a.test"]} {}`},
		{`{"n":"alias","ip":"10.9.9.9"}`, `{"n":["alias","10.9.9.9"],"ip":["10.9.9.9","known.test"]} {}`},
		{`{"n":"gone.test.","ip":"10.0.0.1"}`, `{"n":"gone.test.","ip":"10.0.0.1"} {}`},
		{`{"n":"slow.test.","ip":"10.0.0.1"}`, `{"n":"slow.test.","ip":"10.0.0.1","tags":["_dnstimeout"]} {}`},
		{`{"n":"slow.test.","ip":"10.0.0.1"}`, `{"n":"slow.test.","ip":"10.0.0.1"} {}`}, // the failure is remembered
		{`{"n":5}`, `{"n":5} {}`},
	} {
		want(t, through(t, f, tt[0]), tt[1])
	}
	want(t, run(t, `dns { reverse => ["ip"] action => "replace" nameserver => { address => ["`+server+`"] search => ["test"] } }`, `{"ip":"10.0.0.7"}`), `{"ip":"a.test"} {}`)
}
