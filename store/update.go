package store

import (
	"bytes"

	"github.com/valyala/fastjson"
	"github.com/weirlog/weir/store/mapping"
)

// update merges a partial document into the one that is there, or puts its upsert.
func (w *write) update(i int) {
	t, op := &w.targets[i], &w.ops[i]
	var p fastjson.Parser
	body, err := p.ParseBytes(op.Source)
	if err != nil || body.Type() != fastjson.TypeObject {
		w.refuse(i, errorf(400, "x_content_parse_exception", "[1:1] [UpdateRequest] failed to parse: %v", err))
		return
	}
	if body.Get("script") != nil {
		if body.Get("doc") != nil {
			w.refuse(i, errorf(400, "action_request_validation_exception", "Validation Failed: 1: can't provide both script and doc;"))
			return
		}
		w.script(i, body)
		return
	}
	doc, upsert := body.Get("doc"), body.Get("upsert")
	if doc == nil && upsert == nil {
		w.refuse(i, errorf(400, "action_request_validation_exception", "Validation Failed: 1: script or doc is missing;"))
		return
	}
	old := t.ix.locate(op.ID, w.now.UnixMilli())
	if !old.found {
		if upsert == nil && truthOf(body.Get("doc_as_upsert")) {
			upsert = doc
		}
		if upsert == nil {
			w.refuse(i, errorf(404, "document_missing_exception", "[%s]: document missing", op.ID))
			return
		}
		w.putUpdated(i, upsert.MarshalTo(nil))
		return
	}
	if doc == nil {
		w.refuse(i, errorf(400, "action_request_validation_exception", "Validation Failed: 1: script or doc is missing;"))
		return
	}
	was, err := old.source()
	if err != nil {
		w.refuse(i, err)
		return
	}
	now, err := mergeDocuments(was, doc)
	if err != nil {
		w.refuse(i, err)
		return
	}
	if d := body.Get("detect_noop"); (d == nil || truthOf(d)) && bytes.Equal(now, was) {
		w.results[i] = ItemResult{Action: op.Action, Index: t.ix.name(), ID: op.ID, Version: old.version, Seq: old.seq, Result: "noop", Status: 200, Source: was}
		return
	}
	w.putUpdated(i, now)
}

// putUpdated scans a document made by an update and puts it, all under the commit lock.
func (w *write) putUpdated(i int, src []byte) {
	t, op := &w.targets[i], &w.ops[i]
	src = mapping.AppendCompact(nil, src)
	for range prepareRounds {
		p := t.ix.preparer()
		missing, err := p.document(src, op.ID, false, &w.docs, &w.toks)
		if err == nil && len(missing) > 0 {
			var beyond []string
			if beyond, err = w.s.extendMappingLocked(t.ix, missing); err == nil && len(beyond) > 0 {
				missing, err = p.document(src, op.ID, true, &w.docs, &w.toks)
			}
		}
		if err != nil {
			w.refuse(i, err)
			return
		}
		if len(missing) > 0 {
			continue
		}
		t.ix.preps.Put(p)
		w.put(i, src, int32(len(w.docs.Docs)-1), false)
		w.results[i].Source = src
		return
	}
	w.refuse(i, errorf(500, "exception", "the mapping of index [%s] keeps changing", t.ix.name()))
}

func truthOf(v *fastjson.Value) bool {
	return v != nil && (v.Type() == fastjson.TypeTrue || string(v.GetStringBytes()) == "true")
}

// mergeDocuments puts the members of doc over those of was, objects deeply.
func mergeDocuments(was []byte, doc *fastjson.Value) ([]byte, error) {
	var p fastjson.Parser
	base, err := p.ParseBytes(was)
	if err != nil {
		return nil, err
	}
	if doc.Type() != fastjson.TypeObject {
		return nil, errorf(400, "x_content_parse_exception", "[1:1] [UpdateRequest] doc doesn't support values of type: %s", doc.Type())
	}
	mergeObject(base.GetObject(), doc.GetObject())
	return mapping.AppendCompact(nil, base.MarshalTo(nil)), nil
}

func mergeObject(dst, src *fastjson.Object) {
	src.Visit(func(key []byte, v *fastjson.Value) {
		if have := dst.Get(string(key)); have != nil && have.Type() == fastjson.TypeObject && v.Type() == fastjson.TypeObject {
			mergeObject(have.GetObject(), v.GetObject())
			return
		}
		dst.Set(string(key), v)
	})
}
