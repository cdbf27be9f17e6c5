package web

import (
	"context"
	"net/http"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
)

// problem is the shape of every error the pages see.
type problem = es.Error

// ask sends one request to h as the user of r and gives the parsed answer; a status of 400 or more is a *problem.
func (s *Server) ask(ctx context.Context, h http.Handler, r *http.Request, method, path string, body any) (*fastjson.Value, error) {
	return es.Do(ctx, h, es.As(r), method, path, body)
}

// search posts a search body for an index expression.
func (s *Server) search(ctx context.Context, r *http.Request, index string, body any) (*fastjson.Value, error) {
	return es.Search(ctx, s.cfg.Store, es.As(r), index, body)
}
