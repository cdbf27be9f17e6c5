package rest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/byquery"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/tasks"
)

var (
	byQueryParams = append([]string{"conflicts", "max_docs", "scroll_size", "scroll", "search_timeout", "slices", "requests_per_second", "wait_for_completion", "refresh", "wait_for_active_shards", "pipeline",
		"size", "version", "stats", "request_cache", "search_type", "preference", "routing", "sort", "from", "terminate_after", "_source", "q", "df", "default_operator", "analyzer", "analyze_wildcard", "lenient"}, indexParams...)
	reindexParams = []string{"slices", "requests_per_second", "wait_for_completion", "refresh", "wait_for_active_shards", "scroll", "max_docs", "require_alias"}
)

// byQuery is a request of one of the three kinds, read.
type byQuery struct {
	req     *byquery.Request
	rate    float64
	refresh bool
	action  string
}

// handleUpdateByQuery answers POST /{index}/_update_by_query.
func handleUpdateByQuery(c *call) error { return c.byQuery(byquery.Update) }

// handleDeleteByQuery answers POST /{index}/_delete_by_query.
func handleDeleteByQuery(c *call) error { return c.byQuery(byquery.Delete) }

func (c *call) byQuery(kind byquery.Kind) error {
	b := &byQuery{req: &byquery.Request{Kind: kind, Expr: c.vars["index"]}, action: "indices:data/write/update/byquery"}
	if kind == byquery.Delete {
		b.action = "indices:data/write/delete/byquery"
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := c.byQueryBody(b, body); err != nil {
		return err
	}
	if b.req.Opts, err = c.resolveOptions(); err != nil {
		return err
	}
	if c.params.has("q") {
		if b.req.Search.Query, err = c.urlQuery(); err != nil {
			return err
		}
	} else if kind == byquery.Delete && !bytes.Contains(body, []byte(`"query"`)) {
		return validation([]string{"query is missing"})
	}
	if b.req.Pipeline = c.params.str("pipeline", ""); b.req.Pipeline != "" {
		if err := c.s.hasPipeline(b.req.Pipeline); err != nil {
			return err
		}
	}
	if b.req.Search.Size, err = c.params.integer("scroll_size", byquery.DefaultBatch); err != nil {
		return err
	}
	if conflicts := c.params.str("conflicts", ""); conflicts != "" {
		if b.req.Proceed, err = conflictsOf(conflicts); err != nil {
			return err
		}
	}
	return c.runByQuery(b)
}

func conflictsOf(s string) (proceed bool, err error) {
	switch s {
	case "proceed":
		return true, nil
	case "abort":
		return false, nil
	}
	return false, illegal(`conflicts may only be "proceed" or "abort" but was [%s]`, s)
}

// byQueryBody reads query, slice, sort, max_docs, conflicts and script.
func (c *call) byQueryBody(b *byQuery, body []byte) error {
	b.req.Search = query.NewRequest()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return badRequest("parsing_exception", "request body is not a JSON object")
	}
	search := newObject()
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		if bad != nil {
			return
		}
		switch key := string(k); key {
		case "script":
			if b.req.Kind == byquery.Delete {
				bad = badRequest("parsing_exception", "request does not support [script]")
				return
			}
			b.req.Script, bad = c.s.store.Script(e)
		case "conflicts":
			b.req.Proceed, bad = conflictsOf(string(e.GetStringBytes()))
		case "max_docs":
			if b.req.Max = e.GetInt(); b.req.Max < 1 {
				bad = illegal("[max_docs] parameter must be greater than 0, found [%d]", b.req.Max)
			}
		case "query", "slice", "sort", "_source":
			search.raw(key, e.MarshalTo(nil))
		case "size":
			b.req.Max = e.GetInt()
		default:
			bad = badRequest("parsing_exception", "request does not support [%s]", k)
		}
	})
	if bad != nil {
		return bad
	}
	req, err := query.ParseRequest(string(search.bytes()))
	if err == nil {
		b.req.Search = req
	}
	return err
}

// runByQuery reads what all three have in the URL, and runs: at once, or as a task.
func (c *call) runByQuery(b *byQuery) error {
	if err := c.sharedParams(b); err != nil {
		return err
	}
	wait, err := c.params.boolean("wait_for_completion", true)
	if err != nil {
		return err
	}
	if b.refresh, err = c.params.boolean("refresh", false); err != nil {
		return err
	}
	info := c.taskInfo(b.action, b.describe())
	if !wait {
		return c.background(info, func(t *tasks.Task, c *call) ([]byte, error) {
			res, err := c.execute(c.r.Context(), b, t)
			if err != nil {
				return nil, err
			}
			return c.byQueryAnswer(b, res), nil
		})
	}
	ctx, t, err := c.s.tasks.Begin(c.r.Context(), info)
	if err != nil {
		return busy(err)
	}
	defer c.s.tasks.End(t)
	res, err := c.execute(ctx, b, t)
	if err != nil {
		return err
	}
	status := http.StatusOK
	for _, f := range res.Failures {
		status = max(status, f.Err.Status)
	}
	return c.reply(status, c.byQueryAnswer(b, res))
}

