package rest

import (
	"bytes"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

var searchParams = append([]string{"q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient", "from", "size", "sort", "search_after", "track_total_hits", "track_scores", "terminate_after",
	"_source", "_source_includes", "_source_excludes", "stored_fields", "docvalue_fields", "version", "seq_no_primary_term", "explain", "min_score", "typed_keys", "rest_total_hits_as_int",
	"preference", "routing", "request_cache", "search_type", "batched_reduce_size", "pre_filter_shard_size", "max_concurrent_shard_requests", "max_concurrent_searches", "allow_partial_search_results",
	"ccs_minimize_roundtrips", "enable_fields_emulation", "force_synthetic_source", "include_named_queries_score", "phase_took"}, indexParams...)

// maxSearches bounds one _msearch.
const maxSearches = 1000

// handleSearch answers [/{index}]/_search.
func handleSearch(c *call) error {
	req, err := c.searchRequest()
	if err != nil {
		return err
	}
	enc, err := c.encoding()
	if err != nil {
		return err
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	resp, err := c.s.store.Search(c.r.Context(), c.vars["index"], o, req)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, resp.AppendJSON(nil, enc))
}

// searchRequest reads the body, then lets the URL's parameters win.
func (c *call) searchRequest() (*query.Request, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(`"pit"`)) {
		if v, err := fastjson.ParseBytes(body); err == nil && v.Get("pit") != nil {
			return nil, illegal("[pit] is not supported: page with search_after")
		}
	}
	if c.params.has("scroll") {
		return nil, illegal("[scroll] is not supported: page with search_after")
	}
	req, err := query.ParseRequest(string(body))
	if err != nil {
		return nil, err
	}
	if err := c.urlParams(req); err != nil {
		return nil, err
	}
	return req, req.Check()
}

func (c *call) urlParams(req *query.Request) (err error) {
	p := c.params
	if req.From, err = p.integer("from", req.From); err != nil {
		return err
	}
	if req.Size, err = p.integer("size", req.Size); err != nil {
		return err
	}
	if req.TerminateAfter, err = p.integer("terminate_after", req.TerminateAfter); err != nil {
		return err
	}
	if req.Version, err = p.boolean("version", req.Version); err != nil {
		return err
	}
	if req.SeqNo, err = p.boolean("seq_no_primary_term", req.SeqNo); err != nil {
		return err
	}
	if s := p.str("sort", ""); s != "" {
		if req.Sort, err = query.ParseSortParam(s); err != nil {
			return err
		}
	}
	if p.has("q") {
		if req.Query, err = c.urlQuery(); err != nil {
			return err
		}
	}
	if t := p.str("timeout", ""); t != "" {
		d, err := parseTime("timeout", t)
		if err != nil {
			return err
		}
		req.Timeout = max(d, 0)
	}
	c.sourceParams(req)
	return c.totalParam(req)
}

func (c *call) sourceParams(req *query.Request) {
	switch s := c.params.str("_source", "true"); s {
	case "true", "":
	case "false":
		req.Source.None = true
	default:
		req.Source = query.SourceFilter{Includes: strings.Split(s, ",")}
	}
	if in := c.params.list("_source_includes"); in != nil {
		req.Source.None, req.Source.Includes = false, in
	}
	if ex := c.params.list("_source_excludes"); ex != nil {
		req.Source.None, req.Source.Excludes = false, ex
	}
	if s := c.params.list("stored_fields"); s != nil {
		req.Stored = s
	}
	for _, f := range c.params.list("docvalue_fields") {
		req.Docvalues = append(req.Docvalues, query.FieldSpec{Field: f})
	}
}

func (c *call) totalParam(req *query.Request) error {
	switch s := c.params.str("track_total_hits", "absent"); s {
	case "absent":
	case "true", "":
		req.TrackTotal = query.CountAll
	case "false":
		req.TrackTotal = 0
	default:
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			return illegal("Failed to parse value [%s] of [track_total_hits] as a boolean or a number", s)
		}
		req.TrackTotal = n
	}
	return nil
}

// urlQuery reads ?q= with df, default_operator, analyzer, analyze_wildcard and lenient.
func (c *call) urlQuery() (query.Query, error) {
	wild, err := c.params.boolean("analyze_wildcard", false)
	if err != nil {
		return nil, err
	}
	lenient, err := c.params.boolean("lenient", false)
	if err != nil {
		return nil, err
	}
	return query.ParseURLQuery(c.params.str("q", ""), query.URLQuery{DefaultField: c.params.str("df", ""), Operator: c.params.str("default_operator", ""),
		Analyzer: c.params.str("analyzer", ""), AnalyzeWildcard: wild, Lenient: lenient})
}

func (c *call) encoding() (search.Encoding, error) {
	asInt, err := c.params.boolean("rest_total_hits_as_int", false)
	if err != nil {
		return search.Encoding{}, err
	}
	typed, err := c.params.boolean("typed_keys", false)
	return search.Encoding{TotalAsInt: asInt, TypedKeys: typed}, err
}

