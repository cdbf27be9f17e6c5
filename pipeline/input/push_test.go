package input

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/lumberjack"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// pushed is an input that runs, and the events it made.
type pushed struct {
	addr string
	stop func() error

	mu     sync.Mutex
	events []string // JSON of the fields, a blank, JSON of the metadata; ports are P
	more   chan struct{}
	refuse error // of emit
}

// push runs the input of a configuration.
func push(t *testing.T, text string, ecs bool) *pushed {
	t.Helper()
	if !ecs {
		text = strings.Replace(text, "{", `{ ecs_compatibility => "disabled" `, 1)
	}
	addrs := make(chan net.Addr, 4)
	env := &Env{Listening: func(_ string, a net.Addr) { addrs <- a }}
	in, errs := build(t, text, env)
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := &pushed{more: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	d := decoderOf(t, text, env)
	go func() { ended <- in.Run(ctx, func(c Chunk) error { return p.take(in, d, c) }) }()
	select {
	case a := <-addrs:
		p.addr = a.String()
	case err := <-ended:
		t.Fatal(err)
	}
	p.stop = sync.OnceValue(func() error { cancel(); return <-ended })
	t.Cleanup(func() { p.stop() })
	return p
}

// decoderOf is what a worker decodes the input's records with.
func decoderOf(t *testing.T, text string, env *Env) Decoder {
	t.Helper()
	f, errs := conf.Parse("t.conf", "input { "+text+" }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	pl := f.Sections[0].Body[0].(*conf.Plugin)
	spec := Find(pl.Name)
	a := plugin.Read(pl, append(append([]plugin.Option{}, spec.Options...), plugin.InputOptions...), &errs)
	c := codec.New(a, &env.Env, spec.Codec, codec.In)
	if spec.Decode == nil {
		return plainDecoder{c}
	}
	return spec.Decode(a, &env.Env, c)
}

type plainDecoder struct{ c codec.Codec }

func (d plainDecoder) DecodeRecord(b *event.Batch, ref uint32, _ *queue.Record, data string) {
	d.c.Decode(b, ref, data)
}

var ports = regexp.MustCompile(`127\.0\.0\.1:[0-9]+|"port":[0-9]+`)

func (p *pushed) take(in Input, d Decoder, c Chunk) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.refuse != nil {
		return p.refuse
	}
	b := event.NewBatch(false)
	for i := range c.Records {
		from := len(b.Events)
		d.DecodeRecord(b, uint32(i), &c.Records[i], string(c.Records[i].Value))
		for _, e := range b.Events[from:] {
			in.(Decorator).Decorate(e, &c.Records[i])
			s := string(e.AppendJSON(nil)) + " " + string(e.AppendMetaJSON(nil))
			p.events = append(p.events, ports.ReplaceAllString(s, "P"))
		}
	}
	select {
	case p.more <- struct{}{}:
	default:
	}
	return nil
}

func (p *pushed) wait(t *testing.T, n int) []string {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		p.mu.Lock()
		got := p.events
		p.mu.Unlock()
		if len(got) >= n {
			return got
		}
		select {
		case <-p.more:
		case <-deadline:
			t.Fatalf("%d events of %d: %q", len(got), n, got)
		}
	}
}

func (p *pushed) expect(t *testing.T, want ...string) {
	t.Helper()
	got := p.wait(t, len(want))
	for i, w := range want {
		if got[i] != w {
			t.Errorf("event %d\n got %s\nwant %s", i, got[i], w)
		}
	}
}

