package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/contexts"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
	"github.com/weirlog/weir/store/tasks"
)

var searchParams = append([]string{"q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient", "from", "size", "sort", "search_after", "track_total_hits", "track_scores", "terminate_after",
	"_source", "_source_includes", "_source_excludes", "stored_fields", "docvalue_fields", "version", "seq_no_primary_term", "explain", "min_score", "typed_keys", "rest_total_hits_as_int",
	"preference", "routing", "request_cache", "search_type", "batched_reduce_size", "pre_filter_shard_size", "max_concurrent_shard_requests", "max_concurrent_searches", "allow_partial_search_results",
	"ccs_minimize_roundtrips", "enable_fields_emulation", "force_synthetic_source", "include_named_queries_score", "phase_took"}, indexParams...)

// maxSearches bounds one _msearch.
const maxSearches = 1000

// searching is a search that was asked for, ready to run.
type searching struct {
	req    *query.Request
	enc    search.Encoding
	expr   string
	opts   store.ResolveOptions
	pit    string        // id of a point in time, "" for none
	keep   time.Duration // the point in time's new keep-alive, 0 leaves it
	scroll time.Duration // 0: it is none
	body   []byte        // for the slow log
}

// handleSearch answers [/{index}]/_search.
func handleSearch(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	return c.answerSearch(body)
}

