package bus

import (
	"slices"
	"strings"
)

// Links is what a pipeline has to do with others.
type Links struct {
	ID      string
	Listens []string // addresses of its pipeline inputs
	Sends   []string // of its pipeline outputs
	Only    bool     // it has no other inputs
}

// Cycle names the pipelines of a circle that records would run in for ever, or nil.
func Cycle(all []Links) []string {
	next := make(map[string][]string)
	for _, l := range all {
		for _, to := range all {
			if slices.ContainsFunc(l.Sends, func(a string) bool { return slices.Contains(to.Listens, a) }) {
				next[l.ID] = append(next[l.ID], to.ID)
			}
		}
	}
	done := make(map[string]bool)
	for _, l := range all {
		if c := walk(l.ID, next, done, nil); c != nil {
			return c
		}
	}
	return nil
}

func walk(id string, next map[string][]string, done map[string]bool, path []string) []string {
	if i := slices.Index(path, id); i >= 0 {
		return append(slices.Clone(path[i:]), id)
	}
	if done[id] {
		return nil
	}
	path = append(path, id)
	for _, n := range next[id] {
		if c := walk(n, next, done, path); c != nil {
			return c
		}
	}
	done[id] = true
	return nil
}

// Order is the pipelines with every sender before its receivers: the order to stop them in.
func Order(all []Links) []string {
	var ids []string
	var visit func(l Links)
	seen := make(map[string]bool)
	visit = func(l Links) {
		if seen[l.ID] {
			return
		}
		seen[l.ID] = true
		for _, to := range all {
			if slices.ContainsFunc(l.Sends, func(a string) bool { return slices.Contains(to.Listens, a) }) {
				visit(to)
			}
		}
		ids = append(ids, l.ID)
	}
	for _, l := range all {
		visit(l)
	}
	slices.Reverse(ids)
	return ids
}

// Describe is a circle as text.
func Describe(cycle []string) string { return strings.Join(cycle, " -> ") }
