package store

import "github.com/weirlog/weir/ledger"

// Ledger is what a group has of every source it ever wrote: which bytes have a fate, and which. Positions read before are never ahead of
// it. A group that never wrote has none.
func (s *Store) Ledger(name string) map[ledger.Source]*ledger.Kept {
	s.gmu.Lock()
	g := s.groups[name]
	s.gmu.Unlock()
	if g == nil {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	out := make(map[ledger.Source]*ledger.Kept, len(g.sources))
	for id, a := range g.sources {
		in := a.in.Clone()
		out[id] = &ledger.Kept{Source: id, In: &in, Bytes: a.fates, Repeats: a.repeats}
	}
	return out
}
