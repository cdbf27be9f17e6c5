package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/ingest"
	"github.com/weirlog/weir/store/painless"
)

// hasPipeline refuses the name of a pipeline that is not there.
func (s *Server) hasPipeline(id string) error {
	if id == "_none" {
		return nil
	}
	if _, ok := s.store.Definition(store.IngestPipeline, id); !ok {
		return illegal("pipeline with id [%s] does not exist", id)
	}
	return nil
}

// compileError is why a pipeline does not compile, with the place in it.
func compileError(err error) error {
	var e *ingest.Error
	if !errors.As(err, &e) {
		return err
	}
	return &pipelineError{&store.Error{Status: http.StatusBadRequest, Type: e.Type, Reason: e.Reason}, e}
}

// pipelineError adds processor_type, processor_tag and property_name, which clients show.
type pipelineError struct {
	is *store.Error
	at *ingest.Error
}

func (p *pipelineError) Error() string { return p.is.Error() }
func (p *pipelineError) Unwrap() error { return p.is }

// handlePutPipeline answers PUT /_ingest/pipeline/{id}.
func handlePutPipeline(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	id := c.vars["id"]
	if strings.ContainsAny(id, "*,") || id == "_none" {
		return illegal("Invalid pipeline id [%s]", id)
	}
	if v := c.params.str("if_version", ""); v != "" {
		if err := c.pipelineVersion(id, v); err != nil {
			return err
		}
	}
	if _, err := c.s.store.Ingest().Compile(id, body); err != nil {
		return compileError(err)
	}
	if err := c.s.store.PutDefinition(store.IngestPipeline, id, body); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// pipelineVersion checks if_version.
func (c *call) pipelineVersion(id, want string) error {
	n, err := strconv.Atoi(want)
	if err != nil {
		return illegal("Failed to parse int parameter [if_version] with value [%s]", want)
	}
	def, ok := c.s.store.Definition(store.IngestPipeline, id)
	if !ok {
		return illegal("version conflict, required version [%d] for pipeline [%s] but no pipeline was found", n, id)
	}
	if have := fastjson.MustParseBytes(def).GetInt("version"); have != n {
		return illegal("version conflict, required version [%d] for pipeline [%s] but current version is [%d]", n, id, have)
	}
	return nil
}

// handleGetPipeline answers GET /_ingest/pipeline[/{id}].
func handleGetPipeline(c *call) error {
	list, _ := c.s.store.Definitions(store.IngestPipeline, c.vars["id"])
	status := http.StatusOK
	if len(list) == 0 && c.vars["id"] != "" && !strings.Contains(c.vars["id"], "*") {
		status = http.StatusNotFound
	}
	summary, err := c.params.boolean("summary", false)
	if err != nil {
		return err
	}
	o := newObject()
	for _, t := range list {
		if summary {
			v := fastjson.MustParseBytes(t.Body)
			one := newObject().set("description", string(v.GetStringBytes("description")))
			o.set(t.Name, one)
			continue
		}
		o.raw(t.Name, t.Body)
	}
	return c.reply(status, o.bytes())
}

// handleDeletePipeline answers DELETE /_ingest/pipeline/{id}.
func handleDeletePipeline(c *call) error {
	id := c.vars["id"]
	list, missing := c.s.store.Definitions(store.IngestPipeline, id)
	if len(missing) > 0 {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "pipeline [" + missing[0] + "] is missing"}
	}
	var names []string
	for _, t := range list {
		if user := c.usedBy(t.Name); user != "" {
			return illegal("pipeline [%s] cannot be deleted because it is the default pipeline for index [%s]", t.Name, user)
		}
		names = append(names, t.Name)
	}
	if err := c.s.store.DeleteDefinitions(store.IngestPipeline, names...); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// usedBy is an index whose default or final pipeline this is.
func (c *call) usedBy(id string) string {
	for _, n := range c.s.store.Names() {
		set, ok := c.s.store.SettingsOf(n)
		if !ok {
			continue
		}
		for _, k := range []string{"default_pipeline", "final_pipeline"} {
			if v, _ := set.Get(k); v == id {
				return n
			}
		}
	}
	return ""
}

// handleGrokPatterns answers GET /_ingest/processor/grok.
func handleGrokPatterns(c *call) error {
	list := c.s.store.GrokPatterns(c.params.str("ecs_compatibility", "disabled") == "v1")
	b, err := json.Marshal(list) // sorted by name
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().raw("patterns", b).bytes())
}

