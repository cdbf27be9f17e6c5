package rest

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
)

var (
	writeParams  = []string{"refresh", "routing", "op_type", "version", "version_type", "if_seq_no", "if_primary_term", "pipeline", "wait_for_active_shards", "require_alias", "require_data_stream", "retry_on_conflict", "_source", "_source_includes", "_source_excludes", "include_source_on_error"}
	getParams    = []string{"routing", "preference", "realtime", "refresh", "stored_fields", "version", "version_type", "_source", "_source_includes", "_source_excludes"}
	mgetParams   = append([]string{"index"}, getParams...)
	deleteParams = []string{"refresh", "routing", "version", "version_type", "if_seq_no", "if_primary_term", "wait_for_active_shards"}
)

// handleIndex answers PUT and POST /{index}/_doc[/{id}] and /{index}/_create/{id}.
func handleIndex(c *call) error {
	op := store.NewOp(bulk.Op{Action: bulk.Index, Index: c.vars["index"], ID: c.vars["id"]})
	if strings.Contains(c.r.URL.Path, "/_create/") || c.params.str("op_type", "index") == "create" || op.ID == "" {
		op.Action = bulk.Create
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		return badRequest("parse_exception", "request body is required")
	}
	op.Source = body
	return c.write(op)
}

// handleDelete answers DELETE /{index}/_doc/{id}.
func handleDelete(c *call) error {
	return c.write(store.NewOp(bulk.Op{Action: bulk.Delete, Index: c.vars["index"], ID: c.vars["id"]}))
}

// handleUpdate answers POST /{index}/_update/{id}.
func handleUpdate(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	return c.write(store.NewOp(bulk.Op{Action: bulk.Update, Index: c.vars["index"], ID: c.vars["id"], Source: body}))
}

// write applies one operation and answers its outcome.
func (c *call) write(op store.Op) error {
	op.Routing = c.params.str("routing", "")
	op.VersionType = c.params.str("version_type", "")
	for _, p := range []struct {
		name string
		to   *int64
	}{{"version", &op.Version}, {"if_seq_no", &op.IfSeq}, {"if_primary_term", &op.IfTerm}} {
		if !c.params.has(p.name) {
			continue
		}
		n, err := strconv.ParseInt(c.params.str(p.name, ""), 10, 64)
		if err != nil {
			return illegal("Failed to parse long parameter [%s] with value [%s]", p.name, c.params.str(p.name, ""))
		}
		*p.to = n
	}
	if op.Pipeline = c.params.str("pipeline", ""); op.Pipeline != "" {
		if err := c.s.hasPipeline(op.Pipeline); err != nil {
			return err
		}
	}
	results, err := c.s.store.Apply(c.r.Context(), []store.Op{op})
	if err != nil {
		return err
	}
	r := &results[0]
	if r.Err != nil {
		return r.Err
	}
	forced, err := c.refresh(results)
	if err != nil {
		return err
	}
	if r.Status == http.StatusCreated {
		c.w.Header().Set("Location", "/"+r.Index+"/_doc/"+r.ID)
	}
	return c.reply(r.Status, appendResult(nil, r, forced, false))
}

// got is the answer of a look-up by id.
type got struct {
	store.Document
	found bool
}

// get finds a document; one that is not there keeps the names it was asked by.
func (c *call) get(index, id string) (got, error) {
	doc, found, err := c.s.store.Get(index, id)
	c.s.counts.gets.Add(1)
	if !found {
		c.s.counts.getMisses.Add(1)
		doc.Index, doc.ID = index, id
	}
	return got{doc, found}, err
}

// handleGet answers GET and HEAD /{index}/_doc/{id}.
func handleGet(c *call) error {
	g, err := c.get(c.vars["index"], c.vars["id"])
	if err != nil {
		return err
	}
	status := http.StatusOK
	if !g.found {
		status = http.StatusNotFound
	}
	body, err := c.document(g, nil)
	if err != nil {
		return err
	}
	return c.reply(status, body)
}

// handleSource answers GET and HEAD /{index}/_source/{id}: the document alone.
func handleSource(c *call) error {
	g, err := c.get(c.vars["index"], c.vars["id"])
	if err != nil {
		return err
	}
	if !g.found {
		return &store.Error{Status: http.StatusNotFound, Type: "resource_not_found_exception", Reason: "Document not found [" + g.Index + "]/[" + g.ID + "]"}
	}
	src, err := c.filtered(g.Source, nil)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, src)
}