func (b *byQuery) describe() string {
	switch b.req.Kind {
	case byquery.Delete:
		return "delete-by-query [" + b.req.Expr + "]"
	case byquery.Update:
		return "update-by-query [" + b.req.Expr + "]"
	}
	return "reindex from [" + b.req.Expr + "] to [" + b.req.Dest.Index + "]"
}

func (c *call) sharedParams(b *byQuery) (err error) {
	if m, err := c.params.integer("max_docs", 0); err != nil {
		return err
	} else if m > 0 {
		b.req.Max = m
	} else if c.params.has("max_docs") && m != -1 {
		return illegal("[max_docs] parameter must be greater than 0, found [%d]", m)
	}
	switch s := c.params.str("slices", "1"); s {
	case "auto":
		b.req.Slices = c.autoSlices(b.req.Expr, b.req.Opts)
	default:
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return illegal(`[slices] must be a positive integer or the string "auto", but was [%s]`, s)
		}
		if n > byquery.MaxSlices {
			return illegal("[slices] must be at most [%d] but was [%d]", byquery.MaxSlices, n)
		}
		b.req.Slices = n
	}
	if b.req.Slices > 1 && b.req.Search.Slice != nil {
		return illegal("[slices] cannot be combined with a manual slice")
	}
	if b.req.Search.Size < 1 {
		return illegal("[size] parameter cannot be negative or zero, found [%d]", b.req.Search.Size)
	}
	b.rate, err = rateOf(c.params.str("requests_per_second", "-1"))
	if err != nil {
		return err
	}
	return b.req.Search.Check()
}

// autoSlices is one per logical shard of the source with the most.
func (c *call) autoSlices(expr string, o store.ResolveOptions) int {
	n := 1
	refs, err := c.s.store.Resolve(expr, o)
	if err != nil {
		return n // the run tells what is wrong
	}
	for _, r := range refs {
		if set, ok := c.s.store.SettingsOf(r.Name); ok {
			n = max(n, set.Int("number_of_shards", 1))
		}
	}
	return min(n, byquery.MaxSlices)
}

// rateOf reads requests_per_second: -1 is no limit.
func rateOf(s string) (float64, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f == 0 || f < 0 && f != -1 || math.IsNaN(f) {
		return 0, illegal("requests_per_second must be a float greater than 0. Use -1 to disable throttling.")
	}
	return f, nil
}

// execute runs the request as a task.
func (c *call) execute(ctx context.Context, b *byQuery, t *tasks.Task) (*byquery.Result, error) {
	t.Rate().Set(b.rate)
	res, err := byquery.Run(ctx, c.s.store, b.req, t, func(live *byquery.Result) {
		t.SetStatus(func() []byte { return byQueryStatus(b.req.Kind, live.Read(), t).bytes() })
	})
	if err == nil && b.refresh {
		var names []string
		if names, err = c.names(b.req.Expr); err == nil {
			err = c.s.store.Refresh(names)
		}
	}
	return res, err
}

// byQueryStatus is the numbers of a run, as tasks show them too.
func byQueryStatus(kind byquery.Kind, r *byquery.Result, t *tasks.Task) *object {
	o := newObject()
	if len(r.Slices) == 0 && r.SliceID() > 0 {
		o.set("slice_id", r.SliceID())
	}
	o.set("total", r.Total)
	if kind != byquery.Delete {
		o.set("updated", r.Updated)
	}
	if kind == byquery.Reindex {
		o.set("created", r.Created)
	}
	slept, left := time.Duration(0), time.Duration(0)
	if t != nil {
		slept, left = t.Rate().Throttled()
	}
	o.set("deleted", r.Deleted).set("batches", r.Batches).set("version_conflicts", r.Conflicts).set("noops", r.Noops).
		set("retries", newObject().set("bulk", r.Retries).set("search", 0)).
		set("throttled_millis", slept.Milliseconds()).raw("requests_per_second", floatText(r.PerSecond))
	if r.Canceled != "" {
		o.set("canceled", r.Canceled)
	}
	o.set("throttled_until_millis", left.Milliseconds())
	if len(r.Slices) > 0 {
		var list []*object
		for _, s := range r.Slices {
			list = append(list, byQueryStatus(kind, s, nil))
		}
		o.set("slices", list)
	}
	return o
}

// floatText prints a float as Java does: 500.0.
func floatText(f float64) []byte {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if !slices.Contains([]byte(s), '.') {
		s += ".0"
	}
	return []byte(s)
}

// MarshalJSON lets objects stand in lists.
func (o *object) MarshalJSON() ([]byte, error) { return o.bytes(), nil }

func (c *call) byQueryAnswer(b *byQuery, r *byquery.Result) []byte {
	head := newObject().set("took", r.Took.Milliseconds()).set("timed_out", false)
	rest := byQueryStatus(b.req.Kind, r, nil)
	failures := []any{}
	for _, f := range r.Failures {
		cs, status := causeOf(f.Err)
		failures = append(failures, newObject().set("index", f.Index).set("id", f.ID).set("cause", cs).set("status", status))
	}
	rest.set("failures", failures)
	out := append(head.b, ',')
	out = append(out, rest.bytes()[1:]...)
	return bytes.Replace(out, []byte(`"throttled_millis":0`), fmt.Appendf(nil, `"throttled_millis":%d`, r.Throttled.Milliseconds()), 1)
}

