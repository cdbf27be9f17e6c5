package rest

import (
	"net/http"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// Bounds of _terms_enum.
const (
	termsDefault = 10
	termsMost    = 10_000
	termsTime    = time.Second
)

// handleTermsEnum answers /{index}/_terms_enum.
func handleTermsEnum(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	req := search.TermsRequest{Size: termsDefault, Timeout: termsTime}
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		switch string(k) {
		case "field":
			req.Field = string(e.GetStringBytes())
		case "string":
			req.Prefix = string(e.GetStringBytes())
		case "search_after":
			req.After = string(e.GetStringBytes())
		case "size":
			req.Size = e.GetInt()
		case "timeout":
			req.Timeout, bad = parseTime("timeout", string(e.GetStringBytes()))
		case "case_insensitive":
			req.Fold = e.Type() == fastjson.TypeTrue
		case "index_filter":
			req.Filter, bad = query.ParseText(string(e.MarshalTo(nil)))
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [terms_enum] unknown field [%s]", k)
		}
	})
	switch {
	case bad != nil:
		return bad
	case req.Field == "":
		return validation([]string{"field cannot be null"})
	case req.Size < 1 || req.Size > termsMost:
		return illegal("[size] must be between 1 and %d, got %d", termsMost, req.Size)
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	terms, complete, err := c.s.store.TermsEnum(c.r.Context(), c.vars["index"], o, req)
	if err != nil {
		return err
	}
	if terms == nil {
		terms = []string{}
	}
	names, err := c.names(c.vars["index"])
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("_shards", newObject().set("total", len(names)).set("successful", len(names)).set("failed", 0)).
		set("terms", terms).set("complete", complete).bytes())
}
