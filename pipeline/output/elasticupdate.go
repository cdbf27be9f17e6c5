package output

import (
	"encoding/json"
	"strconv"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

// update renders the bodies of updates: a part of a document, or a script.
type update struct {
	asUpsert, scripted bool
	upsert, script     *plugin.Template
	head               []byte // {"script":{"lang":"painless","source":
	param              string
}

func newUpdate(a *plugin.Args) *update {
	u := &update{asUpsert: a.Bool("doc_as_upsert"), scripted: a.Bool("scripted_upsert"), param: a.String("script_var_name")}
	if a.Has("upsert") {
		u.upsert = a.Template(plugin.Text{Pos: a.At("upsert"), Text: a.String("upsert")})
		if u.upsert.Const() && !json.Valid([]byte(u.upsert.String())) {
			a.Fail("upsert", `write '{"field": "value"}'`, "upsert is no JSON")
		}
	}
	if a.Has("script") {
		u.script = a.Template(plugin.Text{Pos: a.At("script"), Text: a.String("script")})
		u.head = []byte(`{"script":{`)
		if a.String("script_type") == "indexed" {
			u.head = append(u.head, `"id":`...)
		} else {
			u.head = append(event.AppendString(append(u.head, `"lang":`...), a.String("script_lang")), `,"source":`...)
		}
	} else if u.scripted {
		a.Fail("scripted_upsert", "write script, too", "scripted_upsert needs a script")
	}
	return u
}

func (u *update) source(b []byte, e *event.Event) []byte {
	if u.script == nil {
		b = e.AppendJSON(append(b, `{"doc":`...))
	} else {
		b = event.AppendString(append(b, u.head...), u.script.Render(e))
		b = event.AppendString(append(b, `,"params":{`...), u.param)
		b = append(e.AppendJSON(append(b, ':')), "}}"...)
	}
	if u.asUpsert {
		b = append(b, `,"doc_as_upsert":true`...)
	}
	if u.scripted {
		b = append(b, `,"scripted_upsert":true`...)
	}
	switch {
	case u.upsert != nil:
		b = u.upsert.Append(append(b, `,"upsert":`...), e)
	case u.scripted:
		b = append(b, `,"upsert":{}`...)
	}
	return append(b, '}')
}

// extra renders what operations say besides their document.
type extra struct {
	pipeline, version *plugin.Template
	kind              string
	retries           int
	fixed             *bulk.Extra // when it is the same for every event
	updates           *bulk.Extra // the same with retries
}

// newExtra is nil when there is nothing to say.
func newExtra(a *plugin.Args) *extra {
	x := &extra{kind: a.String("version_type"), retries: a.Int("retry_on_conflict")}
	if x.kind == "external_gt" {
		x.kind = "external"
	}
	template := func(option string) *plugin.Template {
		if !a.Has(option) {
			return nil
		}
		return a.Template(plugin.Text{Pos: a.At(option), Text: a.String(option)})
	}
	x.pipeline, x.version = template("pipeline"), template("version")
	if x.version == nil && x.kind != "" && x.kind != "internal" {
		a.Fail("version_type", "write version", "version_type %s needs a version", x.kind)
	}
	if x.version == nil && (x.pipeline == nil || x.pipeline.Const()) {
		x.updates = &bulk.Extra{Retries: x.retries}
		if x.pipeline != nil {
			x.fixed = &bulk.Extra{Pipeline: x.pipeline.String()}
			x.updates.Pipeline = x.fixed.Pipeline
		}
	}
	return x
}

// of is what the operation of an event says, nil for nothing.
func (x *extra) of(e *event.Event, act bulk.Action) *bulk.Extra {
	if x.updates != nil {
		if act == bulk.Update {
			return x.updates
		}
		return x.fixed
	}
	out := &bulk.Extra{VersionType: x.kind}
	if act == bulk.Update {
		out.Retries = x.retries
	}
	if x.pipeline != nil {
		out.Pipeline = string(x.pipeline.Append(nil, e)) // lives longer than the batch
	}
	if x.version != nil {
		out.Version, _ = strconv.ParseInt(x.version.Render(e), 10, 64) // no number: the store says so
		if out.VersionType == "" {
			out.VersionType = "internal"
		}
	}
	return out
}
