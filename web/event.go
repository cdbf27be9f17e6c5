package web

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/live"
)

// maxContext is the most lines shown on either side of one.
const maxContext = 500

// event answers one whole document.
func (s *Server) event(w http.ResponseWriter, r *http.Request) {
	hit, err := s.hit(r.Context(), r, r.FormValue("index"), r.FormValue("id"))
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{"index": string(hit.GetStringBytes("_index")), "id": string(hit.GetStringBytes("_id")), "source": json.RawMessage(hit.Get("_source").MarshalTo(nil))})
}

// hit finds a document by id; a data stream's name will do as index.
func (s *Server) hit(ctx context.Context, r *http.Request, index, id string) (*fastjson.Value, error) {
	if index == "" || id == "" {
		return nil, es.Refuse(http.StatusBadRequest, "bad_request", "index and id are needed")
	}
	v, err := s.search(ctx, r, index, map[string]any{"size": 1, "query": map[string]any{"ids": map[string]any{"values": []string{id}}}})
	if err != nil {
		return nil, err
	}
	hits := v.GetArray("hits", "hits")
	if len(hits) == 0 {
		return nil, es.Refuse(http.StatusNotFound, "not_found", "no document with id "+strconv.Quote(id)+" in "+index)
	}
	return hits[0], nil
}

// context answers the lines around one: of the same file in file order where the document says where it stood, else by time.
func (s *Server) context(w http.ResponseWriter, r *http.Request) {
	index, n := r.FormValue("index"), 50
	if v, err := strconv.Atoi(r.FormValue("n")); err == nil {
		n = min(max(v, 1), maxContext)
	}
	hit, err := s.hit(r.Context(), r, index, r.FormValue("id"))
	if err != nil {
		failWith(w, err)
		return
	}
	var b live.Builder
	row := b.Row(string(hit.GetStringBytes("_index")), string(hit.GetStringBytes("_id")), hit.Get("_source").MarshalTo(nil))
	before, err := s.neighbours(r.Context(), r, index, row, "desc", n)
	if err == nil {
		var after []live.Row
		if after, err = s.neighbours(r.Context(), r, index, row, "asc", n); err == nil {
			slices.Reverse(before)
			reply(w, map[string]any{"before": before, "hit": row, "after": after})
			return
		}
	}
	failWith(w, err)
}

// neighbours are up to n rows on one side of row, the nearest first.
func (s *Server) neighbours(ctx context.Context, r *http.Request, index string, row live.Row, dir string, n int) ([]live.Row, error) {
	op := map[string]string{"asc": "gt", "desc": "lt"}[dir]
	body := map[string]any{"size": n, "track_total_hits": false}
	if row.Source != nil && row.Source.ID != "" {
		body["query"] = map[string]any{"bool": map[string]any{"filter": []any{
			map[string]any{"term": map[string]any{"weir.source": row.Source.ID}},
			map[string]any{"range": map[string]any{"log.offset": map[string]any{op: row.Source.Offset}}}}}}
		body["sort"] = []any{map[string]any{"log.offset": map[string]any{"order": dir}}}
	} else {
		body["query"] = map[string]any{"range": map[string]any{"@timestamp": map[string]any{op: row.T, "format": "epoch_millis"}}}
		body["sort"] = order(dir)
	}
	v, err := s.search(ctx, r, index, body)
	if err != nil {
		return nil, err
	}
	return rowsOf(v, false), nil
}

// fields answers the fields of an index pattern.
func (s *Server) fields(w http.ResponseWriter, r *http.Request) {
	v, err := s.fieldCaps(r.Context(), r, orDefault(r.FormValue("index"), "logs-*"))
	if err != nil {
		failWith(w, err)
		return
	}
	reply(w, map[string]any{"fields": v})
}

// fieldInfo is one field of an index pattern.
type fieldInfo struct {
	Name         string `json:"name"`
	Type         string `json:"type"`
	Searchable   bool   `json:"searchable"`
	Aggregatable bool   `json:"aggregatable"`
}

func (s *Server) fieldCaps(ctx context.Context, r *http.Request, index string) ([]fieldInfo, error) {
	v, err := s.ask(ctx, s.cfg.Store, r, "GET", "/"+url.PathEscape(index)+"/_field_caps?fields=*&ignore_unavailable=true&allow_no_indices=true", nil)
	if err != nil {
		return nil, err
	}
	list := []fieldInfo{}
	v.GetObject("fields").Visit(func(name []byte, types *fastjson.Value) {
		f := fieldInfo{Name: string(name)}
		types.GetObject().Visit(func(typ []byte, caps *fastjson.Value) {
			if caps.GetBool("metadata_field") || string(typ) == "object" || string(typ) == "unmapped" {
				return
			}
			f.Type = string(typ)
			f.Searchable, f.Aggregatable = f.Searchable || caps.GetBool("searchable"), f.Aggregatable || caps.GetBool("aggregatable")
		})
		if f.Type != "" {
			list = append(list, f)
		}
	})
	slices.SortFunc(list, func(a, b fieldInfo) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list, nil
}