func TestBeats(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		conf string
		ecs  bool
		want []string
	}{
		{`beats { port => 0 }`, true, []string{
			`{"message":"{\"n\":1}","host":{"name":"vm"},"@timestamp":"2026-01-05T11:00:00.000Z","tags":["a","beats_input_codec_plain_applied"]} {"beat":"filebeat","input":{"beats":{"host":{"ip":"127.0.0.1"}}}}`,
			`{"x":1,"tags":["beats_input_raw_event"]} {"input":{"beats":{"host":{"ip":"127.0.0.1"}}}}`,
			`{"message":"[]","tags":["_jsonparsefailure"]} {"input":{"beats":{"host":{"ip":"127.0.0.1"}}}}`}},
		{`beats { port => 0 codec => json include_codec_tag => false enrich => [none] }`, false, []string{
			`{"n":1,"host":{"name":"vm"},"tags":["a"],"@timestamp":"2026-01-05T11:00:00.000Z"} {"beat":"filebeat"}`,
			`{"x":1} {}`, `{"message":"[]","tags":["_jsonparsefailure"]} {}`}},
		{`beats { port => 0 enrich => source_metadata }`, false, []string{
			`{"message":"{\"n\":1}","host":{"name":"vm"},"@timestamp":"2026-01-05T11:00:00.000Z","tags":["a"]} {"beat":"filebeat","ip_address":"127.0.0.1"}`}},
	} {
		p := push(t, tc.conf, tc.ecs)
		conn, err := net.Dial("tcp", p.addr)
		if err != nil {
			t.Fatal(err)
		}
		cl, _ := lumberjack.NewClient(conn, lumberjack.ClientConfig{Level: 3})
		events := [][]byte{[]byte(`{"@timestamp":"2026-01-05T11:00:00.000Z","@metadata":{"beat":"filebeat"},"message":"{\"n\":1}","host":{"name":"vm"},"tags":["a"]}`), []byte(`{"x":1}`), []byte(`[]`)}
		if err := cl.Send(events); err != nil {
			t.Fatal(err)
		}
		if n, err := cl.Await(3, nil); n != 3 || err != nil {
			t.Errorf("acked %d, %v", n, err)
		}
		got := p.wait(t, 3)
		for i, w := range tc.want {
			if !sameJSON(got[i], w) {
				t.Errorf("%s: event %d\n got %s\nwant %s", tc.conf, i, got[i], w)
			}
		}
		// What is not taken is not acknowledged.
		p.mu.Lock()
		p.refuse = errors.New("full")
		p.mu.Unlock()
		cl.Send(events)
		if n, err := cl.Await(3, nil); n != 0 || err == nil {
			t.Errorf("acked %d, %v", n, err)
		}
		cl.Close()
		if err := p.stop(); err != nil {
			t.Error(err)
		}
	}
	if _, errs := build(t, `beats { port => 0 codec => multiline { pattern => "^ " what => previous } }`, &Env{}); len(errs) != 1 {
		t.Errorf("codec multiline: %v", errs)
	}
	if _, errs := build(t, `beats { port => 0 ssl_enabled => true }`, &Env{}); len(errs) != 1 || !strings.Contains(errs.Error(), "certificate") {
		t.Errorf("TLS without a certificate: %v", errs)
	}
}

// sameJSON compares two rows of objects, whatever the order of their members.
func sameJSON(a, b string) bool {
	norm := func(s string) string {
		batch := event.NewBatch(false)
		fields, meta, _ := strings.Cut(s, "} {")
		out := ""
		for _, text := range []string{fields + "}", "{" + meta} {
			e := batch.New(0)
			if batch.DecodeObject(e, text) != nil {
				return "broken: " + s
			}
			names := e.Names()
			for _, n := range sorted(names) {
				v, _ := e.Get(event.MustPath("[" + n + "]"))
				out += n + "=" + string(batch.AppendJSON(nil, v)) + ";"
			}
			if ns, ok := e.Timestamp(); ok {
				out += fmt.Sprint(ns)
			}
		}
		return out
	}
	return norm(a) == norm(b)
}

func sorted(l []string) []string {
	out := append([]string{}, l...)
	for i := range out {
		for j := i + 1; j < len(out); j++ {
			if out[j] < out[i] {
				out[i], out[j] = out[j], out[i]
			}
		}
	}
	return out
}

