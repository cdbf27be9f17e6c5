package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
)

// maxIndices bounds the list of the settings page.
const maxIndices = 5000

func (s *Server) settingsRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /weir/indices", s.indices)
	mux.HandleFunc("DELETE /weir/indices/{name}", s.deleteIndex)
	mux.HandleFunc("PUT /weir/retention/{name}", s.putRetention)
	mux.HandleFunc("POST /weir/check", s.checkText)
}

// indexInfo is one index as the settings page lists it.
type indexInfo struct {
	Name   string `json:"name"`
	Stream string `json:"stream,omitempty"`
	Docs   int64  `json:"docs"`
	Bytes  int64  `json:"bytes"`
	Health string `json:"health"`
	Policy string `json:"policy,omitempty"`
}

// policyInfo is one lifecycle policy, by what deletes.
type policyInfo struct {
	Name   string `json:"name"`
	Delete string `json:"delete_after,omitempty"`
}

// storeInfo is what kind of store answers.
type storeInfo struct {
	Name         string `json:"name"`
	Version      string `json:"version"`
	Distribution string `json:"distribution"` // weir, elasticsearch, opensearch
}

// indices answers what is stored, and how long it is kept. A cluster without lifecycle policies has none listed.
func (s *Server) indices(w http.ResponseWriter, r *http.Request) {
	ctx := r.Context()
	v, err := s.ask(ctx, s.cfg.Store, r, "GET", "/_cat/indices?format=json&bytes=b&expand_wildcards=all", nil)
	if err != nil {
		failWith(w, err)
		return
	}
	info := map[string]*indexInfo{}
	list := []*indexInfo{}
	for _, i := range v.GetArray()[:min(len(v.GetArray()), maxIndices)] {
		one := &indexInfo{Name: string(i.GetStringBytes("index")), Health: string(i.GetStringBytes("health"))}
		one.Docs, _ = strconv.ParseInt(string(i.GetStringBytes("docs.count")), 10, 64)
		one.Bytes, _ = strconv.ParseInt(string(i.GetStringBytes("store.size")), 10, 64)
		list = append(list, one)
		info[one.Name] = one
	}
	s.addStreams(r, info)
	s.addPolicies(r, info)
	slices.SortFunc(list, func(a, b *indexInfo) int { return strings.Compare(a.Stream+a.Name, b.Stream+b.Name) })
	reply(w, map[string]any{"indices": list, "policies": s.policies(r), "store": s.store(r)})
}

func (s *Server) addStreams(r *http.Request, info map[string]*indexInfo) {
	v, err := s.ask(r.Context(), s.cfg.Store, r, "GET", "/_data_stream", nil)
	if err != nil {
		return
	}
	for _, d := range v.GetArray("data_streams") {
		for _, i := range d.GetArray("indices") {
			if one := info[string(i.GetStringBytes("index_name"))]; one != nil {
				one.Stream = string(d.GetStringBytes("name"))
			}
		}
	}
}

func (s *Server) addPolicies(r *http.Request, info map[string]*indexInfo) {
	v, err := s.ask(r.Context(), s.cfg.Store, r, "GET", "/*/_ilm/explain?only_managed=true", nil)
	if err != nil {
		return
	}
	v.GetObject("indices").Visit(func(name []byte, e *fastjson.Value) {
		if one := info[string(name)]; one != nil {
			one.Policy = string(e.GetStringBytes("policy"))
		}
	})
}

func (s *Server) policies(r *http.Request) []policyInfo {
	list := []policyInfo{}
	v, err := s.ask(r.Context(), s.cfg.Store, r, "GET", "/_ilm/policy", nil)
	if err != nil || v.GetObject() == nil {
		return list
	}
	v.GetObject().Visit(func(name []byte, p *fastjson.Value) {
		list = append(list, policyInfo{string(name), string(p.GetStringBytes("policy", "phases", "delete", "min_age"))})
	})
	slices.SortFunc(list, func(a, b policyInfo) int { return strings.Compare(a.Name, b.Name) })
	return list
}

func (s *Server) store(r *http.Request) storeInfo {
	v, err := s.ask(r.Context(), s.cfg.Store, r, "GET", "/", nil)
	if err != nil {
		return storeInfo{Distribution: "unknown"}
	}
	info := storeInfo{string(v.GetStringBytes("cluster_name")), string(v.GetStringBytes("version", "number")), string(v.GetStringBytes("version", "distribution"))}
	if info.Distribution == "" {
		info.Distribution = "elasticsearch"
	}
	if s.cfg.Embedded {
		info.Distribution = "weir"
	}
	return info
}

// deleteIndex deletes one index or data stream, named whole: a pattern would take more than the page showed.
func (s *Server) deleteIndex(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if strings.ContainsAny(name, "*?,") || strings.HasPrefix(name, "_") || strings.HasPrefix(name, "weir-") || name == "" {
		fail(w, http.StatusBadRequest, "bad_request", fmt.Sprintf("%q cannot be deleted here", name))
		return
	}
	_, err := s.ask(r.Context(), s.cfg.Store, r, "DELETE", "/"+url.PathEscape(name), nil)
	if err != nil && strings.Contains(err.Error(), "data stream") {
		_, err = s.ask(r.Context(), s.cfg.Store, r, "DELETE", "/_data_stream/"+url.PathEscape(name), nil)
	}
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{})
}

// putRetention sets after how long a policy deletes, and applies it to an index pattern: {"delete_after": "30d", "index": "logs-*"}. The
// policy's other phases stay as they are.
func (s *Server) putRetention(w http.ResponseWriter, r *http.Request) {
	var req struct {
		After string `json:"delete_after"`
		Index string `json:"index"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	name := url.PathEscape(r.PathValue("name"))
	phases := map[string]any{}
	if v, err := s.ask(r.Context(), s.cfg.Store, r, "GET", "/_ilm/policy/"+name, nil); err == nil {
		v.Get(r.PathValue("name")).GetObject("policy", "phases").Visit(func(phase []byte, p *fastjson.Value) {
			phases[string(phase)] = json.RawMessage(p.MarshalTo(nil))
		})
	}
	if req.After != "" {
		phases["delete"] = map[string]any{"min_age": req.After, "actions": map[string]any{"delete": struct{}{}}}
	} else {
		delete(phases, "delete")
	}
	if len(phases) == 0 {
		phases["hot"] = map[string]any{"actions": struct{}{}}
	}
	if _, err := s.ask(r.Context(), s.cfg.Store, r, "PUT", "/_ilm/policy/"+name, map[string]any{"policy": map[string]any{"phases": phases}}); err != nil {
		failWith(w, err)
		return
	}
	if req.Index != "" {
		body := map[string]any{"index": map[string]any{"lifecycle": map[string]any{"name": r.PathValue("name")}}}
		if _, err := s.ask(r.Context(), s.cfg.Store, r, "PUT", "/"+url.PathEscape(req.Index)+"/_settings", body); err != nil {
			failWith(w, err)
			return
		}
	}
	reply(w, map[string]any{})
}

// checkText reports on a configuration: {"name": "filebeat.yml", "text": "..."}.
func (s *Server) checkText(w http.ResponseWriter, r *http.Request) {
	if s.cfg.Check == nil {
		failWith(w, es.Refuse(http.StatusNotImplemented, "no_check", "configurations are not checked by this process"))
		return
	}
	var req struct {
		Name string `json:"name"`
		Text string `json:"text"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	kind, problems, err := s.cfg.Check(req.Name, []byte(req.Text))
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{"kind": kind, "problems": problems})
}
