package rest

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// kqlRequest is a text with the place of the cursor in UTF-16 units; index names the fields to complete from.
type kqlRequest struct {
	Text   string `json:"text"`
	Cursor *int   `json:"cursor"`
	Index  string `json:"index"`
	TZ     string `json:"tz"`
}

func parseKQLRequest(body []byte) (kqlRequest, query.KQLOptions, error) {
	var req kqlRequest
	o := query.KQLOptions{Cursor: -1}
	if err := json.Unmarshal(body, &req); err != nil {
		return req, o, badRequest("parse_exception", "%v", err)
	}
	if len(req.Text) > query.MaxKQL {
		return req, o, illegal("the text has %d bytes, at most %d are read", len(req.Text), query.MaxKQL)
	}
	o.TimeZone = req.TZ
	if req.Cursor != nil {
		o.Cursor = *req.Cursor
	}
	return req, o, nil
}

// handleKQL answers POST /_kql/parse, which Elasticsearch does not have: tokens, hints, query DSL and completions of a KQL text.
func handleKQL(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	req, o, err := parseKQLRequest(body)
	if err != nil {
		return err
	}
	if req.Index != "" {
		refs, err := c.s.store.Resolve(req.Index, store.ResolveOptions{IgnoreUnavailable: true, Hidden: true})
		if err != nil {
			return err
		}
		c.kqlFields(refs, &o)
	}
	return c.reply(http.StatusOK, encode(query.ParseKQL(req.Text, o)))
}

// kqlFields gives the newest index's types and the names of all indices' fields.
func (c *call) kqlFields(refs []store.IndexRef, o *query.KQLOptions) {
	seen := map[string]bool{}
	for _, r := range refs {
		i, ok := c.s.store.Info(r.Name)
		if !ok {
			continue
		}
		o.Mapping = i.Mapping
		i.Mapping.Each(func(f *mapping.Field) {
			if !seen[f.Path] {
				seen[f.Path] = true
				o.Names = append(o.Names, f.Path)
			}
		})
	}
	slices.Sort(o.Names)
}

// ServeKQL answers the same without a store, for a UI over a real cluster: types are then unknown and fields are matched.
func ServeKQL(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*query.MaxKQL))
	if err != nil {
		writeError(w, badRequest("parse_exception", "read body: %v", err))
		return
	}
	req, o, err := parseKQLRequest(body)
	if err != nil {
		writeError(w, err)
		return
	}
	w.Write(encode(query.ParseKQL(req.Text, o)))
}
