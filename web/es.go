package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"

	"github.com/valyala/fastjson"
)

// maxAnswer bounds what one search may answer: 200 rows of a few KiB fit many times.
const maxAnswer = 64 << 20

// ask sends one request to h as the user of r and gives the parsed answer; a status of 400 or more is a *problem.
func (s *Server) ask(ctx context.Context, h http.Handler, r *http.Request, method, path string, body any) (*fastjson.Value, error) {
	var buf bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&buf).Encode(body); err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, path, &buf)
	if err != nil {
		return nil, fmt.Errorf("request %s: %w", path, err)
	}
	req.Header.Set("Content-Type", "application/json")
	for _, k := range []string{"Authorization", "Cookie"} {
		if v := r.Header.Get(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	req.Host, req.RemoteAddr, req.RequestURI = r.Host, r.RemoteAddr, path
	rec := &recorder{header: http.Header{}, status: http.StatusOK}
	h.ServeHTTP(rec, req)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if rec.over {
		return nil, &problem{http.StatusBadGateway, "answer_too_large", fmt.Sprintf("%s answered more than %d bytes", path, maxAnswer)}
	}
	v, err := fastjson.ParseBytes(rec.body.Bytes())
	if err != nil {
		return nil, &problem{http.StatusBadGateway, "bad_answer", fmt.Sprintf("%s answered %d with a body that is not JSON: %v", path, rec.status, err)}
	}
	if rec.status >= 400 {
		return nil, problemOf(rec.status, v)
	}
	return v, nil
}

// search posts a search body for an index expression.
func (s *Server) search(ctx context.Context, r *http.Request, index string, body any) (*fastjson.Value, error) {
	return s.ask(ctx, s.cfg.Store, r, "POST", "/"+url.PathEscape(index)+"/_search?ignore_unavailable=true&allow_no_indices=true", body)
}

// problemOf reads Elasticsearch's error object; the root cause says more than the phase.
func problemOf(status int, v *fastjson.Value) *problem {
	p := &problem{Status: status, Type: "error", Reason: http.StatusText(status)}
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
