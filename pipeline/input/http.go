package input

import (
	"compress/gzip"
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var httpOptions = append([]plugin.Option{
	{Name: "port", Kind: plugin.Number, Default: "8080", Doc: "Port to listen on."},
	{Name: "host", Doc: "Address to listen on."},
	{Name: "user", Doc: "User that requests must name."},
	{Name: "password", Kind: plugin.Password, Doc: "Password of the user."},
	{Name: "additional_codecs", Kind: plugin.Hash, Doc: `Codecs by content type; without it { "application/json" => "json" }.`},
	{Name: "response_code", Kind: plugin.Number, Enum: []string{"200", "201", "202", "204"}, Default: "200", Doc: "Status of the answer."},
	{Name: "response_headers", Kind: plugin.Hash, Doc: "Headers of the answer; without it the content type text/plain."},
	{Name: "remote_host_target_field", Kind: plugin.Field, Doc: "Field of the sender's address; default host, with ECS [host][ip]."},
	{Name: "request_headers_target_field", Kind: plugin.Field, Doc: "Field of the request's headers; default headers, with ECS [@metadata][input][http][request][headers]."},
	{Name: "max_content_length", Kind: plugin.Number, Default: "104857600", Doc: "Most bytes of a request, unpacked."},
	{Name: "max_pending_requests", Kind: plugin.Number, Default: "200", Doc: "Requests served at once; further ones are answered 429."},
	{Name: "threads", Kind: plugin.Number, Unread: "every request has its own"},
}, tlsOptions()...)

// The headers of a record that came in a request: the sender, the content type, and the request as JSON.
const (
	typeHeader    = "type"
	requestHeader = "http"
)

const (
	headTime     = 10 * time.Second
	requestTime  = 60 * time.Second
	idleTime     = 120 * time.Second
	headBytes    = 64 << 10
	busyTime     = 30 * time.Second // that a request waits for the pipeline before it is answered 429
	drainTime    = 10 * time.Second
	pendingBytes = 256 << 20 // of all bodies being held
)

// httpInput serves requests; each body is a record.
type httpInput struct {
	addr           string
	tls            *tls.Config
	env            *Env
	user, password string
	code           int
	headers        [][2]string
	most           int64
	slots          chan struct{}
	held           atomic.Int64
	late           sync.WaitGroup // requests being emitted

	remote, request *event.Path
	ecs             bool
}

func newHTTP(a *plugin.Args, env *Env, c codec.Codec) Input {
	h := &httpInput{env: env, tls: tlsOf(a), user: a.String("user"), password: a.String("password"), code: a.Int("response_code"), most: int64(a.Int("max_content_length")),
		remote: a.Field("remote_host_target_field"), request: a.Field("request_headers_target_field"), ecs: a.ECS(&env.Env)}
	h.addr = address(a, env, h.tls != nil || h.user != "")
	if (h.user == "") != (h.password == "") {
		a.Fail("user", "", "user and password go together")
	}
	if n := a.Int("max_pending_requests"); n >= 1 && n <= 1<<16 {
		h.slots = make(chan struct{}, n)
	} else {
		a.Fail("max_pending_requests", "", "max_pending_requests is 1 to 65536")
	}
	for _, p := range a.Pairs("response_headers") {
		for _, v := range p.Values {
			h.headers = append(h.headers, [2]string{p.Key.Text, v.Text})
		}
	}
	if len(h.headers) == 0 {
		h.headers = [][2]string{{"Content-Type", "text/plain"}}
	}
	remote, request := "host", "headers"
	if h.ecs {
		remote, request = "[host][ip]", "[@metadata][input][http][request][headers]"
	}
	if h.remote == nil {
		h.remote = event.MustPath(remote)
	}
	if h.request == nil {
		h.request = event.MustPath(request)
	}
	if _, joins := c.(codec.Joins); joins {
		a.Fail("codec", "", "codec multiline cannot join requests")
	}
	return h
}

// Run serves until ctx ends, and then what is under way.
func (h *httpInput) Run(ctx context.Context, emit func(Chunk) error) error {
	l, err := h.env.listener("http", h.addr, h.tls)
	if err != nil {
		return err
	}
	srv := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.serve(w, r, emit) }),
		ReadHeaderTimeout: headTime, ReadTimeout: requestTime, WriteTimeout: requestTime + busyTime + drainTime, IdleTimeout: idleTime, MaxHeaderBytes: headBytes,
		ErrorLog: slog.NewLogLogger(h.env.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listen.Limit(l, maxConnections)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if srv.Shutdown(wait) != nil {
		srv.Close()
	}
	<-ended
	h.late.Wait() // emit ends with ctx
	return nil
}