func TestSyslogInput(t *testing.T) {
	t.Parallel()
	const in = "<34>2026-01-05T11:00:00Z mymachine su[230]: 'su root' failed"
	for _, tc := range []struct {
		conf, in, want string
		ecs            bool
	}{
		{`syslog { port => 0 }`, in, `{"message":"'su root' failed","@timestamp":"2026-01-05T11:00:00.000Z","log":{"syslog":{"priority":34,"facility":{"code":4,"name":"security/authorization"},"severity":{"code":2,"name":"Critical"}}},"timestamp":"2026-01-05T11:00:00Z","host":{"hostname":"mymachine","ip":"127.0.0.1"},"process":{"name":"su","pid":230},"service":{"type":"system"}} {}`, true},
		{`syslog { port => 0 severity_labels => ["a","b","c"] facility_labels => ["x"] }`, in, `{"message":"'su root' failed","@timestamp":"2026-01-05T11:00:00.000Z","priority":34,"facility":4,"severity":2,"severity_label":"c","timestamp":"2026-01-05T11:00:00Z","logsource":"mymachine","program":"su","pid":"230","host":"127.0.0.1"} {}`, false},
		{`syslog { port => 0 use_labels => false }`, "hello", `{"message":"hello","tags":["_grokparsefailure_sysloginput"],"priority":13,"facility":1,"severity":5,"host":"127.0.0.1"} {}`, false},
	} {
		for _, network := range []string{"tcp", "udp"} {
			p := push(t, tc.conf, tc.ecs)
			var c net.Conn
			deadline := time.Now().Add(10 * time.Second)
			for len(p.snapshot()) == 0 && time.Now().Before(deadline) { // the two listen one after the other
				var err error
				if c, err = net.Dial(network, p.addr); err != nil {
					continue
				}
				fmt.Fprintln(c, tc.in)
				c.Close()
				if network == "tcp" {
					break
				}
				select {
				case <-p.more:
				case <-time.After(50 * time.Millisecond):
				}
			}
			if got := p.wait(t, 1)[0]; !sameJSON(got, tc.want) {
				t.Errorf("%s %s\n got %s\nwant %s", network, tc.conf, got, tc.want)
			}
			if err := p.stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

func (p *pushed) snapshot() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.events
}

func TestHTTPInput(t *testing.T) {
	t.Parallel()
	p := push(t, `http { port => 0 host => "127.0.0.1" user => "u" password => "p" response_code => 201 response_headers => { "X-A" => "b" } max_content_length => 60 }`, true)
	url := "http://u:p@" + p.addr + "/in?x=1"
	send := func(url, typ, enc string, body []byte) (int, string) {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
		req.Header.Set("Content-Type", typ)
		req.Header.Set("User-Agent", "test")
		req.Header.Del("Accept-Encoding")
		if enc != "" {
			req.Header.Set("Content-Encoding", enc)
		}
		resp, err := (&http.Client{Transport: &http.Transport{DisableCompression: true}}).Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode, resp.Header.Get("X-A")
	}
	var z bytes.Buffer
	zw := gzip.NewWriter(&z)
	zw.Write([]byte(`[{"a":2},{"a":3}]`))
	zw.Close()
	for _, tc := range []struct {
		url, typ, enc, body string
		code                int
	}{
		{url, "application/json", "", `{"a":1}`, 201}, {url, "application/json; charset=utf-8", "gzip", z.String(), 201}, {url, "text/plain", "", "hello", 201},
		{"http://" + p.addr, "text/plain", "", "x", 401}, {url, "text/plain", "", strings.Repeat("x", 61), 413}, {url, "text/plain", "gzip", "x", 400}, {url, "text/plain", "br", "x", 400},
	} {
		if code, head := send(tc.url, tc.typ, tc.enc, []byte(tc.body)); code != tc.code || code == 201 && head != "b" {
			t.Errorf("%+v: %d %s", tc, code, head)
		}
	}
	rest := func(typ string, n int, enc string) string {
		return fmt.Sprintf(`,"host":{"ip":"127.0.0.1"},"http":{"method":"POST","version":"HTTP/1.1","request":{"mime_type":"%s","body":{"bytes":"%d"}}},"user_agent":{"original":"test"},"url":{"path":"/in?x=1","domain":"127.0.0.1",P}} {"input":{"http":{"request":{"headers":{"request_method":"POST","request_path":"/in?x=1","http_version":"HTTP/1.1","http_host":"P","content_length":"%d"`, typ, n, n)
	}
	got := p.wait(t, 4)
	for i, want := range []string{`{"a":1` + rest("application/json", 7, ""), `{"a":2` + rest("application/json; charset=utf-8", 17, ""), `{"a":3` + rest("application/json; charset=utf-8", 17, ""), `{"message":"hello"` + rest("text/plain", 5, "")} {
		if !strings.HasPrefix(got[i], want) || strings.Contains(got[i], "authorization") {
			t.Errorf("event %d\n got %s\nwant %s", i, got[i], want)
		}
	}
	p.mu.Lock()
	p.refuse = errors.New("over")
	p.mu.Unlock()
	if code, _ := send(url, "text/plain", "", []byte("x")); code != http.StatusTooManyRequests {
		t.Errorf("refused: %d", code)
	}
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	legacy := push(t, `http { port => 0 additional_codecs => { "text/csv" => "line" } }`, false)
	if code, _ := send("http://"+legacy.addr+"/", "application/json", "", []byte(`{"a":1}`)); code != 200 {
		t.Errorf("%d", code)
	}
	if got := legacy.wait(t, 1)[0]; !strings.HasPrefix(got, `{"message":"{\"a\":1}","host":"127.0.0.1","headers":{"request_method":"POST"`) {
		t.Errorf("legacy %s", got)
	}
}

// TestTCPClient: with mode client the input reads what a server says, again after the connection broke.
func TestTCPClient(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		c, err := ln.Accept()
		if err == nil {
			fmt.Fprint(c, "one\ntwo\n")
			c.Close()
		}
	}()
	host, port, _ := net.SplitHostPort(ln.Addr().String())
	in, errs := build(t, fmt.Sprintf(`tcp { mode => client host => %q port => %s }`, host, port), &Env{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	got := ""
	err = in.Run(ctx, func(c Chunk) error {
		for _, r := range c.Records {
			got += string(r.Value) + "|"
		}
		if got == "one|two|" {
			cancel()
		}
		return nil
	})
	if err != nil || got != "one|two|" {
		t.Errorf("%q %v", got, err)
	}
}
