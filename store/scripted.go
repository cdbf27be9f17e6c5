package store

import (
	"errors"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/painless"
)

// ScriptRef is a script as requests spell it, ready to run.
type ScriptRef struct {
	*painless.Script
	Params any
}

// Script reads a request's script: a text, {source, lang, params} or {id, params}.
func (s *Store) Script(v *fastjson.Value) (*ScriptRef, error) {
	source, lang, params := "", "painless", any(painless.NewMap())
	switch v.Type() {
	case fastjson.TypeString:
		source = string(v.GetStringBytes())
	case fastjson.TypeObject:
		if p := v.Get("params"); p != nil {
			params = painless.FromJSON(p)
		}
		if l := v.GetStringBytes("lang"); l != nil {
			lang = string(l)
		}
		if id := v.GetStringBytes("id"); id != nil {
			body, ok := s.Definition(StoredScript, string(id))
			if !ok {
				return nil, errorf(404, "resource_not_found_exception", "unable to find script [%s] in cluster state", id)
			}
			var p fastjson.Parser
			stored, err := p.ParseBytes(body)
			if err != nil {
				return nil, err
			}
			source, lang = string(stored.GetStringBytes("script", "source")), string(stored.GetStringBytes("script", "lang"))
			break
		}
		source = string(v.GetStringBytes("source"))
		if source == "" {
			source = string(v.GetStringBytes("inline"))
		}
		if source == "" {
			return nil, errorf(400, "illegal_argument_exception", "must specify either [source] for an inline script or [id] for a stored script")
		}
	default:
		return nil, errorf(400, "parsing_exception", "script must be a text or an object")
	}
	if lang != "painless" {
		return nil, errorf(400, "illegal_argument_exception", "script_lang not supported [%s]", lang)
	}
	sc, err := painless.Compile(source)
	if err != nil {
		return nil, ScriptError(err, source)
	}
	return &ScriptRef{sc, params}, nil
}

// ScriptError is a script's failure as requests are answered.
func ScriptError(err error, source string) error {
	var e *painless.Error
	if !errors.As(err, &e) {
		return err
	}
	kind := "runtime error"
	if e.Compile {
		kind = "compile error"
	}
	return &Error{Status: 400, Type: "script_exception", Reason: kind, Cause: &Error{Status: 400, Type: e.Type, Reason: e.Reason}, Script: source, ScriptAt: e.At}
}

// Run executes the script over ctx.
func (r *ScriptRef) Run(ctx *painless.Map) error {
	if _, err := r.Script.Run(map[string]any{"ctx": ctx, "params": painless.Clone(r.Params)}); err != nil {
		return ScriptError(err, r.String())
	}
	if err := painless.Check(ctx); err != nil {
		return ScriptError(err, r.String())
	}
	return nil
}

// script updates a document, or makes one from its upsert, by a script.
func (w *write) script(i int, body *fastjson.Value) {
	op := &w.ops[i]
	sc, err := w.s.Script(body.Get("script"))
	if err != nil {
		w.refuse(i, err)
		return
	}
	t := &w.targets[i]
	old := t.ix.locate(op.ID, w.now.UnixMilli())
	var src []byte
	kind := "index"
	switch upsert := body.Get("upsert"); {
	case old.found:
		if src, err = old.source(); err != nil {
			w.refuse(i, err)
			return
		}
	case truthOf(body.Get("scripted_upsert")):
		kind, src = "create", []byte("{}")
		if upsert != nil {
			src = upsert.MarshalTo(nil)
		}
	case upsert != nil:
		w.putUpdated(i, upsert.MarshalTo(nil))
		return
	default:
		w.refuse(i, errorf(404, "document_missing_exception", "[%s]: document missing", op.ID))
		return
	}
	w.runScript(i, sc, old, src, kind)
}

// runScript executes the script over a document and does what ctx.op says then.
func (w *write) runScript(i int, sc *ScriptRef, old location, src []byte, kind string) {
	t, op := &w.targets[i], &w.ops[i]
	doc, err := painless.ParseJSON(src)
	if err != nil {
		w.refuse(i, err)
		return
	}
	ctx := painless.NewMap()
	ctx.Set("_index", t.ix.name())
	ctx.Set("_id", op.ID)
	ctx.Set("_version", old.version)
	ctx.Set("_now", w.now.UnixMilli())
	ctx.Set("op", kind)
	ctx.Set("_source", doc)
	if op.Routing != "" {
		ctx.Set("_routing", op.Routing)
	}
	if err := sc.Run(ctx); err != nil {
		w.refuse(i, err)
		return
	}
	now, _ := ctx.Get("_source")
	what, _ := ctx.Get("op")
	switch what {
	case "index", "create":
		w.putUpdated(i, painless.AppendJSON(nil, now))
	case "none", "noop", nil:
		w.results[i] = ItemResult{Action: op.Action, Index: t.ix.name(), ID: op.ID, Version: old.version, Seq: old.seq, Result: "noop", Status: 200, Source: src}
	case "delete":
		w.delete(i)
		w.results[i].Action = bulk.Update
	default:
		w.refuse(i, errorf(400, "illegal_argument_exception", "Operation type [%s] not allowed, only [noop, index, delete] are allowed", painless.Text(what)))
	}
}

// DocumentOf parses a document for scripts.
func DocumentOf(src []byte) (any, error) { return painless.ParseJSON(src) }

// SourceOf prints a document that a script changed.
func SourceOf(v any) []byte { return mapping.AppendCompact(nil, painless.AppendJSON(nil, v)) }
