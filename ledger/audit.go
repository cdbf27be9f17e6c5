package ledger

import (
	"cmp"
	"slices"
)

// Audit compares what agents announced with what a store has, range by range. Feed it the manifests in any order, then ask for the
// report. It is not safe for concurrent use.
type Audit struct {
	passed  func(Place) bool // whether a pipeline has settled everything below a place
	sources map[Source]*audited
}

// audited is what is known of one source.
type audited struct {
	last  Manifest // with the highest To
	due   int64    // bytes below it must have a fate by now,
	dueAt int64    // as was announced then, Unix ms
	fates Set
	bytes [6]int64 // of fates
	rules map[string]int64
}

// NewAudit starts an audit. passed tells whether the pipeline in question has settled all records below a place; it must have been read
// before the store's sets are, so that the store can only know more.
func NewAudit(passed func(Place) bool) *Audit {
	return &Audit{passed: passed, sources: map[Source]*audited{}}
}

// Add takes a manifest in.
func (a *Audit) Add(m Manifest) {
	s := a.sources[m.Source]
	if s == nil {
		s = &audited{last: m, rules: map[string]int64{}}
		a.sources[m.Source] = s
	}
	for _, f := range m.Fates {
		before := s.fates.Bytes()
		s.fates.Add(f.From, f.To)
		n := s.fates.Bytes() - before
		s.bytes[f.Fate%6] += n
		if f.Fate == Dropped {
			s.rules[f.Rule] += n
		}
	}
	if !slices.ContainsFunc(m.At, func(p Place) bool { return !a.passed(p) }) {
		s.due, s.dueAt = max(s.due, m.To), max(s.dueAt, m.Time)
	}
	if m.To >= s.last.To {
		end, at := s.last.End, s.last.At
		s.last = m
		s.last.Fates = nil
		if s.last.End == "" {
			s.last.End = end
		}
		if len(s.last.At) == 0 {
			s.last.At = at
		}
	}
}

// Kept is what a store has of one source, for one group.
type Kept struct {
	Source  Source
	In      *Set     // bytes with a fate
	Bytes   [6]int64 // by Fate
	Repeats int64    // documents dropped as repeats
}

// Line is the account of one source: Read = Indexed + Dropped + Merged + Dead + Lost + InFlight + Missing, in bytes.
type Line struct {
	Source  Source           `json:"source"`
	Agent   string           `json:"agent"`
	Host    string           `json:"host"`
	Path    string           `json:"path"`
	Time    int64            `json:"time"` // of the last manifest, Unix ms
	Due     int64            `json:"due"`  // of the last manifest whose bytes must have a fate by now
	End     string           `json:"end,omitempty"`
	Read    int64            `json:"read"`
	Indexed int64            `json:"indexed"`
	Dropped int64            `json:"dropped"`
	Merged  int64            `json:"merged"`
	Dead    int64            `json:"dead"`
	Lost    int64            `json:"lost"`
	Flight  int64            `json:"in_flight"`
	Missing int64            `json:"missing"`
	Repeats int64            `json:"repeats"`
	Gaps    [][2]int64       `json:"gaps,omitempty"` // the missing ranges, at most maxGaps
	Rules   map[string]int64 `json:"rules,omitempty"`
	// Unannounced are bytes that are in the store though no manifest speaks of them yet: those of the last seconds.
	Unannounced int64 `json:"unannounced,omitempty"`
}

// maxGaps bounds the ranges a line names.
const maxGaps = 100

// Report is the account of every source that was announced, oldest first. kept gives what the store has; nil for nothing.
func (a *Audit) Report(kept func(Source) *Kept) []Line {
	out := make([]Line, 0, len(a.sources))
	for id, s := range a.sources {
		k := kept(id)
		if k == nil {
			k = &Kept{In: &Set{}}
		}
		out = append(out, s.line(k))
	}
	slices.SortFunc(out, func(x, y Line) int {
		if c := cmp.Compare(x.Path, y.Path); c != 0 {
			return c
		}
		return slices.Compare(x.Source[:], y.Source[:])
	})
	return out
}

func (s *audited) line(k *Kept) Line {
	m := &s.last
	l := Line{
		Source: m.Source, Agent: m.Agent, Host: m.Host, Path: m.Path, Time: m.Time, Due: s.dueAt, End: m.End, Read: m.To - m.From, Repeats: k.Repeats,
		Indexed: k.Bytes[Indexed], Dropped: k.Bytes[Dropped] + s.bytes[Dropped], Merged: k.Bytes[Merged] + s.bytes[Merged],
		Dead: k.Bytes[Dead], Lost: k.Bytes[Lost] + s.bytes[Lost], Rules: s.rules,
	}
	all := s.fates.Clone()
	k.In.Each(func(from, to int64) bool {
		all.Add(from, to)
		return true
	})
	at := m.From
	gap := func(from, to int64) {
		if late := max(from, s.due); late < to {
			l.Flight += to - late
		}
		if due := min(to, s.due); from < due {
			l.Missing += due - from
			if len(l.Gaps) < maxGaps {
				l.Gaps = append(l.Gaps, [2]int64{from, due})
			}
		}
	}
	all.Each(func(from, to int64) bool {
		if at < min(from, m.To) {
			gap(at, min(from, m.To))
		}
		at = max(at, to)
		if to > m.To {
			l.Unannounced += to - max(from, m.To)
		}
		return true
	})
	if at < m.To {
		gap(at, m.To)
	}
	l.Read += l.Unannounced
	return l
}

// Add adds the figures of another source, but not its identity and gaps.
func (l *Line) Add(o Line) {
	l.Read, l.Indexed, l.Dropped, l.Merged = l.Read+o.Read, l.Indexed+o.Indexed, l.Dropped+o.Dropped, l.Merged+o.Merged
	l.Dead, l.Lost, l.Flight, l.Missing = l.Dead+o.Dead, l.Lost+o.Lost, l.Flight+o.Flight, l.Missing+o.Missing
	l.Repeats, l.Unannounced = l.Repeats+o.Repeats, l.Unannounced+o.Unannounced
	for rule, n := range o.Rules {
		l.Rules[rule] += n
	}
}

// Clone is a copy that shares nothing.
func (s *Set) Clone() Set { return Set{slices.Clone(s.spans)} }
