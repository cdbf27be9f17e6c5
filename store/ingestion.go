package store

import (
	"context"
	"encoding/json"
	"errors"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/store/ingest"
	"github.com/weirlog/weir/store/painless"
)

// noPipeline as a pipeline's name is none.
const noPipeline = "_none"

// maxReroutes is how often a document may be sent on to another index.
const maxReroutes = 10

// Ingest are the store's ingest pipelines.
func (s *Store) Ingest() *ingest.Service { return s.pipelines }

// ingestDefinition finds a pipeline's JSON, or under "script:id" the text of a stored script.
func (s *Store) ingestDefinition(id string) (json.RawMessage, bool) {
	name, script := strings.CutPrefix(id, "script:")
	if !script {
		return s.Definition(IngestPipeline, id)
	}
	body, ok := s.Definition(StoredScript, name)
	if !ok {
		return nil, false
	}
	return fastjson.MustParseBytes(body).GetStringBytes("script", "source"), true
}

// ingest runs the pipelines of the write's documents. An error is about the whole write.
func (w *write) ingest(ctx context.Context) error {
	var last string
	var def, final string
	for i := range w.ops {
		op := &w.ops[i]
		if w.targets[i].done || op.Action != bulk.Create && op.Action != bulk.Index || op.Index == "" {
			continue
		}
		if i == 0 || op.Index != last {
			var err error
			if def, final, err = w.s.pipelinesOf(op.Index); err != nil {
				w.refuse(i, err)
				continue
			}
			last = op.Index
		}
		first := op.Pipeline
		if first == "" {
			first = def
		}
		if (first == "" || first == noPipeline) && (final == "" || final == noPipeline) {
			continue
		}
		if i%64 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := w.transform(i, first, final); err != nil {
			w.refuse(i, err)
		}
	}
	return nil
}

// pipelinesOf are the pipelines that an index's settings name, or those its templates would give it.
func (s *Store) pipelinesOf(name string) (def, final string, err error) {
	if strings.HasPrefix(name, "<") {
		if name, err = dateMathName(name, s.cfg.Now()); err != nil {
			return "", "", err
		}
	}
	m := s.meta.Load()
	var set *Settings
	switch {
	case m.indices[name] != nil:
		set = m.indices[name].info().Settings
	case m.streams[name] != nil:
		st := m.streams[name]
		set = m.indices[st.Indices[len(st.Indices)-1]].info().Settings
	case m.aliases[name] != nil:
		ix, err := m.aliasWrite(name)
		if err != nil {
			return "", "", nil // the write itself tells
		}
		set = ix.info().Settings
	default:
		t, err := m.compose(name)
		if err != nil {
			return "", "", nil // the write itself tells
		}
		set = t.settings
	}
	def, _ = set.Get("default_pipeline")
	final, _ = set.Get("final_pipeline")
	return def, final, nil
}

// transform runs a document through its pipelines.
func (w *write) transform(i int, first, final string) error {
	op := &w.ops[i]
	d, err := ingest.NewDocument(op.Index, op.ID, op.Routing, op.Source, w.now)
	if err != nil {
		return ingestError(err)
	}
	for n := 0; ; n++ {
		from := d.Index
		if err := w.s.runIngest(first, d); err != nil || d.Dropped {
			return w.dropOr(i, first, err)
		}
		if d.Index != from { // the final pipeline is that of where the document goes
			def, fin, err := w.s.pipelinesOf(d.Index)
			if err != nil {
				return err
			}
			final = fin
			if d.Rerouted && def != "" && n < maxReroutes {
				d.Rerouted, first = false, def
				d.Resume()
				continue
			}
		}
		break
	}
	d.Resume()
	index := d.Index
	if err := w.s.runIngest(final, d); err != nil || d.Dropped {
		return w.dropOr(i, final, err)
	}
	if d.Index != index {
		return errorf(400, "illegal_argument_exception", "final pipeline [%s] can't change the target index (from [%s] to [%s]) for document [%s]", final, index, d.Index, op.ID)
	}
	op.Index, op.ID, op.Routing = d.Index, d.ID, d.Routing
	op.Source = painless.AppendJSON(nil, d.Source)
	return nil
}

func (s *Store) runIngest(id string, d *ingest.Document) error {
	if id == "" || id == noPipeline {
		return nil
	}
	return ingestError(s.pipelines.Run(id, d))
}

func ingestError(err error) error {
	var e *ingest.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &e):
		return &Error{Status: 400, Type: e.Type, Reason: e.Reason}
	}
	return errorf(400, "illegal_argument_exception", "%v", err)
}

// dropOr notes a document that a pipeline dropped.
func (w *write) dropOr(i int, pipeline string, err error) error {
	if err != nil {
		return err
	}
	op := &w.ops[i]
	w.targets[i].done = true
	w.results[i] = ItemResult{Action: op.Action, Index: op.Index, ID: op.ID, Version: -3, Seq: -2, Result: "noop", Status: 200}
	if o := w.originOf(i); !o.r.Source.IsZero() {
		w.dropped = append(w.dropped, settledRange{r: o.r, fate: ledger.Dropped, rule: "ingest pipeline " + pipeline})
	}
	return nil
}

// GrokPatterns are the stock patterns that grok processors know.
func (s *Store) GrokPatterns(ecs bool) map[string]string {
	if f := s.cfg.Ingest.GrokPatterns; f != nil {
		return f(ecs)
	}
	return map[string]string{}
}