// answerSearch runs the search a body asks for, and answers it.
func (c *call) answerSearch(body []byte) error {
	sg, err := c.searching(body, true)
	if err != nil {
		return err
	}
	out, err := c.s.search(c.r.Context(), sg, c.taskInfo("indices:data/read/search", sg.describe()))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

// searching reads a body, then lets the URL's parameters win when the search is the request's only one.
func (c *call) searching(body []byte, url bool) (*searching, error) {
	sg := &searching{expr: c.vars["index"], body: body}
	err := sg.readPIT(body)
	if err != nil {
		return nil, err
	}
	if sg.opts, err = c.resolveOptions(); err != nil {
		return nil, err
	}
	if sg.enc, err = c.encoding(); err != nil {
		return nil, err
	}
	if sg.req, err = query.ReadRequest(string(body)); err != nil {
		return nil, err
	}
	if url {
		if err := c.urlParams(sg.req); err != nil {
			return nil, err
		}
		if err := c.scrollParam(sg); err != nil {
			return nil, err
		}
	}
	if sg.pit != "" {
		if err := sg.checkPIT(c); err != nil {
			return nil, err
		}
	}
	return sg, sg.req.Check()
}

// describe is how a task list shows the search.
func (sg *searching) describe() string {
	const most = 1000
	b := sg.body
	if len(b) > most {
		b = b[:most]
	}
	return fmt.Sprintf("indices[%s], search_type[QUERY_THEN_FETCH], source[%s]", sg.expr, b)
}

// readPIT reads "pit" of a body, which query.ParseRequest leaves to us.
func (sg *searching) readPIT(body []byte) error {
	if !bytes.Contains(body, []byte(`"pit"`)) {
		return nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Get("pit") == nil {
		return nil // what is wrong with the body is told by its parser
	}
	if sg.pit = string(v.GetStringBytes("pit", "id")); sg.pit == "" {
		return illegal("point in time id must be set")
	}
	if k := string(v.GetStringBytes("pit", "keep_alive")); k != "" {
		if sg.keep, err = parseTime("keep_alive", k); err != nil {
			return err
		}
		return contexts.CheckKeepAlive(sg.keep, k)
	}
	return nil
}

// checkPIT refuses what a point in time settles itself, and makes the order of hits total.
func (sg *searching) checkPIT(c *call) error {
	for _, p := range []struct {
		name string
		on   bool
	}{{"indices", sg.expr != ""}, {"routing", c.params.has("routing")}, {"preference", c.params.has("preference")}} {
		if p.on {
			return badRequest("action_request_validation_exception", "Validation Failed: 1: [%s] cannot be used with point in time. Do not specify any index with point in time.;", p.name)
		}
	}
	if sg.scroll > 0 {
		return badRequest("action_request_validation_exception", "Validation Failed: 1: using [point in time] is not allowed in a scroll context;")
	}
	if len(sg.req.Sort) > 0 && !slices.ContainsFunc(sg.req.Sort, func(k query.SortKey) bool { return k.Field == "_shard_doc" }) &&
		(len(sg.req.SearchAfter) == 0 || len(sg.req.SearchAfter) == len(sg.req.Sort)+1) {
		sg.req.Sort = append(sg.req.Sort, query.SortKey{Field: "_shard_doc"})
	}
	return nil
}

// search runs a search as a task and prints its answer.
func (s *Server) search(ctx context.Context, sg *searching, info tasks.Info) ([]byte, error) {
	ctx, t, err := s.tasks.Begin(ctx, info)
	if err != nil {
		return nil, &store.Error{Status: 429, Type: "es_rejected_execution_exception", Reason: err.Error()}
	}
	defer s.tasks.End(t)
	return s.searchIn(ctx, sg, t)
}

// searchIn is search inside a task.
func (s *Server) searchIn(ctx context.Context, sg *searching, t *tasks.Task) ([]byte, error) {
	var resp *search.Response
	var id string
	var err error
	switch {
	case sg.pit != "":
		var v *store.View
		var done func()
		if v, done, err = s.contexts.UsePIT(sg.pit, sg.keep); err != nil {
			return nil, err
		}
		defer done()
		id = `,"pit_id":` + string(encode(sg.pit))
		resp, err = s.store.SearchView(ctx, v, sg.req, nil)
	case sg.scroll > 0:
		var sc *contexts.Scroll
		if sc, err = s.contexts.OpenScroll(sg.expr, sg.opts, sg.req, sg.enc, sg.scroll); err != nil {
			return nil, err
		}
		id = `"_scroll_id":` + string(encode(sc.ID)) + ","
		if resp, _, err = s.contexts.Next(ctx, sc); err != nil {
			s.contexts.CloseScroll(sc.ID)
		}
	default:
		resp, err = s.store.Search(ctx, sg.expr, sg.opts, sg.req)
	}
	if err != nil {
		return nil, s.whyEnded(ctx, err)
	}
	s.searched(sg, resp, t)
	out := resp.AppendJSON(nil, sg.enc)
	switch {
	case sg.pit != "":
		out = append(append(out[:len(out)-1], id...), '}')
	case id != "":
		out = slices.Insert(out, 1, []byte(id)...)
	}
	return out, nil
}

// whyEnded is the error of a search that was cancelled as its client sees it.
func (s *Server) whyEnded(ctx context.Context, err error) error {
	var c *tasks.Cancelled
	if errors.As(context.Cause(ctx), &c) {
		return badRequest("task_cancelled_exception", "%s", c.Error())
	}
	return err
}

// searched counts a search and tells the slow log.
func (s *Server) searched(sg *searching, resp *search.Response, t *tasks.Task) {
	s.counts.searches.Add(1)
	s.counts.searchNanos.Add(int64(resp.Took))
	if len(resp.Hits) > 0 {
		s.counts.fetches.Add(1)
	}
	s.slow(sg, resp, t)
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
	if req.TrackScores, err = p.boolean("track_scores", req.TrackScores); err != nil {
		return err
	}
	if m, err := c.minScore(); err != nil {
		return err
	} else if m != nil {
		req.MinScore = m
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
	if err := onlyKeys(body, "query"); err != nil {
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
	if req.TerminateAfter, err = c.params.integer("terminate_after", 0); err != nil {
		return err
	}
	if req.MinScore, err = c.minScore(); err != nil {
		return err
	}
	req.Size, req.TrackTotal = 0, query.CountAll
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	resp, err := c.s.store.Search(c.r.Context(), c.vars["index"], o, req)
	if err != nil {
		return err
	}
	out := newObject().set("count", resp.Total)
	if req.TerminateAfter > 0 {
		out.set("terminated_early", resp.Early)
	}
	return c.reply(http.StatusOK, out.set("_shards", shardsOf(resp.Shards)).bytes())
}

func shardsOf(sh search.Shards) *object {
	return newObject().set("total", sh.Total).set("successful", sh.Successful).set("skipped", sh.Skipped).set("failed", sh.Failed)
}

// onlyKeys refuses a body with other keys.
func onlyKeys(body []byte, keys ...string) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return badRequest("parsing_exception", "request body is not a JSON object")
	}
	var bad error
	v.GetObject().Visit(func(k []byte, _ *fastjson.Value) {
		if !slices.Contains(keys, string(k)) && bad == nil {
			bad = badRequest("parsing_exception", "request does not support [%s]", k)
		}
	})
	return bad
}

func (c *call) minScore() (*float32, error) {
	text := c.params.str("min_score", "")
	if text == "" {
		return nil, nil
	}
	f, err := strconv.ParseFloat(text, 32)
	if err != nil {
		return nil, illegal("Failed to parse float parameter [min_score] with value [%s]", text)
	}
	f32 := float32(f)
	return &f32, nil
}

// handleMsearch answers [/{index}]/_msearch: pairs of lines, each answered alone.
func handleMsearch(c *call) error {
	return c.multiSearch(func(b []byte) ([]byte, error) { return b, nil })
}

// multiSearch answers pairs of lines; source turns a body into that of a search.
func (c *call) multiSearch(source func(body []byte) ([]byte, error)) error {
	start := time.Now()
	body, err := c.body()
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
	out := []byte{}
	for i := 0; i < len(lines); i += 2 {
		if i > 0 {
			out = append(out, ',')
		}
		if c.r.Context().Err() != nil {
			return c.r.Context().Err()
		}
		one, err := c.oneSearch(lines[i], lines[i+1], source)
		if err != nil {
			out = append(out, errorBody(err)...)
			continue
		}
		out = append(append(out, one[:len(one)-1]...), `,"status":200}`...)
	}
	head := fmt.Appendf(nil, `{"took":%d,"responses":[`, time.Since(start).Milliseconds())
	return c.reply(http.StatusOK, append(append(head, out...), "]}"...))
}

// oneSearch answers one pair.
func (c *call) oneSearch(header, body []byte, source func(body []byte) ([]byte, error)) ([]byte, error) {
	one, err := c.searchHeader(header)
	if err != nil {
		return nil, err
	}
	if body, err = source(body); err != nil {
		return nil, err
	}
	sg, err := one.searching(body, false)
	if err != nil {
		return nil, err
	}
	return c.s.search(c.r.Context(), sg, c.taskInfo("indices:data/read/search", sg.describe()))
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

// queryError finds a query's refusal in err.
func queryError(err error) (*query.Error, bool) {
	var e *query.Error
	return e, errors.As(err, &e)
}
