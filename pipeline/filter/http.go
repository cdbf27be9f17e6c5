package filter

import (
	"bytes"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

var httpFilterOptions = append([]plugin.Option{
	{Name: "url", Required: true, Doc: "Address to ask; may hold %{field}."},
	{Name: "verb", Enum: []string{"GET", "HEAD", "PATCH", "DELETE", "POST", "PUT"}, Default: "GET", Doc: "How to ask."},
	{Name: "body", Kind: plugin.Any, Doc: "What to send: an object, or a text; may hold %{field}."},
	{Name: "body_format", Enum: []string{"text", "json"}, Default: "text", Doc: "Whether the body is sent as text or as JSON."},
	{Name: "query", Kind: plugin.Hash, Doc: "Parameters of the address; may hold %{field}."},
	{Name: "headers", Kind: plugin.Hash, Doc: "Headers to send; may hold %{field}."},
	{Name: "target_body", Kind: plugin.Field, Doc: "Field for the answer; default body, with ECS [@metadata][filter][http][response][body]."},
	{Name: "target_headers", Kind: plugin.Field, Doc: "Field for the answer's headers; default headers, with ECS [@metadata][filter][http][response][headers]."},
	{Name: "tag_on_request_failure", Kind: plugin.Array, Default: "_httprequestfailure", Doc: "Tags of events whose request failed or was refused."},
	{Name: "tag_on_json_failure", Kind: plugin.Array, Default: "_jsonparsefailure", Doc: "Tags of events whose answer says it is JSON and is none."},
}, httpOptions...)

// httpFilter asks a service about each event.
type httpFilter struct {
	*caller
	url               *plugin.Template
	verb              string
	query, headers    []textPair
	body              []textPair
	text              *plugin.Template
	json              bool
	toBody, toHeaders *event.Path
	onRequest, onJSON []string
}

type textPair struct{ key, value *plugin.Template }

func newHTTP(a *plugin.Args, env *plugin.Env) Filter {
	f := &httpFilter{caller: newCaller(a, env), verb: a.String("verb"), query: textPairs(a, "query"), headers: textPairs(a, "headers"), body: textPairs(a, "body"),
		json: a.String("body_format") == "json", toBody: a.Field("target_body"), toHeaders: a.Field("target_headers"), onRequest: tags(a, "tag_on_request_failure"),
		onJSON: tags(a, "tag_on_json_failure")}
	f.url = a.Template(plugin.Text{Pos: a.At("url"), Text: a.String("url")})
	names := [2]string{"body", "headers"}
	if a.ECS(env) {
		names = [2]string{"[@metadata][filter][http][response][body]", "[@metadata][filter][http][response][headers]"}
	}
	if v := a.Value("body"); v != nil {
		if _, ok := v.(*conf.Hash); !ok {
			f.text = a.Template(plugin.Text{Pos: a.At("body"), Text: a.String("body")})
		}
	}
	if f.toBody == nil {
		f.toBody = event.MustPath(names[0])
	}
	if f.toHeaders == nil {
		f.toHeaders = event.MustPath(names[1])
	}
	if f.url.Const() {
		if u, err := url.Parse(f.url.String()); err != nil || u.Scheme != "http" && u.Scheme != "https" {
			a.Fail("url", "", "%q is no http or https address", f.url.String())
		}
	}
	return f
}

func textPairs(a *plugin.Args, option string) []textPair {
	var out []textPair
	for _, p := range a.Pairs(option) {
		if len(p.Values) > 0 {
			out = append(out, textPair{a.Template(p.Key), a.Template(p.Values[0])})
		}
	}
	return out
}

func (f *httpFilter) Filter(e *event.Event) Result {
	res, err := f.do(func() (*http.Request, error) { return f.request(e) })
	if err != nil || res.status >= 400 {
		return fail(e, f.onRequest)
	}
	b := e.Batch()
	e.Set(f.toHeaders, headerMap(b, res.header))
	text := b.KeepBytes(bytes.ToValidUTF8(res.body, []byte("\uFFFD")))
	v := event.String(text)
	if strings.Contains(res.header.Get("Content-Type"), "json") && f.verb != http.MethodHead {
		if v, err = b.ParseJSON(text); err != nil {
			e.Set(f.toBody, event.String(text))
			return fail(e, f.onJSON)
		}
	}
	e.Set(f.toBody, v)
	return Matched
}

func headerMap(b *event.Batch, h http.Header) event.Value {
	m := b.NewMap()
	names := make([]string, 0, len(h))
	for n := range h {
		names = append(names, n)
	}
	slices.Sort(names)
	for _, n := range names {
		b.Put(m, strings.ToLower(n), event.String(strings.Join(h[n], ", ")))
	}
	return m
}

func (f *httpFilter) request(e *event.Event) (*http.Request, error) {
	u, err := url.Parse(f.url.Render(e))
	if err != nil {
		return nil, err
	}
	q := u.Query()
	for _, p := range f.query {
		q.Set(p.key.Render(e), p.value.Render(e))
	}
	if len(f.query) > 0 {
		u.RawQuery = q.Encode()
	}
	req, err := http.NewRequest(f.verb, u.String(), bytes.NewReader(f.payload(e)))
	if err != nil {
		return nil, err
	}
	if len(f.body) > 0 || f.text != nil {
		req.Header.Set("Content-Type", "text/plain")
		if f.json {
			req.Header.Set("Content-Type", "application/json")
		}
	}
	for _, p := range f.headers {
		req.Header.Set(p.key.Render(e), p.value.Render(e))
	}
	return req, nil
}

// payload is the body: as JSON, or its pairs as a text.
func (f *httpFilter) payload(e *event.Event) []byte {
	if f.text != nil {
		return f.text.Append(nil, e)
	}
	if len(f.body) == 0 {
		return nil
	}
	var out []byte
	for i, p := range f.body {
		if i > 0 {
			out = append(out, ',')
		}
		if f.json {
			out = append(event.AppendString(out, p.key.Render(e)), ':')
			out = event.AppendString(out, p.value.Render(e))
		} else {
			out = append(append(append(out, p.key.Render(e)...), '='), p.value.Render(e)...)
		}
	}
	if f.json {
		return append(append([]byte{'{'}, out...), '}')
	}
	return out
}
