package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/weirlog/weir/web/alert"
	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
)

// maxSilence bounds how long a rule may be kept silent.
const maxSilence = 30 * 24 * time.Hour

func (s *Server) alertRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /weir/alerts", s.listAlerts)
	mux.HandleFunc("POST /weir/alerts", func(w http.ResponseWriter, r *http.Request) { s.putAlert(w, r, newID(), object.Create) })
	mux.HandleFunc("PUT /weir/alerts/{id}", func(w http.ResponseWriter, r *http.Request) { s.putAlert(w, r, r.PathValue("id"), ifMatch(r)) })
	mux.HandleFunc("DELETE /weir/alerts/{id}", s.deleteAlert)
	mux.HandleFunc("POST /weir/alerts/{id}/silence", s.silenceAlert)
	mux.HandleFunc("POST /weir/alert-preview", s.previewAlert)
	mux.HandleFunc("POST /weir/alert-test", s.testAlert)
}

// newAlerts makes the keeper of rules; queries are read as nobody, as the evaluator asks.
func (s *Server) newAlerts() *alert.Alerts {
	parse := func(ctx context.Context, text, lang, index string) (json.RawMessage, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", nil)
		if err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		q := dashboard.Query{Query: text}
		if lang == "lucene" {
			q.Language = lang
		}
		return s.parseText(ctx, r, q, index, "UTC")
	}
	return alert.New(alert.Config{Store: s.cfg.Store, Parse: parse, Link: s.cfg.Link, Log: s.cfg.Log}, s.objects)
}

// Run evaluates the rules until ctx ends.
func (s *Server) Run(ctx context.Context) error {
	if s.history == nil {
		return s.alerts.Run(ctx)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.history.Run(ctx) }()
	err := s.alerts.Run(ctx)
	cancel()
	return errors.Join(err, <-ended)
}

func (s *Server) listAlerts(w http.ResponseWriter, r *http.Request) {
	list, err := s.alerts.List(r.Context(), es.As(r))
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{"rules": list})
}

func (s *Server) putAlert(w http.ResponseWriter, r *http.Request, id, version string) {
	var rule alert.Rule
	if !readJSON(w, r, &rule) {
		return
	}
	v, err := s.alerts.Put(r.Context(), es.As(r), id, rule, version)
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, v)
}

func (s *Server) deleteAlert(w http.ResponseWriter, r *http.Request) {
	if err := s.alerts.Delete(r.Context(), es.As(r), r.PathValue("id")); err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{})
}

// silenceAlert takes {"minutes": n}; 0 ends the silence.
func (s *Server) silenceAlert(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Minutes int `json:"minutes"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	d := time.Duration(req.Minutes) * time.Minute
	if d < 0 || d > maxSilence {
		fail(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("%d minutes: want 0 to %d", req.Minutes, int(maxSilence.Minutes())))
		return
	}
	var until time.Time
	if d > 0 {
		until = time.Now().Add(d)
	}
	v, err := s.alerts.Silence(r.Context(), es.As(r), r.PathValue("id"), until)
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, v)
}

func (s *Server) previewAlert(w http.ResponseWriter, r *http.Request) {
	var rule alert.Rule
	if !readJSON(w, r, &rule) {
		return
	}
	p, err := s.alerts.Preview(r.Context(), s.cfg.Store, es.As(r), rule)
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, p)
}

func (s *Server) testAlert(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Rule   alert.Rule   `json:"rule"`
		Action alert.Action `json:"action"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	if err := s.alerts.Test(r.Context(), es.As(r), req.Rule, req.Action); err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{"sent": true})
}
