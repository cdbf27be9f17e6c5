package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/fleet"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// Bounds of the pipelines API.
const (
	maxPipelineBody = 8 << 20 // bytes of a request
	maxSample       = 1000    // records of a preview
	defaultSample   = 50
	previewTime     = 20 * time.Second
)

// pipelineAPI answers /weir/pipelines: texts, checks, previews on real records, changes and their history.
type pipelineAPI struct{ n *node }

// handler is the routes.
func (a pipelineAPI) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, h := range map[string]func(w http.ResponseWriter, r *http.Request) (any, error){
		"GET /weir/pipelines":                        a.list,
		"GET /weir/pipelines/plugins":                a.plugins,
		"POST /weir/pipelines/check":                 a.check,
		"POST /weir/pipelines/format":                a.format,
		"POST /weir/pipelines/grok":                  a.tryGrok,
		"POST /weir/pipelines/grok/propose":          a.proposeGrok,
		"GET /weir/pipelines/{id}":                   a.show,
		"GET /weir/pipelines/{id}/stats":             a.stats,
		"POST /weir/pipelines/{id}/preview":          a.preview,
		"POST /weir/pipelines/{id}/apply":            a.apply,
		"GET /weir/pipelines/{id}/history":           a.history,
		"GET /weir/pipelines/{id}/history/{version}": a.version,
		"POST /weir/pipelines/{id}/rollback":         a.rollback,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxPipelineBody)
			v, err := h(w, r)
			respond(w, v, err)
		})
	}
	return mux
}

