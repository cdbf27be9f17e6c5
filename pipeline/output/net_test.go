package output

import (
	"bufio"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// build makes the output a configuration describes, and its sink.
func build(t *testing.T, text string) (Renderer, Sink, conf.Errors) {
	t.Helper()
	f, errs := conf.Parse("t.conf", "output { "+text+" }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := f.Sections[0].Body[0].(*conf.Plugin)
	spec := Find(p.Name)
	env := &Env{Env: plugin.Env{Log: slog.New(slog.DiscardHandler), Now: time.Now, ECS: true}}
	a := plugin.Read(p, append(slices.Clone(spec.Options), plugin.OutputOptions...), &errs)
	r := spec.New(a, env, codec.New(a, &env.Env, spec.Codec, codec.Out))
	s, err := spec.Sink(a, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return r, s, errs.Faults()
}

// rendered is events, each with its number and a text, in a buffer.
func rendered(r Renderer, from, n int) *Buf {
	b := event.NewBatch(false)
	buf := &Buf{}
	for i := from; i < from+n; i++ {
		e := b.New(uint32(i - from))
		e.SetTimestamp(1767610800000 * 1e6)
		e.AddField("message", event.String(fmt.Sprintf("a & %d", i)))
		e.AddField("host", event.String("web\r\nX-Evil: 1"))
		r.Render(buf, e)
	}
	return buf
}

// site is a server that notes what it was sent and answers with the codes it is given, then 200.
type site struct {
	*httptest.Server
	mu    sync.Mutex
	got   []string
	codes []int
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		in, _ = gzip.NewReader(r.Body)
	}
	b, _ := io.ReadAll(in)
	user, _, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	code := 200
	if len(s.codes) > 0 {
		code, s.codes = s.codes[0], s.codes[1:]
	}
	if code == 200 || code == 404 || code == 409 {
		s.got = append(s.got, fmt.Sprintf("%s %s %s %q%s %s", r.Method, r.URL.RequestURI(), r.Header.Get("Content-Type"), r.Header.Get("X-H"), user, b))
	}
	w.WriteHeader(code)
}

func newSite(codes ...int) *site {
	s := &site{codes: codes}
	s.Server = httptest.NewServer(s)
	return s
}

const ev0 = `{"@timestamp":"2026-01-05T11:00:00.000Z","message":"a & 0","host":"web\r\nX-Evil: 1"}`

func TestHTTPFormats(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ options, want string }{
		{`http_method => post`, `POST /in application/json "" ` + ev0},
		{`http_method => put http_compression => true user => "u" password => "p"`, `PUT /in application/json ""u ` + ev0},
		{`http_method => post headers => { "X-H" => "%{host}" }`, `POST /in application/json "web  X-Evil: 1" ` + ev0},
		{`http_method => post format => form mapping => { "m" => "%{message}" "k" => "v" }`, `POST /in application/x-www-form-urlencoded "" m=a+%26+0&k=v`},
		{`http_method => post format => form`, `POST /in application/x-www-form-urlencoded "" %40timestamp=2026-01-05T11%3A00%3A00.000Z&message=a+%26+0&host=web%0D%0AX-Evil%3A+1`},
		{`http_method => post mapping => { "m" => "<%{message}>" }`, `POST /in application/json "" {"m":"<a & 0>"}`},
		{`http_method => post format => message message => "msg=%{message}" content_type => "text/x"`, `POST /in text/x "" msg=a & 0`},
		{`http_method => post format => json_batch`, `POST /in application/json "" [` + ev0 + `]`},
	} {
		s := newSite()
		defer s.Close()
		r, sink, errs := build(t, fmt.Sprintf(`http { url => "%s/in" %s }`, s.URL, tc.options))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if err := sink.Write(t.Context(), rendered(r, 0, 1)); err != nil {
			t.Error(err)
		}
		if len(s.got) != 1 || s.got[0] != tc.want {
			t.Errorf("%s\n got %q\nwant %q", tc.options, s.got, tc.want)
		}
	}
}

// TestHTTPRetries: what failed is sent again and only that; what the server refuses is given up.
func TestHTTPRetries(t *testing.T) {
	t.Parallel()
	s := newSite(503, 404, 200, 429, 409, 200)
	defer s.Close()
	r, sink, _ := build(t, fmt.Sprintf(`http { url => "%s/%%{message}" http_method => post pool_max => 1 ignorable_codes => [409] }`, s.URL))
	b := rendered(r, 0, 4)
	for tries := 0; sink.Write(t.Context(), b) != nil; tries++ {
		if tries > 3 {
			t.Fatal("it does not end")
		}
	}
	if len(b.Items) != 0 || len(s.got) != 4 {
		t.Errorf("%d items left, %d arrived: %q", len(b.Items), len(s.got), s.got)
	}
	for i, g := range s.got {
		if !strings.HasPrefix(g, fmt.Sprintf("POST /a%%20&%%20%d ", i)) {
			t.Errorf("request %d: %s", i, g)
		}
	}

	many := newSite(500, 500, 500)
	defer many.Close()
	r, sink, _ = build(t, fmt.Sprintf(`http { url => "%s" http_method => post }`, many.URL))
	b = rendered(r, 0, 100)
	if err := sink.Write(t.Context(), b); err == nil || len(b.Items) != 3 {
		t.Errorf("%d items are to be sent again, %v", len(b.Items), err)
	}
	if err := sink.Write(t.Context(), b); err != nil || len(many.got) != 100 {
		t.Errorf("%d arrived, %v", len(many.got), err)
	}

	off := newSite(500)
	defer off.Close()
	r, sink, _ = build(t, fmt.Sprintf(`http { url => "%s" http_method => post retry_failed => false }`, off.URL))
	if err := sink.Write(t.Context(), rendered(r, 0, 1)); err != nil || len(off.got) != 0 {
		t.Errorf("%v %q", err, off.got)
	}

	down := newSite()
	down.Close()
	r, sink, _ = build(t, fmt.Sprintf(`http { url => "%s" http_method => post }`, down.URL))
	if err := sink.Write(t.Context(), rendered(r, 0, 1)); err == nil {
		t.Error("a server that is down takes events")
	}
}

func TestHTTPFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`http { url => "ftp://x" http_method => post }`:                              "is no address",
		`http { url => "http://x" http_method => post format => message }`:           "needs the option message",
		`http { url => "http://x/%{a}" http_method => post format => json_batch }`:   "the same for all events",
		`http { url => "http://x" http_method => post retryable_codes => ["many"] }`: "is no status",
		`http { url => "http://x" http_method => post cacert => "/nowhere" }`:        "nowhere",
	} {
		if _, _, errs := build(t, text); len(errs) == 0 || !strings.Contains(errs.Error(), want) {
			t.Errorf("%s: %v, want %q", text, errs, want)
		}
	}
}

