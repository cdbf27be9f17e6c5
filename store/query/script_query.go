package query

import (
	"math"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/script"
)

// scriptQuery is script: documents for which a script answers true.
type scriptQuery struct {
	base
	script *script.Script
	params map[string]script.Value
}

func parseScriptQuery(d *decoder, name string, n *Node) (Query, error) {
	q := &scriptQuery{}
	err := q.members(name, n, func(key string, v *Node) (bool, error) {
		if key != "script" {
			return false, nil
		}
		var err error
		q.script, q.params, err = scriptOf(v)
		return true, err
	})
	if err == nil && q.script == nil {
		err = n.Errorf("script must be provided with a [script] query")
	}
	return q, err
}

func (q *scriptQuery) plan(p *planner) (node, error) {
	if p.Mapping == nil {
		return noneNode{}, nil
	}
	return p.leaf(&scriptNode{q, p.Mapping}, q.boost), nil
}

type scriptNode struct {
	query *scriptQuery
	m     *mapping.Mapping
}

func (n *scriptNode) open(s *Scan) matcher {
	run := newScriptRun(n.query.script, n.query.params, s.src, n.m)
	s.watch(run)
	return &rowMatcher{rows: s.rows, test: func(zone, row int) bool {
		ok, _ := run.run(zone, row, 0).(bool)
		return ok
	}}
}

// rowMatcher asks row by row: it costs the most, so that it comes last.
type rowMatcher struct {
	rows int
	test func(zone, row int) bool
}

func (m *rowMatcher) cost() int         { return m.rows + 1 }
func (m *rowMatcher) next(zone int) int { return zone }

func (m *rowMatcher) and(zone int, sel *Selection) bool {
	sel.Each(func(row int) {
		if !m.test(zone, row) {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// watch makes an error of a script the scan's.
func (s *Scan) watch(r *scriptRun) { s.runs = append(s.runs, r) }

// Err is the first error of a script.
func (s *Scan) Err() error {
	for _, r := range s.runs {
		if r.err != nil {
			return r.err
		}
	}
	return nil
}

// scriptScore is script_score: a script makes the score from the query's.
type scriptScore struct {
	base
	query  Query
	script *script.Script
	params map[string]script.Value
	min    *float32
}

func parseScriptScore(d *decoder, name string, n *Node) (Query, error) {
	q := &scriptScore{}
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "query":
			q.query, err = d.query(v)
		case "script":
			q.script, q.params, err = scriptOf(v)
		case "min_score":
			q.min = new(float32)
			return real(name, key, v, q.min)
		default:
			return false, nil
		}
		return true, err
	})
	switch {
	case err != nil:
	case q.query == nil:
		err = n.Errorf("[script_score] requires 'query' field")
	case q.script == nil:
		err = n.Errorf("[script_score] requires 'script' field")
	}
	return q, err
}

func (q *scriptScore) plan(p *planner) (node, error) {
	inner, err := p.plan(q.query)
	if err != nil || p.Mapping == nil || isNone(inner) || !p.scoring && q.min == nil {
		return inner, err
	}
	return boost(&rescoredNode{node: inner, min: q.min, make: func(s *Scan) rescore { return q.rescore(s, p.Mapping) }}, q.boost), nil
}

// rescore runs the script over a source.
func (q *scriptScore) rescore(s *Scan, m *mapping.Mapping) rescore {
	run := newScriptRun(q.script, q.params, s.src, m)
	s.watch(run)
	return func(zone, row int, score float32) float32 {
		v, err := script.Number(run.run(zone, row, score))
		if err == nil && run.err == nil && (v < 0 || math.IsNaN(v)) {
			err = badf("script_score script returned an invalid score [%s]. Must be a non-negative score!", javaFloat(v))
		}
		if run.err == nil && err != nil {
			run.err = err
		}
		return float32(v)
	}
}

// rescore makes a row's score from the inner one.
type rescore func(zone, row int, score float32) float32

// rescoredNode changes the scores of a node; with min it drops rows that score less.
type rescoredNode struct {
	node
	min  *float32
	make func(s *Scan) rescore
}

func (n *rescoredNode) scores() bool { return true }
func (n *rescoredNode) marked() node { return n.node }

func (n *rescoredNode) open(s *Scan) matcher {
	m := n.node.open(s)
	if isNoneMatcher(m) {
		return m
	}
	return &rescoredMatcher{matcher: m, min: n.min, change: n.make(s)}
}

type rescoredMatcher struct {
	matcher
	min    *float32
	change rescore
	own    [ZoneRows]float32
}

// maxScore: nothing is known of what the change makes.
func (m *rescoredMatcher) maxScore() float32 { return float32(math.Inf(1)) }

func (m *rescoredMatcher) count() (int, bool) {
	if c, ok := m.matcher.(counter); ok && m.min == nil {
		return c.count()
	}
	return 0, false
}

func (m *rescoredMatcher) and(zone int, sel *Selection) bool {
	if !m.matcher.and(zone, sel) {
		return false
	}
	if m.min == nil {
		return true
	}
	m.compute(zone, sel)
	sel.Each(func(row int) {
		if m.own[row] < *m.min {
			sel.Clear(row)
		}
	})
	return sel.Any()
}

// compute sets own for the rows of sel.
func (m *rescoredMatcher) compute(zone int, sel *Selection) {
	sel.Each(func(row int) { m.own[row] = 0 })
	if s, ok := m.matcher.(scorer); ok {
		s.score(zone, sel, &m.own)
	}
	sel.Each(func(row int) { m.own[row] = m.change(zone, row, m.own[row]) })
}

func (m *rescoredMatcher) score(zone int, sel *Selection, out *[ZoneRows]float32) {
	rows := *sel
	if !m.matcher.and(zone, &rows) {
		return
	}
	m.compute(zone, &rows)
	rows.Each(func(row int) {
		if m.min == nil || m.own[row] >= *m.min {
			out[row] += m.own[row]
		}
	})
}