// handleCount answers [/{index}]/_count.
func handleCount(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	req, err := query.ParseRequest(string(body))
	if err != nil {
		return err
	}
	if c.params.has("q") {
		if req.Query, err = c.urlQuery(); err != nil {
			return err
		}
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	resp, err := c.s.store.Count(c.r.Context(), c.vars["index"], o, req.Query)
	if err != nil {
		return err
	}
	sh := resp.Shards
	return c.reply(http.StatusOK, newObject().set("count", resp.Total).
		set("_shards", newObject().set("total", sh.Total).set("successful", sh.Successful).set("skipped", sh.Skipped).set("failed", sh.Failed)).bytes())
}

// handleMsearch answers [/{index}]/_msearch: pairs of lines, each answered alone.
func handleMsearch(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	enc, err := c.encoding()
	if err != nil {
		return err
	}
	lines := bytes.Split(bytes.TrimRight(body, "\r\n"), []byte{'\n'})
	if len(lines)%2 != 0 || len(body) == 0 {
		return illegal("The msearch request must be terminated by a newline [\\n] and hold pairs of header and body")
	}
	if len(lines)/2 > maxSearches {
		return illegal("%d searches in one request, at most %d are taken", len(lines)/2, maxSearches)
	}
	out := []byte(`{"took":0,"responses":[`)
	for i := 0; i < len(lines); i += 2 {
		if i > 0 {
			out = append(out, ',')
		}
		if c.r.Context().Err() != nil {
			return c.r.Context().Err()
		}
		out = c.oneSearch(out, lines[i], lines[i+1], enc)
	}
	return c.reply(http.StatusOK, append(out, "]}"...))
}

// oneSearch appends the answer of one pair, errors included.
func (c *call) oneSearch(out, header, body []byte, enc search.Encoding) []byte {
	fail := func(err error) []byte {
		cs, status := causeOf(err)
		root := cs
		cs.Root = []cause{root}
		return append(out, newObject().set("error", orderedError(cs)).set("status", status).bytes()...)
	}
	one, err := c.searchHeader(header)
	if err != nil {
		return fail(err)
	}
	req, err := query.ParseRequest(string(body))
	if err == nil {
		err = req.Check()
	}
	if err != nil {
		return fail(err)
	}
	o, err := one.resolveOptions()
	if err != nil {
		return fail(err)
	}
	resp, err := c.s.store.Search(c.r.Context(), one.vars["index"], o, req)
	if err != nil {
		return fail(err)
	}
	out = resp.AppendJSON(out, enc)
	return append(out[:len(out)-1], `,"status":200}`...)
}

// searchHeader turns a header line into a call with its own index and parameters.
func (c *call) searchHeader(header []byte) (*call, error) {
	one := &call{s: c.s, r: c.r, vars: map[string]string{"index": c.vars["index"]}, params: params{url.Values{}}}
	for k, v := range c.params.values {
		one.params.values[k] = v
	}
	if len(bytes.TrimSpace(header)) == 0 {
		return one, nil
	}
	v, err := fastjson.ParseBytes(header)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil, badRequest("parse_exception", "header of a search is not a JSON object: %s", header[:min(len(header), 100)])
	}
	var bad error
	v.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		switch k := string(key); k {
		case "index", "indices":
			names := []string{}
			if v.Type() == fastjson.TypeArray {
				for _, e := range v.GetArray() {
					names = append(names, string(e.GetStringBytes()))
				}
			} else {
				names = append(names, string(v.GetStringBytes()))
			}
			one.vars["index"] = strings.Join(names, ",")
		case "ignore_unavailable", "allow_no_indices", "expand_wildcards":
			one.params.values.Set(k, scalarText(v))
		case "search_type", "preference", "routing", "request_cache", "allow_partial_search_results", "ccs_minimize_roundtrips", "ignore_throttled", "max_concurrent_shard_requests", "project_routing":
		default:
			bad = illegal("key [%s] is not supported in the metadata section", k)
		}
	})
	return one, bad
}

// handleFieldCaps answers [/{index}]/_field_caps.
func handleFieldCaps(c *call) error {
	fields := c.params.list("fields")
	if body, err := c.body(); err != nil {
		return err
	} else if len(bytes.TrimSpace(body)) > 0 {
		v, err := fastjson.ParseBytes(body)
		if err != nil {
			return badRequest("parse_exception", "%v", err)
		}
		for _, f := range v.GetArray("fields") {
			fields = append(fields, string(f.GetStringBytes()))
		}
	}
	if len(fields) == 0 {
		return badRequest("action_request_validation_exception", "Validation Failed: 1: no fields specified;")
	}
	unmapped, err := c.params.boolean("include_unmapped", false)
	if err != nil {
		return err
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	b, err := c.s.store.FieldCaps(c.r.Context(), c.vars["index"], o, search.CapsRequest{Fields: fields, Types: c.params.list("types"), IncludeUnmapped: unmapped})
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, b)
}

// queryError finds a query's refusal in err.
func queryError(err error) (*query.Error, bool) {
	var e *query.Error
	return e, errors.As(err, &e)
}