// TestTCP: lines arrive, over TLS too, and a connection that the other side closed is made again.
func TestTCP(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(nil) // for its certificate
	web.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.TLS.Certificates[0].Certificate[0]}))
	for _, secure := range []bool{false, true} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		more := ""
		if secure {
			ln = tlsListener(ln, web)
			more = fmt.Sprintf("ssl_enabled => true ssl_certificate_authorities => [%q]", ca)
			more = strings.ReplaceAll(more, `\n`, "\n")
		}
		lines, closed := make(chan string, 100), make(chan struct{}, 10)
		go func() { // each connection takes two lines
			for {
				c, err := ln.Accept()
				if err != nil {
					return
				}
				in := bufio.NewScanner(c)
				for range 2 {
					if in.Scan() {
						lines <- in.Text()
					}
				}
				c.Close()
				closed <- struct{}{}
			}
		}()
		r, sink, errs := build(t, fmt.Sprintf(`tcp { host => "127.0.0.1" port => %s %s }`, port, more))
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		for i := range 3 {
			if err := sink.Write(t.Context(), rendered(r, 2*i, 2)); err != nil {
				t.Fatal(err)
			}
			for k := range 2 {
				if got, want := <-lines, strings.Replace(ev0, "a & 0", fmt.Sprintf("a & %d", 2*i+k), 1); got != want {
					t.Errorf("secure %v: got %s want %s", secure, got, want)
				}
			}
			<-closed
			if s := sink.(*tcpSink); s.c != nil {
				<-s.gone // the end has arrived
			}
		}
	}
	_, sink, _ := build(t, `tcp { host => "127.0.0.1" port => 1 }`)
	if err := sink.Write(context.Background(), &Buf{Data: []byte("x"), Items: []Item{{To: 1}}}); err == nil {
		t.Error("nobody listens, and the events are taken")
	}
}

// tlsListener speaks TLS with the certificate of a test server.
func tlsListener(ln net.Listener, web *httptest.Server) net.Listener {
	return tls.NewListener(ln, &tls.Config{Certificates: web.TLS.Certificates})
}

func TestUDP(t *testing.T) {
	t.Parallel()
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	_, port, _ := net.SplitHostPort(pc.LocalAddr().String())
	r, sink, errs := build(t, fmt.Sprintf(`udp { host => "127.0.0.1" port => "%s" codec => plain { format => "<%%{message}>" } }`, port))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	buf := rendered(r, 0, 2)
	buf.Items = append(buf.Items, Item{From: 0, To: 0, Target: "no address"})
	if err := sink.Write(t.Context(), buf); err != nil || len(buf.Items) != 0 {
		t.Errorf("%d items left, %v", len(buf.Items), err)
	}
	b := make([]byte, 100)
	for i := range 2 {
		pc.SetReadDeadline(time.Now().Add(10 * time.Second))
		n, _, err := pc.ReadFrom(b)
		if want := fmt.Sprintf("<a & %d>", i); err != nil || string(b[:n]) != want {
			t.Errorf("%q %v, want %s", b[:n], err, want)
		}
	}
}
