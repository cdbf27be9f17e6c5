package web

import (
	"net/http"
	"strings"
)

// kibanaVersion is the version Kibana's own clients are told: the first whose Dashboards API is settled.
const kibanaVersion = "9.5.0"

// kibana adds Kibana's paths, also below its default space.
func (s *Server) kibana(mux *http.ServeMux) {
	api := http.NewServeMux()
	for _, typ := range []string{"dashboard", "visualization"} {
		h := contentAPI{s, typ}.handler()
		api.Handle("/api/"+typ+"s", h)
		api.Handle("/api/"+typ+"s/", h)
	}
	api.HandleFunc("POST /api/saved_objects/_import", s.importObjects)
	api.HandleFunc("POST /api/saved_objects/_export", s.exportObjects)
	api.HandleFunc("GET /api/status", s.status)
	api.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) { kibanaFail(w, http.StatusNotFound, "Not Found") })
	mux.Handle("/api/", api)
	mux.Handle("/s/default/api/", http.StripPrefix("/s/default", api))
}

func (s *Server) status(w http.ResponseWriter, r *http.Request) {
	reply(w, map[string]any{"name": "weir", "version": map[string]any{"number": kibanaVersion, "build_flavor": "traditional", "build_snapshot": false},
		"status": map[string]any{"overall": map[string]string{"level": "available", "summary": "weir " + strings.TrimSpace(s.cfg.Version)}}})
}