// handleRethrottle answers POST /_update_by_query/{id}/_rethrottle and its kin.
func handleRethrottle(c *call) error {
	if !c.params.has("requests_per_second") {
		return illegal("requests_per_second is a required parameter")
	}
	rate, err := rateOf(c.params.str("requests_per_second", ""))
	if err != nil {
		return err
	}
	id, err := c.s.taskID(c.vars["id"])
	if err != nil {
		return err
	}
	t, ok := c.s.tasks.Find(id)
	if !ok || t.Ended() {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "task [" + c.vars["id"] + "] is missing"}
	}
	t.Rate().Set(rate)
	return c.taskList([]*tasks.Task{t})
}

// handleReindex answers POST /_reindex.
func handleReindex(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	b := &byQuery{req: &byquery.Request{Kind: byquery.Reindex}, action: "indices:data/write/reindex"}
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		if bad != nil {
			return
		}
		switch string(k) {
		case "source":
			bad = b.source(e)
		case "dest":
			bad = c.dest(b, e)
		case "script":
			b.req.Script, bad = c.s.store.Script(e)
		case "conflicts":
			b.req.Proceed, bad = conflictsOf(string(e.GetStringBytes()))
		case "max_docs", "size":
			if b.req.Max = e.GetInt(); b.req.Max < 1 {
				bad = illegal("[max_docs] parameter must be greater than 0, found [%d]", b.req.Max)
			}
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [reindex] unknown field [%s]", k)
		}
	})
	if bad != nil {
		return bad
	}
	var faults []string
	if b.req.Expr == "" {
		faults = append(faults, "use _all if you really want to copy from all existing indexes")
	}
	if b.req.Dest.Index == "" {
		faults = append(faults, "index must be specified")
	}
	if len(faults) > 0 {
		return validation(faults)
	}
	if err := c.notOntoItself(b); err != nil {
		return err
	}
	return c.runByQuery(b)
}

// source reads what is copied; "size" is that of a batch.
func (b *byQuery) source(v *fastjson.Value) error {
	search := newObject()
	size := byquery.DefaultBatch
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		switch key := string(k); key {
		case "index":
			for i, n := range textsOf(e) {
				if i > 0 {
					b.req.Expr += ","
				}
				b.req.Expr += n
			}
		case "size":
			size = e.GetInt()
		case "remote":
			bad = illegal("[%s] not whitelisted in reindex.remote.whitelist", e.GetStringBytes("host"))
		case "query", "slice", "sort", "_source":
			if key == "_source" && e.Type() == fastjson.TypeFalse {
				bad = illegal("_source:false is not supported in this context")
			}
			search.raw(key, e.MarshalTo(nil))
		case "runtime_mappings":
			if o := e.GetObject(); o != nil && o.Len() > 0 {
				bad = illegal("[runtime_mappings] is not supported")
			}
		case "from":
			bad = illegal("from is not supported in this context")
		case "stored_fields":
			bad = illegal("stored_fields is not supported in this context")
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [reindex] failed to parse field [source]: unknown field [%s]", k)
		}
	})
	if bad != nil {
		return bad
	}
	req, err := query.ParseRequest(string(search.bytes()))
	if err != nil {
		return err
	}
	b.req.Search = req
	req.Size = size
	return nil
}

func (c *call) dest(b *byQuery, v *fastjson.Value) error {
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		text := string(e.GetStringBytes())
		switch string(k) {
		case "index":
			b.req.Dest.Index = text
		case "op_type":
			if text != "create" && text != "index" {
				bad = illegal("opType must be 'create' or 'index', found: [%s]", text)
			}
			b.req.Dest.Create = text == "create"
		case "version_type":
			b.req.Dest.VersionType = text
		case "routing":
			if b.req.Dest.Routing = text; text != "keep" && text != "discard" && (text == "" || text[0] != '=') {
				bad = illegal("Unsupported routing command: %s", text)
			}
		case "pipeline":
			if b.req.Pipeline = text; text != "" && text != "_none" {
				bad = c.s.hasPipeline(text)
			}
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [reindex] failed to parse field [dest]: [dest] unknown field [%s]", k)
		}
	})
	return bad
}

// notOntoItself refuses to copy an index into itself.
func (c *call) notOntoItself(b *byQuery) error {
	refs, err := c.s.store.Resolve(b.req.Expr, b.req.Opts)
	if err != nil {
		return err
	}
	target := b.req.Dest.Index
	if to, err := c.s.store.Resolve(target, b.req.Opts); err == nil && len(to) == 1 {
		target = to[0].Name
	}
	for _, r := range refs {
		if r.Name == target {
			return validation([]string{"reindex cannot write into an index its reading from [" + b.req.Dest.Index + "]"})
		}
	}
	return nil
}

// isStoreError finds a store's refusal in err.
func isStoreError(err error) (*store.Error, bool) {
	var e *store.Error
	return e, errors.As(err, &e)
}
