package rest

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
)

var bulkParams = []string{"refresh", "pipeline", "routing", "wait_for_active_shards", "require_alias", "require_data_stream", "_source", "_source_includes", "_source_excludes", "type", "list_executed_pipelines", "include_source_on_error"}

// handleBulk answers POST /_bulk: one result per action, in order.
func handleBulk(c *call) error {
	start := time.Now()
	body, err := c.body()
	if err != nil {
		return err
	}
	ops, err := splitBulk(body, c.vars["index"], c.params.str("routing", ""))
	if err != nil {
		return err
	}
	if err := c.pipelines(ops); err != nil {
		return err
	}
	results, err := c.s.store.Apply(c.r.Context(), ops)
	if err != nil {
		return err
	}
	forced, err := c.refresh(results)
	if err != nil {
		return err
	}
	took := time.Since(start)
	c.s.counts.bulks.Add(1)
	c.s.counts.bulkNanos.Add(int64(took))
	return c.reply(http.StatusOK, bulkAnswer(results, forced, took))
}

// pipelines gives operations the request's pipeline, and refuses those whose own is not there.
func (c *call) pipelines(ops []store.Op) error {
	all := c.params.str("pipeline", "")
	if all != "" {
		if err := c.s.hasPipeline(all); err != nil {
			return err
		}
	}
	for i := range ops {
		if ops[i].Pipeline == "" {
			ops[i].Pipeline = all
		}
	}
	return nil
}

// refresh honours ?refresh: what is acknowledged is searchable already, unless the index says otherwise.
func (c *call) refresh(results []store.ItemResult) (forced bool, err error) {
	switch v := c.params.str("refresh", "false"); v {
	case "false":
		return false, nil
	case "", "true", "wait_for":
		seen := map[string]bool{}
		var names []string
		for _, r := range results {
			if r.Err == nil && !seen[r.Index] {
				seen[r.Index] = true
				names = append(names, r.Index)
			}
		}
		return v != "wait_for", c.s.store.Refresh(names)
	default:
		return false, illegal("Unknown value for refresh: [%s].", v)
	}
}

// splitBulk reads the NDJSON of a bulk request. Sources alias body.
func splitBulk(body []byte, index, routing string) ([]store.Op, error) {
	var ops []store.Op
	var p fastjson.Parser
	line := 0
	next := func() ([]byte, bool) {
		for len(body) > 0 {
			line++
			text, rest, _ := bytes.Cut(body, []byte{'\n'})
			body = rest
			if text = bytes.TrimSpace(text); len(text) > 0 {
				return text, true
			}
		}
		return nil, false
	}
	for {
		text, ok := next()
		if !ok {
			break
		}
		op, err := parseAction(&p, text, line, index, routing)
		if err != nil {
			return nil, err
		}
		if op.Action != bulk.Delete {
			if op.Source, ok = next(); !ok {
				return nil, illegal("The bulk request must be terminated by a newline [\\n]")
			}
		}
		ops = append(ops, op)
	}
	if len(ops) == 0 {
		return nil, badRequest("parse_exception", "request body is required")
	}
	return ops, nil
}

// parseAction reads an action line: {"create":{"_index":"a","_id":"1"}}.
func parseAction(p *fastjson.Parser, text []byte, line int, index, routing string) (store.Op, error) {
	op := store.NewOp(bulk.Op{Index: index, Routing: routing})
	v, err := p.ParseBytes(text)
	if err != nil || v.Type() != fastjson.TypeObject {
		return op, illegal("Malformed action/metadata line [%d], expected START_OBJECT but found [%s]", line, tokenOf(v))
	}
	obj := v.GetObject()
	if obj.Len() != 1 {
		found := "END_OBJECT"
		if obj.Len() > 1 {
			found = "FIELD_NAME"
		}
		return op, illegal("Malformed action/metadata line [%d], expected FIELD_NAME but found [%s]", line, found)
	}
	var bad error
	obj.Visit(func(key []byte, meta *fastjson.Value) {
		bad = parseMeta(&op, string(key), meta, line)
	})
	if bad == nil && op.Index == "" {
		bad = badRequest("action_request_validation_exception", "Validation Failed: 1: index is missing;")
	}
	return op, bad
}

var actionNames = map[string]bulk.Action{"create": bulk.Create, "index": bulk.Index, "update": bulk.Update, "delete": bulk.Delete}

func parseMeta(op *store.Op, name string, meta *fastjson.Value, line int) error {
	action, ok := actionNames[name]
	if !ok {
		return illegal("Malformed action/metadata line [%d], expected field [create], [delete], [index] or [update] but found [%s]", line, name)
	}
	op.Action = action
	if meta.Type() != fastjson.TypeObject {
		return illegal("Malformed action/metadata line [%d], expected START_OBJECT or END_OBJECT but found [%s]", line, tokenOf(meta))
	}
	var bad error
	meta.GetObject().Visit(func(key []byte, v *fastjson.Value) {
		if err := metaField(op, string(key), v); err != nil && bad == nil {
			bad = err
		}
	})
	return bad
}

