package query

import (
	"time"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// Context is what a plan needs to know of an index and of the moment.
type Context struct {
	Index         string
	Mapping       *mapping.Mapping
	Now           time.Time
	Memory        *Reservation  // what the search may still take
	Scores        bool          // scores are asked for
	Sources       []Source      // of the index: how rare words are; nil: every word counts the same
	Analyzers     *analysis.Set // of the index, nil: the built-in ones
	DefaultFields []string      // index.query.default_field; nil means every searchable field, leniently
}

// Plan is a query fitted to one index: dates, numbers and text are parsed. It is immutable and safe for concurrent use.
type Plan struct {
	root    node
	usesNow bool // it depends on the moment it was made
}

// node is a part of a plan. open binds it to a source; the matcher is used by one goroutine.
type node interface {
	open(s *Scan) matcher
}

// NewPlan fits a query to an index.
func NewPlan(q Query, c Context) (*Plan, error) {
	p := &planner{Context: c, analyzers: map[string]*analysis.Analyzer{}, scoring: c.Scores}
	root, err := p.plan(q)
	if err != nil {
		if e, ok := err.(*Error); ok && e.Index == "" {
			e.Index = c.Index
		}
		return nil, err
	}
	return &Plan{root: root, usesNow: p.usesNow}, nil
}

// None tells that no document of the index can match.
func (p *Plan) None() bool { _, ok := p.root.(noneNode); return ok }

// All tells that every document of the index matches.
func (p *Plan) All() bool { _, ok := p.root.(allNode); return ok }

type planner struct {
	Context
	analyzers map[string]*analysis.Analyzer
	leaves    int
	usesNow   bool
	scoring   bool // leaves get a score: false in filters
	lenient   bool // a value that a field cannot hold matches nothing
	extents   map[string][2]int64
}

func (p *planner) plan(q Query) (node, error) {
	if p.leaves++; p.leaves > 4*maxClauses {
		return nil, tooManyClauses()
	}
	return q.plan(p)
}

// planAll fits each query.
func (p *planner) planAll(qs []Query) ([]node, error) {
	out := make([]node, 0, len(qs))
	for _, q := range qs {
		n, err := p.plan(q)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// analyzer is the one of that name; "" is the index's default.
func (p *planner) analyzer(name string) (*analysis.Analyzer, error) {
	if a := p.analyzers[name]; a != nil {
		return a, nil
	}
	a, ok := p.Analyzers.Lookup(name)
	if !ok {
		return nil, shardf("[%s] analyzer [%s] not found", "match", name)
	}
	p.analyzers[name] = a
	return a, nil
}

// searchAnalyzer is the analyzer of queries on a text field.
func (p *planner) searchAnalyzer(f *mapping.Field, override string) (*analysis.Analyzer, error) {
	switch {
	case override != "":
		return p.analyzer(override)
	case f.SearchAnalyzer != "":
		return p.analyzer(f.SearchAnalyzer)
	}
	return p.analyzer(f.Analyzer)
}
