// Package es asks an Elasticsearch REST API through an http.Handler: the embedded store in this process, or a proxy to a cluster.
// Requests carry the caller's credentials; the package has none of its own.
package es

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/valyala/fastjson"
)

// maxAnswer bounds what one request may answer, in bytes: a thousand rows of a few KiB fit many times.
const maxAnswer = 64 << 20

// credentials are the headers that say who asks; they are passed on.
var credentials = [...]string{"Authorization", "Cookie"}

// Caller is on whose behalf a request is made; the zero value is nobody.
type Caller struct {
	Header     http.Header // of the caller's own request; only its credentials are used
	Host       string
	RemoteAddr string
}

// As is the caller of an incoming request.
func As(r *http.Request) Caller { return Caller{r.Header, r.Host, r.RemoteAddr} }

// Error is an answer with a status of 400 or more, or one that could not be read.
type Error struct {
	Status int    `json:"status"`
	Type   string `json:"type"`
	Reason string `json:"reason"`
}

func (e *Error) Error() string { return e.Type + ": " + e.Reason }

// Refuse is an Error made here, not by the store.
func Refuse(status int, typ, reason string) *Error {
	return &Error{Status: status, Type: typ, Reason: reason}
}

// Do sends one request to h and gives the parsed answer; body is encoded as JSON, nil sends none, a json.RawMessage or []byte is sent as
// it is. A status of 400 or more is an *Error.
func Do(ctx context.Context, h http.Handler, as Caller, method, path string, body any) (*fastjson.Value, error) {
	var buf bytes.Buffer
	contentType := "application/json"
	switch b := body.(type) {
	case nil:
	case []byte: // newline-delimited JSON
		buf.Write(b)
		contentType = "application/x-ndjson"
	default:
		if err := json.NewEncoder(&buf).Encode(body); err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, path, &buf)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", path, err)
	}
	req.Header.Set("Content-Type", contentType)
	for _, k := range credentials {
		if v := as.Header.Get(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	req.Host, req.RemoteAddr, req.RequestURI = as.Host, as.RemoteAddr, path
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, req)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if rec.over {
		return nil, Refuse(http.StatusBadGateway, "answer_too_large", fmt.Sprintf("%s answered more than %d bytes", path, maxAnswer))
	}
	if rec.body.Len() == 0 && rec.status < 300 {
		return fastjson.MustParse("{}"), nil
	}
	v, err := fastjson.ParseBytes(rec.body.Bytes())
	if err != nil {
		return nil, Refuse(http.StatusBadGateway, "bad_answer", fmt.Sprintf("%s answered %d with a body that is not JSON: %v", path, rec.status, err))
	}
	if rec.status >= 400 {
		return v, errorOf(rec.status, v)
	}
	return v, nil
}

// Search posts a search body for an index expression; indices that are not there are no error.
func Search(ctx context.Context, h http.Handler, as Caller, index string, body any) (*fastjson.Value, error) {
	return Do(ctx, h, as, "POST", "/"+url.PathEscape(index)+"/_search?ignore_unavailable=true&allow_no_indices=true", body)
}

// errorOf reads Elasticsearch's error object; the root cause says more than the phase.
func errorOf(status int, v *fastjson.Value) *Error {
	p := &Error{Status: status, Type: "error", Reason: http.StatusText(status)}
	e := v.Get("error")
	if e == nil {
		return p
	}
	if e.Type() == fastjson.TypeString {
		p.Reason = string(e.GetStringBytes())
		return p
	}
	if causes := e.GetArray("root_cause"); len(causes) > 0 {
		e = causes[0]
	}
	p.Type, p.Reason = string(e.GetStringBytes("type")), string(e.GetStringBytes("reason"))
	return p
}

// recorder keeps an answer in memory, up to maxAnswer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	over   bool
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) { r.status = status }

func (r *recorder) Write(b []byte) (int, error) {
	if r.body.Len()+len(b) > maxAnswer {
		r.over = true
		return 0, fmt.Errorf("answer over %d bytes", maxAnswer)
	}
	return r.body.Write(b)
}
