package output

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

var httpOptions = append([]plugin.Option{
	{Name: "url", Required: true, Doc: "Address of the requests; may hold %{field}, but not with json_batch."},
	{Name: "http_method", Required: true, Enum: []string{"put", "post", "patch", "delete", "get", "head"}, Doc: "Method of the requests."},
	{Name: "format", Enum: []string{"json", "json_batch", "form", "message"}, Default: "json", Doc: "Body: the event as JSON, all of a batch as a list, its fields as a form, or the option message."},
	{Name: "headers", Kind: plugin.Hash, Doc: "Headers; values may hold %{field}, but not with json_batch."},
	{Name: "content_type", Doc: "Content type; the format's without it."},
	{Name: "mapping", Kind: plugin.Hash, Doc: "Fields of the body instead of the event's; values may hold %{field}."},
	{Name: "message", Doc: "Body of the format message; may hold %{field}."},
	{Name: "http_compression", Kind: plugin.Boolean, Default: "false", Doc: "Whether bodies are compressed with gzip."},
	{Name: "user", Doc: "User."}, {Name: "password", Kind: plugin.Password, Doc: "Password."},
	{Name: "retry_failed", Kind: plugin.Boolean, Default: "true", Doc: "Whether what failed is tried until it works; without it such an event is given up."},
	{Name: "retryable_codes", Kind: plugin.Array, Doc: "Statuses that are tried again; 429, 500, 502, 503, 504 without it."},
	{Name: "ignorable_codes", Kind: plugin.Array, Doc: "Statuses that count as success, beside 2xx."},
	{Name: "pool_max", Kind: plugin.Number, Default: "50", Doc: "Requests under way at once, 1 keeps the order."},
	{Name: "connect_timeout", Kind: plugin.Number, Default: "10", Unread: "request_timeout holds for all of a request"},
	{Name: "socket_timeout", Kind: plugin.Number, Default: "10", Unread: "request_timeout holds for all of a request"},
	{Name: "request_timeout", Kind: plugin.Number, Default: "60", Doc: "Seconds a request may take."},
	{Name: "follow_redirects", Kind: plugin.Boolean, Default: "true", Doc: "Whether redirects are followed."},
	{Name: "keepalive", Kind: plugin.Boolean, Default: "true", Doc: "Whether connections are used again."},
	{Name: "proxy", Kind: plugin.URI, Doc: "Address of an HTTP proxy."},
	{Name: "automatic_retries", Kind: plugin.Number, Default: "1", Unread: "what failed is tried until it works"},
	{Name: "retry_non_idempotent", Kind: plugin.Boolean, Default: "false", Unread: "what failed is tried until it works"},
	{Name: "cookies", Kind: plugin.Boolean, Default: "true", Unread: "cookies are not kept"},
	{Name: "pool_max_per_route", Kind: plugin.Number, Default: "25", Unread: "pool_max holds"},
	{Name: "validate_after_inactivity", Kind: plugin.Number, Default: "200", Unread: "the client decides"},
	{Name: "ssl_enabled", Kind: plugin.Boolean, Unread: "the url says so"},
}, tlsOptions()...)

// pair is a name and the text of its value.
type pair struct {
	name  string
	value *plugin.Template
}

// httpRenderer makes a request of an event: Target is the address, Routing the headers, one a line.
type httpRenderer struct {
	format  string
	url     *plugin.Template
	headers []pair
	mapping []pair
	message *plugin.Template
}

func newHTTP(a *plugin.Args, _ *Env, _ codec.Codec) Renderer {
	text := func(name string) *plugin.Template {
		return a.Template(plugin.Text{Pos: a.At(name), Text: a.String(name)})
	}
	r := &httpRenderer{format: a.String("format"), url: text("url"), message: text("message"), headers: pairs(a, "headers"), mapping: pairs(a, "mapping")}
	switch {
	case r.format == "message" && !a.Has("message"):
		a.Fail("format", `add message => "..."`, "format message needs the option message")
	case r.format == "json_batch" && (!r.url.Const() || slices.ContainsFunc(r.headers, func(p pair) bool { return !p.value.Const() })):
		a.Fail("format", "write them without %{}", "with format json_batch url and headers are the same for all events")
	}
	if r.url.Const() {
		if u, err := url.Parse(a.String("url")); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			a.Fail("url", "http://host:port/path", "url %q is no address", a.String("url"))
		}
	}
	return r
}

