package web

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// How many values of a field are listed.
const (
	topValues = 10
	maxValues = 1000
)

// values answers a field's top values under the page's query, with how many rows have the field at all.
func (s *Server) values(w http.ResponseWriter, r *http.Request) {
	field := r.FormValue("field")
	if field == "" {
		fail(w, http.StatusBadRequest, "bad_request", "field is needed")
		return
	}
	req := exploreRequest{Index: r.FormValue("index"), Query: r.FormValue("query"), Lang: r.FormValue("lang"),
		From: r.FormValue("from"), To: r.FormValue("to"), TZ: r.FormValue("tz")}
	if f := r.FormValue("filters"); f != "" {
		if err := json.Unmarshal([]byte(f), &req.Filters); err != nil {
			fail(w, http.StatusBadRequest, "bad_request", "filters: "+err.Error())
			return
		}
	}
	size := topValues
	if n, err := strconv.Atoi(r.FormValue("size")); err == nil {
		size = min(max(n, 1), maxValues)
	}
	q, err := s.newQuery(r.Context(), r, req)
	if err != nil {
		failWith(w, err)
		return
	}
	if q.dsl == nil {
		fail(w, http.StatusBadRequest, "bad_query", "the query cannot be read")
		return
	}
	v, err := s.search(r.Context(), r, q.req.Index, map[string]any{"size": 0, "track_total_hits": true, "query": q.body(q.from, q.to, true),
		"aggs": map[string]any{
			"top":      map[string]any{"terms": map[string]any{"field": field, "size": size}},
			"distinct": map[string]any{"cardinality": map[string]any{"field": field}},
			"exists":   map[string]any{"filter": map[string]any{"exists": map[string]any{"field": field}}}}})
	if err != nil {
		failWith(w, err)
		return
	}
	type value struct {
		Value string `json:"value"`
		N     int64  `json:"n"`
	}
	list := []value{}
	for _, b := range v.GetArray("aggregations", "top", "buckets") {
		list = append(list, value{keyText(b), b.GetInt64("doc_count")})
	}
	reply(w, map[string]any{"total": v.GetInt64("hits", "total", "value"), "exists": v.GetInt64("aggregations", "exists", "doc_count"),
		"distinct": v.GetInt64("aggregations", "distinct", "value"), "values": list})
}