// handleSimulate answers /_ingest/pipeline[/{id}]/_simulate.
func handleSimulate(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	verbose, err := c.params.boolean("verbose", false)
	if err != nil {
		return err
	}
	p, err := c.simulated(v)
	if err != nil {
		return err
	}
	docs := v.GetArray("docs")
	if v.Get("docs") == nil {
		return badRequest("parse_exception", "[docs] required property is missing")
	}
	if len(docs) == 0 {
		return illegal("must specify at least one document in [docs]")
	}
	out := []any{}
	for _, d := range docs {
		if d.Get("_source") == nil {
			return badRequest("parse_exception", "[_source] required property is missing")
		}
		out = append(out, c.simulateOne(p, d, verbose))
	}
	return c.reply(http.StatusOK, newObject().set("docs", out).bytes())
}

// simulated is the pipeline of a simulation: of the path, or of the body.
func (c *call) simulated(v *fastjson.Value) (*ingest.Pipeline, error) {
	svc := c.s.store.Ingest()
	if id := c.vars["id"]; id != "" {
		p, err := svc.Pipeline(id)
		if err != nil {
			return nil, compileError(err)
		}
		if p == nil {
			return nil, illegal("pipeline [%s] does not exist", id)
		}
		return p, nil
	}
	if v.Get("pipeline") == nil {
		return nil, badRequest("parse_exception", "[pipeline] required property is missing")
	}
	p, err := svc.Compile("_simulate_pipeline", v.Get("pipeline").MarshalTo(nil))
	if err != nil {
		return nil, compileError(err)
	}
	return p, nil
}

func (c *call) simulateOne(p *ingest.Pipeline, in *fastjson.Value, verbose bool) *object {
	text := func(key, def string) string {
		if v := in.Get(key); v != nil && v.Type() != fastjson.TypeNull {
			return scalarText(v)
		}
		return def
	}
	routing := text("_routing", text("routing", ""))
	d, err := ingest.NewDocument(text("_index", "_index"), text("_id", "_id"), routing, in.Get("_source").MarshalTo(nil), time.Now())
	if err != nil {
		return newObject().set("error", simulateError(err))
	}
	d.Version = -3
	steps := []any{}
	var trace ingest.Trace
	if verbose {
		trace = func(st ingest.Step, status string, d *ingest.Document, err error) {
			one := newObject().set("processor_type", st.Type)
			one.set("status", status)
			if st.Description != "" {
				one.set("description", st.Description)
			}
			if st.Tag != "" {
				one.set("tag", st.Tag)
			}
			if st.Condition != "" {
				one.set("if", newObject().set("condition", st.Condition).set("result", status != "skipped"))
			}
			switch status {
			case "error":
				one.set("error", simulateError(err))
			case "error_ignored":
				one.set("ignored_error", newObject().set("error", simulateError(err))).set("doc", simulatedDoc(d))
			case "success":
				one.set("doc", simulatedDoc(d))
			}
			steps = append(steps, one)
		}
	}
	err = c.s.store.Ingest().RunPipeline(p, d, trace)
	switch {
	case verbose:
		return newObject().set("processor_results", steps)
	case err != nil:
		return newObject().set("error", simulateError(err))
	case d.Dropped:
		return nullObject()
	}
	return newObject().set("doc", simulatedDoc(d))
}

// nullObject prints null.
func nullObject() *object { return &object{null: true} }

func simulateError(err error) any {
	var e *ingest.Error
	typ, reason := "illegal_argument_exception", err.Error()
	if errors.As(err, &e) {
		typ, reason = e.Type, e.Reason
	}
	inner := newObject().set("type", typ).set("reason", reason)
	return newObject().set("root_cause", []any{inner}).set("type", typ).set("reason", reason)
}

func simulatedDoc(d *ingest.Document) *object {
	o := newObject().set("_index", d.Index).set("_version", fmt.Sprint(d.Version)).set("_id", d.ID)
	if d.Routing != "" {
		o.set("_routing", d.Routing)
	}
	return o.raw("_source", painless.AppendJSON(nil, d.Source)).raw("_ingest", painless.AppendJSON(nil, d.Meta))
}