// serve is the way of a request.
func (h *httpInput) serve(w http.ResponseWriter, r *http.Request, emit func(Chunk) error) {
	if h.user != "" {
		user, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(user), []byte(h.user))&subtle.ConstantTimeCompare([]byte(password), []byte(h.password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Logstash HTTP Input"`)
			http.Error(w, "", http.StatusUnauthorized)
			return
		}
	}
	select {
	case h.slots <- struct{}{}:
	default:
		http.Error(w, "", http.StatusTooManyRequests)
		return
	}
	body, taken, err := h.body(r)
	release := func() { h.held.Add(-taken); <-h.slots }
	if err != nil {
		release()
		code := http.StatusBadRequest
		if errors.Is(err, errLarge) {
			code = http.StatusRequestEntityTooLarge
		} else if errors.Is(err, errPending) {
			code = http.StatusTooManyRequests
		}
		http.Error(w, err.Error(), code)
		return
	}
	if !h.hand(r, body, emit, release) {
		http.Error(w, "", http.StatusTooManyRequests)
		return
	}
	for _, kv := range h.headers {
		w.Header().Set(kv[0], kv[1])
	}
	w.WriteHeader(h.code)
	if h.code != http.StatusNoContent {
		io.WriteString(w, "ok")
	}
}

// hand emits a request; false when the pipeline did not take it in time, or ends. It may take it later, and the sender sends it again;
// until then the request counts as being served.
func (h *httpInput) hand(r *http.Request, body []byte, emit func(Chunk) error, release func()) bool {
	typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	rec := queue.Record{Value: body, Time: h.env.Now(), Headers: []queue.Header{
		{Key: peerHeader, Value: []byte(r.RemoteAddr)}, {Key: typeHeader, Value: []byte(typ)}, {Key: requestHeader, Value: requestJSON(r, len(body))},
	}}
	done := make(chan error, 1)
	h.late.Go(func() {
		defer release()
		done <- emit(Chunk{Records: []queue.Record{rec}})
	})
	t := time.NewTimer(busyTime)
	defer t.Stop()
	select {
	case err := <-done:
		return err == nil
	case <-t.C:
		return false
	}
}

var (
	errLarge   = errors.New("body too large")
	errPending = errors.New("too much is held")
)