// respond writes an answer, or an error with its status.
func respond(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	status := http.StatusOK
	if err != nil {
		var faults conf.Errors
		var syntax *json.SyntaxError
		var tooBig *http.MaxBytesError
		v = map[string]string{"error": err.Error()}
		switch status = http.StatusBadRequest; {
		case errors.As(err, &faults):
			status, v = http.StatusUnprocessableEntity, map[string]any{"error": faults[0].Error(), "problems": problems(faults)}
		case errors.Is(err, fleet.ErrUnknown):
			status = http.StatusNotFound
		case errors.Is(err, fleet.ErrChanged):
			status = http.StatusConflict
		case errors.As(err, &tooBig):
			status = http.StatusRequestEntityTooLarge
		case errors.As(err, &syntax):
			v = map[string]string{"error": "the body is no JSON: " + err.Error()}
		}
	}
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

func (a pipelineAPI) fleet() (*fleet.Fleet, error) {
	if a.n.fleet == nil {
		return nil, fmt.Errorf("no pipelines run in this process: %w", fleet.ErrUnknown)
	}
	return a.n.fleet, nil
}

func (a pipelineAPI) list(http.ResponseWriter, *http.Request) (any, error) {
	l := []fleet.State{}
	if f := a.n.fleet; f != nil {
		for _, id := range f.Pipelines() {
			s, err := f.State(id)
			if err != nil {
				return nil, err
			}
			l = append(l, s)
		}
	}
	return map[string]any{"pipelines": l}, nil
}

func (a pipelineAPI) show(_ http.ResponseWriter, r *http.Request) (any, error) {
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	s, err := f.State(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	texts, _, err := f.Texts(s.ID)
	return struct {
		fleet.State
		Files []pipeline.Source `json:"files"`
	}{s, texts}, err
}

func (a pipelineAPI) stats(_ http.ResponseWriter, r *http.Request) (any, error) {
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	return f.Stats(r.PathValue("id"))
}

// problem is a fault or remark as an editor marks it.
type problem struct {
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Length   int    `json:"length"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
	Hint     string `json:"hint,omitempty"`
	Text     string `json:"text"`
}

func problems(errs conf.Errors) []problem {
	l := make([]problem, len(errs))
	for i, e := range errs {
		l[i] = problem{File: e.File, Line: e.Line, Column: e.Col, Length: e.Len(), Severity: "error", Message: e.Msg, Hint: e.Hint, Text: e.Source}
		if e.Warning {
			l[i].Severity = "warning"
		}
	}
	return l
}

// filesRequest is the body of requests about a text.
type filesRequest struct {
	ID    string            `json:"id"`
	Files []pipeline.Source `json:"files"`
	ECS   string            `json:"ecs_compatibility"`
}

func (a pipelineAPI) check(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in filesRequest
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	cfg := pipeline.Config{ID: "check", Text: in.Files, ECS: in.ECS}
	if in.ID != "" {
		f, err := a.fleet()
		if err == nil {
			cfg, err = f.Settings(in.ID, in.Files)
		}
		if err != nil {
			return nil, err
		}
	}
	errs := pipeline.Check(cfg)
	return map[string]any{"ok": len(errs.Faults()) == 0, "problems": problems(errs)}, nil
}

func (a pipelineAPI) format(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Text string `json:"text"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f, errs := conf.Parse("text", in.Text)
	if faults := errs.Faults(); len(faults) > 0 {
		return nil, faults
	}
	return map[string]string{"text": conf.Print(f)}, nil
}

// sample says which records a preview takes.
type sample struct {
	Topic    string   `json:"topic"`
	Count    int      `json:"count"`
	From     string   `json:"from"`
	Contains string   `json:"contains"`
	Lines    []string `json:"lines"`
}

// sampled is a record as the editor shows it.
type sampled struct {
	Topic     string    `json:"topic,omitempty"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Time      time.Time `json:"time"`
	Value     string    `json:"value"`
}

func (a pipelineAPI) preview(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		filesRequest
		Sample sample `json:"sample"`
		Reach  bool   `json:"reach"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	id := r.PathValue("id")
	now, _, err := f.Texts(id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), previewTime)
	defer cancel()
	recs, err := a.n.sampleRecords(ctx, in.Sample, f.Running(id).Topics())
	if err != nil {
		return nil, err
	}
	out := map[string]any{"records": shown(recs)}
	before, _, err := traceTexts(ctx, f, id, now, recs, in.Reach)
	if err != nil {
		return nil, err
	}
	after, errs, err := traceTexts(ctx, f, id, in.Files, recs, in.Reach)
	if err != nil {
		return nil, err
	}
	out["before"], out["problems"] = before, problems(errs)
	if len(errs.Faults()) == 0 {
		out["after"], out["comparison"] = after, pipeline.CompareTraced(before, after)
	}
	return out, nil
}

// traceTexts traces records through texts of a pipeline; faults of the texts come with what is said about them.
func traceTexts(ctx context.Context, f *fleet.Fleet, id string, texts []pipeline.Source, recs []queue.Record, reach bool) ([]pipeline.Traced, conf.Errors, error) {
	cfg, err := f.Settings(id, texts)
	if err != nil {
		return nil, nil, err
	}
	errs := pipeline.Check(cfg)
	if len(errs.Faults()) > 0 {
		return nil, errs, nil
	}
	cfg.Reach = reach
	traced, err := pipeline.Trace(ctx, cfg, recs)
	if traced == nil {
		traced = []pipeline.Traced{}
	}
	return traced, errs, err
}

// sampleRecords are records of a topic, or of lines that were typed.
func (n *node) sampleRecords(ctx context.Context, s sample, topics []string) ([]queue.Record, error) {
	var recs []queue.Record
	for _, l := range s.Lines[:min(len(s.Lines), maxSample)] {
		recs = append(recs, queue.Record{Value: []byte(l), Time: time.Now()})
	}
	if len(recs) > 0 {
		return recs, nil
	}
	if s.Topic == "" && len(topics) > 0 {
		s.Topic = topics[0]
	}
	if s.Topic == "" {
		return nil, errors.New("the pipeline reads no topic: give lines, or name a topic")
	}
	admin, err := n.queueAdmin()
	if err != nil {
		return nil, err
	}
	if s.Count <= 0 {
		s.Count = defaultSample
	}
	return browse(ctx, admin, kafka.Browse{Topic: s.Topic, From: s.From, Contains: s.Contains, Limit: min(s.Count, maxSample), ValueBytes: maxPipelineBody})
}

// browse reads messages of a topic as records.
func browse(ctx context.Context, admin *kafka.Admin, q kafka.Browse) ([]queue.Record, error) {
	page, err := admin.Browse(ctx, q)
	if err != nil {
		return nil, err
	}
	var recs []queue.Record
	for _, m := range page.Messages {
		r := queue.Record{Topic: m.Topic, Partition: m.Partition, Offset: m.Offset, Time: m.Time, Value: []byte(m.Value), Key: []byte(m.Key)}
		if m.ValueKind == "base64" {
			if r.Value, err = base64.StdEncoding.DecodeString(m.Value); err != nil {
				return nil, fmt.Errorf("message %s-%d@%d: %w", m.Topic, m.Partition, m.Offset, err)
			}
		}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, queue.Header{Key: h.Key, Value: []byte(h.Value)})
		}
		recs = append(recs, r)
	}
	return recs, nil
}

func shown(recs []queue.Record) []sampled {
	l := make([]sampled, len(recs))
	for i, r := range recs {
		l[i] = sampled{r.Topic, r.Partition, r.Offset, r.Time, string(r.Value)}
		if !utf8.Valid(r.Value) {
			l[i].Value = strconv.QuoteToASCII(l[i].Value)
		}
	}
	return l
}

func (a pipelineAPI) apply(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		filesRequest
		Base string `json:"base"`
		Note string `json:"note"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	return f.Apply(r.PathValue("id"), in.Files, in.Base, in.Note)
}

func (a pipelineAPI) rollback(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Version int `json:"version"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	return f.Rollback(r.PathValue("id"), in.Version)
}

func (a pipelineAPI) history(_ http.ResponseWriter, r *http.Request) (any, error) {
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	l, err := f.History(r.PathValue("id"))
	return map[string]any{"versions": l}, err
}

func (a pipelineAPI) version(_ http.ResponseWriter, r *http.Request) (any, error) {
	f, err := a.fleet()
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(r.PathValue("version"))
	if err != nil {
		return nil, fleet.ErrUnknown
	}
	return f.Version(r.PathValue("id"), n)
}

// plugins is what an editor completes.
func (a pipelineAPI) plugins(http.ResponseWriter, *http.Request) (any, error) {
	return pipeline.Catalog(), nil
}