func metaField(op *store.Op, key string, v *fastjson.Value) error {
	switch key {
	case "_index":
		op.Index = scalarText(v)
	case "_id":
		op.ID = scalarText(v)
		op.EmptyID = op.ID == "" && v.Type() == fastjson.TypeString
	case "routing", "_routing":
		op.Routing = scalarText(v)
	case "if_seq_no":
		return setInt(&op.IfSeq, key, v)
	case "if_primary_term":
		return setInt(&op.IfTerm, key, v)
	case "version", "_version":
		return setInt(&op.Version, key, v)
	case "version_type", "_version_type":
		op.VersionType = scalarText(v)
	case "require_alias":
		op.RequireAlias = v.GetBool()
	case "require_data_stream":
		op.RequireDataStream = v.GetBool()
	case "retry_on_conflict", "dynamic_templates", "_type", "_parent", "_source", "list_executed_pipelines":
	case "pipeline":
		op.Pipeline = scalarText(v)
	default:
		return illegal("Action/metadata line contains an unknown parameter [%s]", key)
	}
	return nil
}

func setInt(to *int64, key string, v *fastjson.Value) error {
	n, err := strconv.ParseInt(scalarText(v), 10, 64)
	if err != nil {
		return illegal("Failed to parse value [%s] of [%s]", scalarText(v), key)
	}
	*to = n
	return nil
}

// scalarText is a string, number or boolean as text; null is "".
func scalarText(v *fastjson.Value) string {
	switch v.Type() {
	case fastjson.TypeString:
		return string(v.GetStringBytes())
	case fastjson.TypeNull:
		return ""
	}
	return v.String()
}

// tokenOf names a value as Elasticsearch's parser does.
func tokenOf(v *fastjson.Value) string {
	if v == nil {
		return "null"
	}
	switch v.Type() {
	case fastjson.TypeObject:
		return "START_OBJECT"
	case fastjson.TypeArray:
		return "START_ARRAY"
	case fastjson.TypeString:
		return "VALUE_STRING"
	case fastjson.TypeNumber:
		return "VALUE_NUMBER"
	case fastjson.TypeTrue, fastjson.TypeFalse:
		return "VALUE_BOOLEAN"
	}
	return "VALUE_NULL"
}

// bulkAnswer prints the answer without a tree: it is as long as the request has items.
func bulkAnswer(results []store.ItemResult, forced bool, took time.Duration) []byte {
	errors := false
	for i := range results {
		errors = errors || results[i].Err != nil
	}
	out := make([]byte, 0, 64+200*len(results))
	out = fmt.Appendf(out, `{"took":%d,"errors":%t,"items":[`, took.Milliseconds(), errors)
	for i := range results {
		r := &results[i]
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, `{"`...)
		out = append(out, r.Action.String()...)
		out = append(out, `":`...)
		if r.Err != nil {
			out = appendItemError(out, r.Index, r.ID, r.Err)
		} else {
			out = appendResult(out, r, forced, true)
		}
		out = append(out, '}')
	}
	return append(out, "]}"...)
}

func appendItemError(out []byte, index, id string, err *store.Error) []byte {
	cs, status := causeOf(err)
	out = append(out, `{"_index":`...)
	out = appendText(out, index)
	out = append(out, `,"_id":`...)
	if id == "" {
		out = append(out, "null"...)
	} else {
		out = appendText(out, id)
	}
	out = fmt.Appendf(out, `,"status":%d,"error":`, status)
	out = append(out, encode(cs)...)
	return append(out, '}')
}

// appendResult prints the outcome of one write.
func appendResult(out []byte, r *store.ItemResult, forced, withStatus bool) []byte {
	out = append(out, `{"_index":`...)
	out = appendText(out, r.Index)
	out = append(out, `,"_id":`...)
	out = appendText(out, r.ID)
	out = append(out, `,"_version":`...)
	out = strconv.AppendInt(out, r.Version, 10)
	out = append(out, `,"result":"`...)
	out = append(append(out, r.Result...), '"')
	if forced {
		out = append(out, `,"forced_refresh":true`...)
	}
	out = append(out, `,"_shards":{"total":1,"successful":1,"failed":0},"_seq_no":`...)
	out = strconv.AppendInt(out, r.Seq, 10)
	out = append(out, `,"_primary_term":1`...)
	if withStatus {
		out = append(out, `,"status":`...)
		out = strconv.AppendInt(out, int64(r.Status), 10)
	}
	return append(out, '}')
}