// document prints what GET answers about one id.
func (c *call) document(g got, spec *fastjson.Value) ([]byte, error) {
	o := newObject().set("_index", g.Index).set("_id", g.ID)
	if !g.found {
		return o.set("found", false).bytes(), nil
	}
	o.set("_version", g.Version).set("_seq_no", g.Seq).set("_primary_term", 1).set("found", true)
	if c.params.str("_source", "true") == "false" || spec != nil && spec.Type() == fastjson.TypeFalse {
		return o.bytes(), nil
	}
	src, err := c.filtered(g.Source, spec)
	if err != nil {
		return nil, err
	}
	return o.raw("_source", src).bytes(), nil
}

// filtered applies _source, _source_includes and _source_excludes of the URL, or a body's _source.
func (c *call) filtered(src []byte, spec *fastjson.Value) ([]byte, error) {
	var includes, excludes []string
	if s := c.params.str("_source", ""); s != "" && s != "true" && s != "false" {
		includes = strings.Split(s, ",")
	}
	includes = append(includes, c.params.list("_source_includes")...)
	excludes = append(excludes, c.params.list("_source_excludes")...)
	if spec != nil {
		in, ex := sourceSpec(spec)
		includes, excludes = append(includes, in...), append(excludes, ex...)
	}
	if len(includes)+len(excludes) == 0 {
		return src, nil
	}
	v, err := fastjson.ParseBytes(src)
	if err != nil {
		return nil, err
	}
	paths := includes
	for _, e := range excludes {
		paths = append(paths, "-"+e, "-"+e+".*")
	}
	return filterPath(v, strings.Join(paths, ",")).MarshalTo(nil), nil
}

// sourceSpec reads a body's _source: a text, a list, or {"includes":[...],"excludes":[...]}.
func sourceSpec(v *fastjson.Value) (includes, excludes []string) {
	list := func(v *fastjson.Value) (out []string) {
		if v == nil {
			return nil
		}
		if v.Type() == fastjson.TypeString {
			return []string{string(v.GetStringBytes())}
		}
		for _, e := range v.GetArray() {
			out = append(out, string(e.GetStringBytes()))
		}
		return out
	}
	if v.Type() != fastjson.TypeObject {
		return list(v), nil
	}
	for _, k := range []string{"includes", "include"} {
		includes = append(includes, list(v.Get(k))...)
	}
	for _, k := range []string{"excludes", "exclude"} {
		excludes = append(excludes, list(v.Get(k))...)
	}
	return includes, excludes
}

// handleMget answers /_mget: documents in the order asked.
func handleMget(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return badRequest("parse_exception", "%v", err)
	}
	out := []byte(`{"docs":[`)
	n := 0
	add := func(index, id string, spec *fastjson.Value) error {
		if index == "" {
			return badRequest("action_request_validation_exception", "Validation Failed: 1: index is missing for doc %d;", n)
		}
		if n > 0 {
			out = append(out, ',')
		}
		n++
		g, err := c.get(index, id)
		if err != nil {
			cs, _ := causeOf(err)
			out = append(out, newObject().set("_index", index).set("_id", id).set("error", cs).bytes()...)
			return nil
		}
		doc, err := c.document(g, spec)
		out = append(out, doc...)
		return err
	}
	for _, id := range v.GetArray("ids") {
		if err := add(c.vars["index"], scalarText(id), nil); err != nil {
			return err
		}
	}
	for _, d := range v.GetArray("docs") {
		index := string(d.GetStringBytes("_index"))
		if index == "" {
			index = c.vars["index"]
		}
		if d.Get("_id") == nil {
			return badRequest("action_request_validation_exception", "Validation Failed: 1: id is missing for doc %d;", n)
		}
		if err := add(index, scalarText(d.Get("_id")), d.Get("_source")); err != nil {
			return err
		}
	}
	if n == 0 {
		return badRequest("action_request_validation_exception", "Validation Failed: 1: no documents to get;")
	}
	return c.reply(http.StatusOK, append(out, "]}"...))
}
