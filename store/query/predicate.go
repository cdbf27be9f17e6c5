package query

import (
	"fmt"
	"time"

	"github.com/weirlog/weir/store/mapping"
)

// Predicate tells whether a search would find a document, without an index: live tail and alerts. It reads a document as an index
// would, into a source of one row, and runs the plan of the query over that; the mapping grows with the documents as an index's
// does, so that a text, number or date means the same as in the store. One goroutine uses it.
type Predicate struct {
	query   Query
	source  *Memory
	planned *mapping.Mapping // the mapping that plan was made for
	plan    *Plan
	made    time.Time // when plan was made
	sel     Selection
	broken  int64

	// Now is the clock of date math; nil is time.Now.
	Now func() time.Time
}

// NewPredicate makes the test for a query. With a mapping the fields have its types; nil is the mapping of the built-in log templates.
func NewPredicate(q Query, m *mapping.Mapping) (*Predicate, error) {
	limits := mapping.DefaultLimits()
	limits.IgnoreBeyond, limits.IgnoreMalformed = true, true
	if m == nil {
		var err error
		if m, err = mapping.Parse([]byte(mapping.Logs)); err != nil {
			return nil, fmt.Errorf("parse the built-in mapping: %w", err)
		}
	}
	p := &Predicate{query: q, source: NewMemory(m, limits)}
	return p, p.replan(m)
}

// replan fits the query to a mapping.
func (p *Predicate) replan(m *mapping.Mapping) error {
	now := p.now()
	plan, err := NewPlan(p.query, Context{Mapping: m, Now: now})
	if err != nil {
		return err
	}
	p.plan, p.planned, p.made = plan, m, now
	wanted := map[string]bool{}
	columns(plan.root, wanted)
	p.source.wanted = wanted
	return nil
}

func (p *Predicate) now() time.Time {
	if p.Now != nil {
		return p.Now()
	}
	return time.Now()
}

// refreshEvery is how long "now" of a query with date math stands still.
const refreshEvery = time.Second

// Match tells whether the query matches a document, which is JSON. A document that no index would take matches nothing.
func (p *Predicate) Match(doc []byte) bool {
	p.source.Reset()
	if p.source.Add(doc, "") != nil {
		p.broken++
		return false
	}
	if m := p.source.Mapping(); m != p.planned || p.plan.usesNow && p.now().Sub(p.made) >= refreshEvery {
		if err := p.replan(m); err != nil {
			p.broken++ // the query does not fit a field that this document brought: no search would answer either
			p.planned = m
			return false
		}
		return p.Match(doc) // once more, with the columns that the new plan reads
	}
	if p.plan.None() {
		return false
	}
	if p.plan.All() {
		return true
	}
	return p.plan.NewScan(p.source).Select(0, &p.sel)
}

// Broken is the number of documents that could not be read or searched.
func (p *Predicate) Broken() int64 { return p.broken }

// columns gathers the paths of the columns that a node reads.
func columns(n node, into map[string]bool) {
	switch n := n.(type) {
	case scoredNode:
		columns(n.node, into)
	case boostedNode:
		columns(n.node, into)
	case *boostingNode:
		columns(n.node, into)
	case *disMaxNode:
		columns(n.boolNode, into)
	case *boolNode:
		for _, list := range [][]node{n.and, n.should, n.not} {
			for _, c := range list {
				columns(c, into)
			}
		}
	case *tokenNode:
		into[n.path] = true
	case *tokensNode:
		into[n.path] = true
	case *phraseNode:
		into[n.path] = true
	case *valuesNode:
		into[n.path] = true
	case *numbersNode:
		into[n.path] = true
	case *presentNode:
		into[n.path] = true
	}
}