// body reads a request's body, unpacked; taken is what it holds of the bound on all.
func (h *httpInput) body(r *http.Request) (b []byte, taken int64, err error) {
	var in io.Reader = r.Body
	switch strings.ToLower(r.Header.Get("Content-Encoding")) {
	case "gzip":
		if in, err = gzip.NewReader(r.Body); err != nil {
			return nil, 0, err
		}
	case "", "identity":
	default:
		return nil, 0, errors.New("the content encoding is neither gzip nor identity")
	}
	for {
		if len(b) == cap(b) {
			step := max(cap(b), 4<<10)
			taken += int64(step)
			if h.held.Add(int64(step)) > pendingBytes {
				return nil, taken, errPending
			}
			b = append(make([]byte, 0, cap(b)+step), b...)
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		switch {
		case int64(len(b)) > h.most:
			return nil, taken, errLarge
		case errors.Is(err, io.EOF):
			return b, taken, nil
		case err != nil:
			return nil, taken, err
		}
	}
}

// requestJSON is a request as the object that becomes its headers: names in lower case with underscores, as Rack writes them.
func requestJSON(r *http.Request, size int) []byte {
	b := append([]byte(nil), `{"request_method":`...)
	b = event.AppendString(b, r.Method)
	b = append(b, `,"request_path":`...)
	b = event.AppendString(b, r.URL.RequestURI())
	b = append(b, `,"http_version":`...)
	b = event.AppendString(b, r.Proto)
	b = append(b, `,"http_host":`...)
	b = event.AppendString(b, r.Host)
	b = append(b, `,"content_length":"`...)
	b = append(strconv.AppendInt(b, int64(size), 10), '"')
	for name, vals := range r.Header {
		key := strings.ReplaceAll(strings.ToLower(name), "-", "_")
		switch key {
		case "content_length", "authorization":
			continue
		case "content_type":
		default:
			key = "http_" + key
		}
		b = append(event.AppendString(append(b, ','), key), ':')
		b = event.AppendString(b, strings.Join(vals, ", "))
	}
	return append(b, '}')
}

// Decorate tells what is known of the request an event came in.
func (h *httpInput) Decorate(e *event.Event, r *queue.Record) {
	if len(r.Headers) < 3 {
		return
	}
	if host, _, err := net.SplitHostPort(string(r.Headers[0].Value)); err == nil && !e.Has(h.remote) {
		e.Set(h.remote, event.String(host))
	}
	b := e.Batch()
	v, err := b.ParseJSON(b.KeepBytes(r.Headers[2].Value))
	if err != nil {
		return
	}
	if !e.Has(h.request) {
		e.Set(h.request, v)
	}
	if h.ecs {
		h.fields(e, v)
	}
}

// requestFields are the members of a request that have a field in ECS.
var requestFields = []struct {
	key  string
	path *event.Path
}{
	{"request_method", event.MustPath("[http][method]")}, {"http_version", event.MustPath("[http][version]")},
	{"content_type", event.MustPath("[http][request][mime_type]")}, {"content_length", event.MustPath("[http][request][body][bytes]")},
	{"http_user_agent", event.MustPath("[user_agent][original]")}, {"request_path", event.MustPath("[url][path]")},
}

var (
	urlDomain = event.MustPath("[url][domain]")
	urlPort   = event.MustPath("[url][port]")
)

// fields sets those an event has not.
func (h *httpInput) fields(e *event.Event, v event.Value) {
	b := e.Batch()
	for _, f := range requestFields {
		if v, ok := b.Field(v, f.key); ok && !e.Has(f.path) {
			e.Set(f.path, v)
		}
	}
	f, ok := b.Field(v, "http_host")
	if !ok {
		return
	}
	host, port, err := net.SplitHostPort(f.Str())
	if err != nil {
		host = f.Str()
	}
	if !e.Has(urlDomain) {
		e.Set(urlDomain, event.String(b.KeepString(host)))
	}
	if n, err := strconv.Atoi(port); err == nil && !e.Has(urlPort) {
		e.Set(urlPort, event.Int(int64(n)))
	}
}

// httpDecoder chooses the codec by the content type.
type httpDecoder struct {
	standard codec.Codec
	byType   map[string]codec.Codec
}

func decodeHTTP(a *plugin.Args, env *plugin.Env, c codec.Codec) Decoder {
	d := &httpDecoder{standard: c, byType: map[string]codec.Codec{}}
	add := func(pos conf.Pos, typ, name string) {
		p := &conf.Plugin{Pos: pos, Name: "http", Attrs: []*conf.Attr{{Pos: pos, Name: "codec", Value: &conf.Bareword{Pos: pos, Text: name}}}}
		d.byType[typ] = codec.New(plugin.Read(p, []plugin.Option{{Name: "codec", Kind: plugin.Codec}}, a.Errs), env, "plain", codec.In)
	}
	if !a.Has("additional_codecs") {
		add(a.Pos, "application/json", "json")
	}
	for _, p := range a.Pairs("additional_codecs") {
		if len(p.Values) == 1 {
			add(p.Key.Pos, p.Key.Text, p.Values[0].Text)
		}
	}
	return d
}

func (d *httpDecoder) DecodeRecord(b *event.Batch, ref uint32, r *queue.Record, data string) {
	c := d.standard
	if len(r.Headers) > 1 {
		if own := d.byType[string(r.Headers[1].Value)]; own != nil {
			c = own
		}
	}
	c.Decode(b, ref, data)
}