// pairs is a hash of texts.
func pairs(a *plugin.Args, name string) []pair {
	var out []pair
	for _, p := range a.Pairs(name) {
		if len(p.Values) != 1 || p.List {
			a.FailAt(p.Key.Pos, "", "%s: the value of %q is one text", name, p.Key.Text)
			continue
		}
		out = append(out, pair{p.Key.Text, a.Template(p.Values[0])})
	}
	return out
}

func (r *httpRenderer) Render(dst *Buf, e *event.Event) {
	it := Item{Target: r.url.Render(e), Routing: r.header(e)}
	put(dst, e, it, func(b []byte) []byte { return r.body(b, e) })
}

// header is the headers of an event, one a line.
func (r *httpRenderer) header(e *event.Event) string {
	if len(r.headers) == 0 {
		return ""
	}
	var b strings.Builder
	for _, h := range r.headers {
		b.WriteString(h.name + ":" + strings.NewReplacer("\r", " ", "\n", " ").Replace(h.value.Render(e)) + "\n")
	}
	return b.String()
}

func (r *httpRenderer) body(b []byte, e *event.Event) []byte {
	switch {
	case r.format == "message":
		return r.message.Append(b, e)
	case r.format == "form":
		return r.form(b, e)
	case len(r.mapping) == 0:
		return e.AppendJSON(b)
	}
	b = append(b, '{')
	for i, p := range r.mapping {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(event.AppendString(b, p.name), ':')
		b = event.AppendString(b, p.value.Render(e))
	}
	return append(b, '}')
}

// form is name=value, joined by &.
func (r *httpRenderer) form(b []byte, e *event.Event) []byte {
	first := true
	add := func(name, value string) {
		if !first {
			b = append(b, '&')
		}
		first = false
		b = append(b, url.QueryEscape(name)+"="+url.QueryEscape(value)...)
	}
	if len(r.mapping) > 0 {
		for _, p := range r.mapping {
			add(p.name, p.value.Render(e))
		}
		return b
	}
	if ns, ok := e.Timestamp(); ok {
		add("@timestamp", string(event.AppendISO(nil, ns)))
	}
	e.Fields(func(key string, v event.Value) bool {
		add(key, string(e.Batch().AppendText(nil, v)))
		return true
	})
	return b
}

// httpSink sends requests.
type httpSink struct {
	client              *http.Client
	log                 *slog.Logger
	method, typ         string
	user, password      string
	batch, gzip, retry  bool
	retryable, ignoring []int
	most                int
}

const answerBytes = 1 << 10 // of an answer that are read and shown

