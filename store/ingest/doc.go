// Package ingest runs ingest pipelines: lists of processors that change a document before it is written.
//
// A pipeline is JSON, as PUT _ingest/pipeline takes it. Service compiles it when it is first used and again when it has changed, and
// runs it over a Document. A processor fails with an *Error; its on_failure processors, else the pipeline's, else the caller deal with
// that. One file per family of processors; the table in processors.go names them all. What needs the pipeline's own machines (grok, user
// agents, places of addresses, its regular expressions) is asked of Filters.
package ingest

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/store/painless"
)

// Bounds.
const (
	maxProcessors = 1000 // of one pipeline
	maxDepth      = 20   // pipelines that call pipelines
	maxPath       = 1000 // bytes of a field's path
	maxIndexed    = 1 << 16
)

// Filters are functions of the pipeline, given by whoever wires the parts. A nil one makes its processors refuse to compile.
type Filters struct {
	// Grok compiles patterns, tried in order; defs are further pattern names. The matcher calls set with each capture (a dotted path and
	// a string, int64, float64 or bool) and tells which pattern matched, -1 for none.
	Grok func(patterns []string, defs map[string]string, ecs bool) (func(text string, set func(path string, value any)) (int, error), error)
	// GrokPatterns lists the stock patterns.
	GrokPatterns func(ecs bool) map[string]string
	// Regexp compiles an expression; replace puts template ($1) in the place of each match, find gives the ends of each match.
	Regexp func(expr string) (Regexp, error)
	// UserAgent takes a browser's text apart.
	UserAgent func(text string) *painless.Map
	// GeoIP opens a database file; the function finds what it says of an address.
	GeoIP func(database string) (func(ip string) (*painless.Map, bool, error), error)
}

// Regexp is a compiled regular expression.
type Regexp interface {
	ReplaceAll(s, template string) (string, error)
	Split(s string) ([]string, error)
}

// Document is what a pipeline changes.
type Document struct {
	Index, ID, Routing string
	Version            int64
	VersionType        string
	Source             *painless.Map
	Meta               *painless.Map // _ingest
	Dropped            bool
	Rerouted           bool // the index was chosen by reroute: its own pipelines follow

	ended bool // terminate
}

// NewDocument makes a document of a source; now is _ingest.timestamp.
func NewDocument(index, id, routing string, src []byte, now time.Time) (*Document, error) {
	v, err := painless.ParseJSON(src)
	if err != nil {
		return nil, &Error{Type: "document_parsing_exception", Reason: "failed to parse: " + err.Error()}
	}
	m, ok := v.(*painless.Map)
	if !ok {
		return nil, &Error{Type: "document_parsing_exception", Reason: "failed to parse: the document is not an object"}
	}
	d := &Document{Index: index, ID: id, Routing: routing, Source: m, Meta: painless.NewMap()}
	d.Meta.Set("timestamp", now.UTC().Format("2006-01-02T15:04:05.000000000Z"))
	return d, nil
}

// Error is a processor that failed, or a pipeline that does not compile.
type Error struct {
	Type   string // illegal_argument_exception
	Reason string
	Status int // 0 is 400

	Processor, Tag, Property string // of a pipeline that does not compile: where
}

func (e *Error) Error() string { return e.Reason }

func failf(format string, args ...any) *Error {
	return &Error{Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}
}

// Service runs the pipelines of a store. It is safe for concurrent use.
type Service struct {
	lookup  func(id string) (json.RawMessage, bool)
	filters Filters

	mu    sync.Mutex
	cache map[string]*compiled
}

type compiled struct {
	body string
	p    *Pipeline
}

// New makes a service; lookup finds the JSON of a pipeline.
func New(lookup func(id string) (json.RawMessage, bool), f Filters) *Service {
	return &Service{lookup: lookup, filters: f, cache: map[string]*compiled{}}
}

// Stats are counters of a pipeline or a processor since it was compiled.
type Stats struct {
	Count, Failed, Current, Nanos atomic.Int64
}

// Pipeline is a compiled pipeline.
type Pipeline struct {
	ID        string
	Steps     []*step
	OnFailure []*step
	Stats     Stats
}

// Pipeline finds and compiles a pipeline; nil, nil when there is none of that name.
func (s *Service) Pipeline(id string) (*Pipeline, error) {
	body, ok := s.lookup(id)
	if !ok {
		return nil, nil
	}
	s.mu.Lock()
	c := s.cache[id]
	s.mu.Unlock()
	if c != nil && c.body == string(body) {
		return c.p, nil
	}
	p, err := s.Compile(id, body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.cache[id] = &compiled{string(body), p}
	s.mu.Unlock()
	return p, nil
}

// Cached are the pipelines that have run, by id.
func (s *Service) Cached() map[string]*Pipeline {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]*Pipeline{}
	for id, c := range s.cache {
		out[id] = c.p
	}
	return out
}

// Run runs a pipeline over a document.
func (s *Service) Run(id string, d *Document) error {
	p, err := s.Pipeline(id)
	if err != nil {
		return err
	}
	if p == nil {
		return failf("pipeline with id [%s] does not exist", id)
	}
	return s.RunPipeline(p, d, nil)
}

// RunPipeline runs a compiled pipeline; trace, when it is not nil, hears of each processor.
func (s *Service) RunPipeline(p *Pipeline, d *Document, trace Trace) error {
	e := &execution{s: s, trace: trace}
	return e.pipeline(p, d)
}

// Trace hears what became of a document behind each processor: status is success, error, error_ignored, skipped or dropped.
type Trace func(st Step, status string, d *Document, err error)

// Step is what a Trace is told of a processor.
type Step struct{ Type, Tag, Description, Condition string }
