package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fastjson"
)

// valueTimeout bounds the look-up of values while typing: the list comes without them when the store is slower.
const valueTimeout = 200 * time.Millisecond

// kqlRequest is a query text and the place of the cursor in it, in UTF-16 units.
type kqlRequest struct {
	Text   string `json:"text"`
	Cursor int    `json:"cursor"`
	Index  string `json:"index"`
	TZ     string `json:"tz"`
}

// kql answers tokens, hints and completions of a text being typed: the parser's answer, with a field's values added.
func (s *Server) kql(w http.ResponseWriter, r *http.Request) {
	var req kqlRequest
	if !readJSON(w, r, &req) {
		return
	}
	req.Index = orDefault(req.Index, "logs-*")
	v, err := s.ask(r.Context(), s.cfg.KQL, r, "POST", "/_kql/parse", req)
	if err != nil {
		failWith(w, err)
		return
	}
	if c := v.Get("complete"); c != nil && hasKind(c, "value") {
		if field := string(c.GetStringBytes("field")); field != "" {
			s.addValues(r, req.Index, field, string(c.GetStringBytes("prefix")), c)
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(v.MarshalTo(nil))
}

func hasKind(c *fastjson.Value, kind string) bool {
	for _, k := range c.GetArray("kinds") {
		if string(k.GetStringBytes()) == kind {
			return true
		}
	}
	return false
}

// addValues puts the field's most frequent values that begin with prefix in front of the other completions.
func (s *Server) addValues(r *http.Request, index, field, prefix string, c *fastjson.Value) {
	ctx, cancel := context.WithTimeout(r.Context(), valueTimeout)
	defer cancel()
	body := map[string]any{"size": 0, "query": map[string]any{"range": map[string]any{"@timestamp": map[string]any{"gte": "now-1d"}}},
		"aggs": map[string]any{"v": map[string]any{"terms": map[string]any{"field": field, "size": 200}}}}
	v, err := s.search(ctx, r, index, body)
	if err != nil {
		return
	}
	var a fastjson.Arena
	items := a.NewArray()
	n := 0
	for _, b := range v.GetArray("aggregations", "v", "buckets") {
		text := keyText(b)
		if n >= topValues || !strings.HasPrefix(strings.ToLower(text), strings.ToLower(prefix)) {
			continue
		}
		item := a.NewObject()
		item.Set("text", a.NewString(quoteKQL(text)))
		item.Set("kind", a.NewString("value"))
		item.Set("detail", a.NewString(fmt.Sprint(b.GetInt64("doc_count"))))
		items.SetArrayItem(n, item)
		n++
	}
	for _, it := range c.GetArray("items") {
		items.SetArrayItem(n, it)
		n++
	}
	c.Set("items", items)
}

// quoteKQL writes a value so that KQL reads it as one.
func quoteKQL(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\r\n\\():<>\"*{}") {
		switch strings.ToLower(s) {
		case "and", "or", "not":
		default:
			return s
		}
	}
	b, _ := json.Marshal(s)
	return string(b)
}