func openHTTP(a *plugin.Args, env *Env) (Sink, error) {
	s := &httpSink{log: env.Log, method: strings.ToUpper(a.String("http_method")), typ: a.String("content_type"), user: a.String("user"), password: a.String("password"),
		batch: a.String("format") == "json_batch", gzip: a.Bool("http_compression"), retry: a.Bool("retry_failed"), most: max(a.Int("pool_max"), 1)}
	if s.typ == "" {
		s.typ = map[string]string{"form": "application/x-www-form-urlencoded", "message": "text/plain"}[a.String("format")]
	}
	if s.typ == "" {
		s.typ = "application/json"
	}
	s.retryable, s.ignoring = codes(a, "retryable_codes"), codes(a, "ignorable_codes")
	if s.retryable == nil {
		s.retryable = []int{429, 500, 502, 503, 504}
	}
	tr := &http.Transport{TLSClientConfig: tlsOf(a, ""), ForceAttemptHTTP2: true, MaxIdleConnsPerHost: s.most, IdleConnTimeout: 90 * time.Second, DisableKeepAlives: !a.Bool("keepalive")}
	if p := a.String("proxy"); p != "" {
		u, err := url.Parse(p)
		if err != nil || u.Host == "" {
			a.Fail("proxy", "http://host:port", "proxy %q is no address", p)
		}
		tr.Proxy = http.ProxyURL(u)
	}
	s.client = &http.Client{Transport: tr, Timeout: a.Seconds("request_timeout")}
	if !a.Bool("follow_redirects") {
		s.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return s, nil
}

// codes is a list of statuses; nil without the option.
func codes(a *plugin.Args, name string) []int {
	var out []int
	for _, t := range a.Strings(name) {
		n, err := strconv.Atoi(t)
		if err != nil || n < 100 || n > 599 {
			a.Fail(name, "", "%s: %q is no status", name, t)
			continue
		}
		out = append(out, n)
	}
	return out
}

// Write sends what is left of b. Items that are done, or given up, are taken out of it.
func (s *httpSink) Write(ctx context.Context, b *Buf) error {
	if len(b.Items) == 0 {
		return nil
	}
	if s.batch {
		return s.whole(ctx, b)
	}
	failed := make([]error, len(b.Items))
	var all sync.WaitGroup
	slots := make(chan struct{}, s.most)
	for i := range b.Items {
		slots <- struct{}{}
		all.Go(func() {
			defer func() { <-slots }()
			failed[i] = s.send(ctx, b.Items[i].Target, b.Items[i].Routing, b.Bytes(&b.Items[i]))
		})
		if s.most == 1 {
			all.Wait()
			if failed[i] != nil { // those behind it wait, so that the order stays
				b.Items = slices.Delete(b.Items, 0, i)
				return failed[i]
			}
		}
	}
	all.Wait()
	kept := b.Items[:0]
	var first error
	for i, err := range failed {
		if err != nil {
			kept = append(kept, b.Items[i])
			first = errors.Join(first, err)
			if len(kept) > 1 {
				first = err // one is enough to tell
			}
		}
	}
	b.Items = kept
	return first
}

// whole sends all items as one list.
func (s *httpSink) whole(ctx context.Context, b *Buf) error {
	body := []byte{'['}
	for i := range b.Items {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, b.Bytes(&b.Items[i])...)
	}
	if err := s.send(ctx, b.Items[0].Target, b.Items[0].Routing, append(body, ']')); err != nil {
		return err
	}
	b.Items = b.Items[:0]
	return nil
}

// send makes a request; the error is one to try again after.
func (s *httpSink) send(ctx context.Context, target, headers string, body []byte) error {
	req, err := s.request(ctx, target, headers, body)
	if err != nil {
		s.log.Error("event given up: it makes no request", "output", "http", "url", target, "err", err)
		return nil
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return s.again(fmt.Errorf("%s %s: %w", s.method, target, err))
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, answerBytes))
	io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)) // so that the connection is used again
	switch {
	case resp.StatusCode >= 200 && resp.StatusCode < 300, slices.Contains(s.ignoring, resp.StatusCode):
		return nil
	case slices.Contains(s.retryable, resp.StatusCode):
		return s.again(fmt.Errorf("%s %s: status %d", s.method, target, resp.StatusCode))
	}
	s.log.Error("event given up: the server refuses it", "output", "http", "url", target, "status", resp.StatusCode, "answer", string(text))
	return nil
}

// again is err, unless failures are given up.
func (s *httpSink) again(err error) error {
	if s.retry || errors.Is(err, context.Canceled) {
		return err
	}
	s.log.Error("event given up: retry_failed is off", "output", "http", "err", err)
	return nil
}

func (s *httpSink) request(ctx context.Context, target, headers string, body []byte) (*http.Request, error) {
	if s.gzip {
		var z bytes.Buffer
		w := gzip.NewWriter(&z)
		w.Write(body) // to memory: does not fail
		w.Close()
		body = z.Bytes()
	}
	req, err := http.NewRequestWithContext(ctx, s.method, target, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return nil, fmt.Errorf("scheme %q is neither http nor https", req.URL.Scheme)
	}
	req.Header.Set("Content-Type", s.typ)
	req.Header.Set("User-Agent", "weir")
	if s.gzip {
		req.Header.Set("Content-Encoding", "gzip")
	}
	for line := range strings.Lines(headers) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		req.Header.Set(name, value)
		if strings.EqualFold(name, "host") {
			req.Host = value
		}
	}
	if s.user != "" {
		req.SetBasicAuth(s.user, s.password)
	}
	return req, nil
}

// Close lets connections go.
func (s *httpSink) Close() error {
	s.client.CloseIdleConnections()
	return nil
}
