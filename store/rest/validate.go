package rest

import (
	"net/http"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/query"
)

var validateParams = append([]string{"explain", "all_shards", "rewrite", "q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient"}, indexParams...)

// handleValidate answers [/{index}]/_validate/query.
func handleValidate(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	explain, err := c.params.boolean("explain", false)
	if err != nil {
		return err
	}
	names, err := c.names(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject().set("_shards", newObject().set("total", 1).set("successful", 1).set("failed", 0))
	q, bad := c.validated(body)
	if bad != nil {
		o.set("valid", false)
		if explain {
			cs, _ := causeOf(bad)
			o.set("error", "org.elasticsearch.common.ParsingException: "+cs.Reason)
		}
		return c.reply(http.StatusOK, o.bytes())
	}
	valid := true
	explanations := []any{}
	for _, n := range names {
		one := newObject().set("index", n)
		if err := c.s.store.CheckQuery(n, q); err != nil {
			valid = false
			cs, _ := causeOf(err)
			one.set("valid", false).set("error", n+"/"+cs.Type+": "+cs.Reason)
		} else {
			one.set("valid", true).set("explanation", explanationOf(body))
		}
		explanations = append(explanations, one)
	}
	o.set("valid", valid)
	if explain {
		o.set("explanations", explanations)
	}
	return c.reply(http.StatusOK, o.bytes())
}

// validated is the request's query, or why there is none.
func (c *call) validated(body []byte) (query.Query, error) {
	if c.params.has("q") {
		return c.urlQuery()
	}
	if err := onlyKeys(body, "query"); err != nil {
		return nil, err
	}
	req, err := query.ParseRequest(string(body))
	if err != nil {
		return nil, err
	}
	return req.Query, nil
}

// explanationOf is a query as it was read: its JSON, compact.
func explanationOf(body []byte) string {
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Get("query") == nil {
		return "*:*"
	}
	return string(v.Get("query").MarshalTo(nil))
}

var explainParams = append([]string{"q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient", "stored_fields", "routing", "preference", "_source", "_source_includes", "_source_excludes"}, indexParams...)

// handleExplain answers /{index}/_explain/{id}: whether a document matches, and with what score.
func handleExplain(c *call) error {
	g, err := c.get(c.vars["index"], c.vars["id"])
	if err != nil {
		return err
	}
	o := newObject().set("_index", g.Index).set("_id", g.ID)
	if !g.found {
		return c.reply(http.StatusNotFound, o.set("matched", false).bytes())
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(body))) == 0 && !c.params.has("q") {
		return validation([]string{"query is missing"})
	}
	q, err := c.validated(body)
	if err != nil {
		return err
	}
	req := query.NewRequest()
	req.Query, req.Size, req.Source.None = query.AllOf(query.IDs(g.ID)), 1, true
	req.Query = query.Filtered(q, query.IDs(g.ID))
	resp, err := c.s.store.Search(c.r.Context(), g.Index, store.ResolveOptions{Hidden: true}, req)
	if err != nil {
		return err
	}
	if len(resp.Hits) == 0 {
		return c.reply(http.StatusOK, o.set("matched", false).set("explanation", explained(0, "no matching clause", "the query does not match the document")).bytes())
	}
	score := float32(0)
	if resp.Hits[0].Score != nil {
		score = *resp.Hits[0].Score
	}
	return c.reply(http.StatusOK, o.set("matched", true).set("explanation", explained(score, "score of the query", explanationOf(body))).bytes())
}

// explained is a score with the clause it comes from.
func explained(score float32, what, clause string) *object {
	return newObject().set("value", score).set("description", what).set("details", []any{newObject().set("value", score).set("description", clause).set("details", []any{})})
}
