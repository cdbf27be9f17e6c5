// Package pattern groups messages by what they have in common: words that stand in all messages of a group are its template, where they
// differ it has a wildcard.
//
// Messages with the same number of words are compared, as Drain does (He and others, ICWS 2017): a message joins the most similar group
// or makes one. What is a value by its look (numbers, addresses, times, paths) is a wildcard from the start. When all messages are
// there, a group is split at a place where few different words stand, each of them often: those are states, not values; and groups
// whose fixed words are the same are put together: their values had different numbers of words.
package pattern

import (
	"sort"
	"strings"
	"time"
)

// Config bounds and tunes a Clusterer.
type Config struct {
	// Similarity is the least share of equal fixed words to join a group, of 0 to 1.
	Similarity float64
	// States is the largest number of different words at one place that are states of a message, each a group of its own.
	States int
	// Clusters bounds the groups; messages that fit none of them when it is reached are counted in Rest.
	Clusters int
	// Messages bounds the messages that are kept; further ones are counted in Rest.
	Messages int
	// Slots is how many parts of the time range a group counts its messages in; 0 counts none.
	Slots int
}

// DefaultConfig is what the pages use.
func DefaultConfig() Config {
	return Config{Similarity: 0.55, States: 5, Clusters: 2000, Messages: 10_000, Slots: 60}
}

// Cluster is a group of messages.
type Cluster struct {
	Count   int
	First   time.Time
	Last    time.Time
	Slots   []int          // messages in each part of the range
	Levels  map[string]int // messages by level
	Example string         // a message, whole
	words   []token        // the template
	members []*message
}

// message is one message that was added.
type message struct {
	words []token
	text  string
	level string
	at    time.Time
	n     int // in the order of Add
}

// Clusterer groups messages. It is not safe for concurrent use.
type Clusterer struct {
	cfg      Config
	from, to time.Time
	byLength map[int][]*Cluster
	groups   int
	added    int
	rest     int
}

// New makes a Clusterer; from and to are the range that is cut into Slots.
func New(cfg Config, from, to time.Time) *Clusterer {
	return &Clusterer{cfg: cfg, from: from, to: to, byLength: map[int][]*Cluster{}}
}

// Rest is how many messages belong to no group, because there were too many.
func (c *Clusterer) Rest() int { return c.rest }

// Add puts a message into a group.
func (c *Clusterer) Add(text, level string, at time.Time) {
	m := &message{words: tokens(text, nil), text: text, level: level, at: at, n: c.added}
	c.added++
	if m.n >= c.cfg.Messages {
		c.rest++
		return
	}
	list := c.byLength[len(m.words)]
	g := closest(list, m.words, c.cfg.Similarity)
	if g == nil {
		if c.groups >= c.cfg.Clusters {
			c.rest++
			return
		}
		c.groups++
		g = &Cluster{words: append([]token(nil), m.words...)}
		c.byLength[len(m.words)] = append(list, g)
	}
	for i := range g.words {
		if g.words[i].text != m.words[i].text {
			g.words[i].text = Wildcard
		}
	}
	g.members = append(g.members, m)
}

// closest is the group with the largest share of equal fixed words, nil when none has enough.
func closest(list []*Cluster, words []token, least float64) *Cluster {
	var best *Cluster
	bestShare := -1.0
	for _, g := range list {
		equal, fixed := 0, 0
		for i, t := range g.words {
			if t.text == Wildcard && words[i].text == Wildcard {
				continue
			}
			fixed++
			if t.text == words[i].text {
				equal++
			}
		}
		share := 1.0
		if fixed > 0 {
			share = float64(equal) / float64(fixed)
		}
		if share > bestShare {
			best, bestShare = g, share
		}
	}
	if bestShare < least {
		return nil
	}
	return best
}

// split cuts a group at the place with the fewest states, again and again.
func (c *Clusterer) split(g *Cluster, out []*Cluster) []*Cluster {
	at := c.statesAt(g)
	if at < 0 {
		return append(out, g)
	}
	parts := map[string]*Cluster{}
	var order []string
	for _, m := range g.members {
		key := m.words[at].text
		p := parts[key]
		if p == nil {
			p = &Cluster{words: append([]token(nil), m.words...)}
			parts[key] = p
			order = append(order, key)
		}
		for i := range p.words {
			if p.words[i].text != m.words[i].text {
				p.words[i].text = Wildcard
			}
		}
		p.members = append(p.members, m)
	}
	for _, key := range order {
		out = c.split(parts[key], out)
	}
	return out
}

// statesAt is the place in a group where few words stand, none of them a value; -1 when there is none.
func (c *Clusterer) statesAt(g *Cluster) int {
	best, fewest := -1, c.cfg.States+1
	for i := range g.words {
		if g.words[i].text != Wildcard {
			continue
		}
		seen := map[string]int{}
		for _, m := range g.members {
			w := m.words[i].text
			if seen[w]++; len(seen) >= fewest || w == Wildcard {
				seen = nil
				break
			}
		}
		if len(seen) > 1 && len(seen) < fewest && len(g.members) >= 2*len(seen) {
			best, fewest = i, len(seen)
		}
	}
	return best
}

// Clusters are the groups, the largest first.
func (c *Clusterer) Clusters() []*Cluster {
	var all []*Cluster
	for _, list := range c.byLength {
		for _, g := range list {
			all = c.split(g, all)
		}
	}
	sort.Slice(all, func(i, j int) bool { return all[i].members[0].n < all[j].members[0].n })
	all = unite(all)
	for _, g := range all {
		c.count(g)
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Count > all[j].Count })
	return all
}

// unite puts groups together whose fixed words are the same, if there are at least two; the first one's template stays.
func unite(all []*Cluster) []*Cluster {
	byWords := map[string]*Cluster{}
	out := all[:0]
	for _, g := range all {
		literals := g.fixed()
		if len(literals) < 2 {
			out = append(out, g)
			continue
		}
		key := strings.Join(literals, " ")
		if first := byWords[key]; first != nil {
			first.members = append(first.members, g.members...)
			continue
		}
		byWords[key] = g
		out = append(out, g)
	}
	return out
}

// fixed are the words that are no wildcards.
func (g *Cluster) fixed() []string {
	var out []string
	for _, t := range g.words {
		if t.text != Wildcard && t.text != "" {
			out = append(out, t.text)
		}
	}
	return out
}

// count sums up the members.
func (c *Clusterer) count(g *Cluster) {
	first := g.members[0]
	g.Count, g.First, g.Last, g.Example = len(g.members), first.at, first.at, first.text
	g.Slots, g.Levels = make([]int, c.cfg.Slots), map[string]int{}
	span := c.to.Sub(c.from)
	for _, m := range g.members {
		g.Levels[m.level]++
		if m.at.Before(g.First) {
			g.First = m.at
		}
		if m.at.After(g.Last) {
			g.Last = m.at
		}
		if span > 0 && len(g.Slots) > 0 {
			slot := int(float64(m.at.Sub(c.from)) / float64(span) * float64(len(g.Slots)))
			g.Slots[min(max(slot, 0), len(g.Slots)-1)]++
		}
	}
}

// Messages calls f for every message of the group, with its place in the order of Add.
func (g *Cluster) Messages(f func(n int)) {
	for _, m := range g.members {
		f(m.n)
	}
}

// Template is the text that the messages have in common; wildcards in a row are one.
func (g *Cluster) Template() string {
	var b strings.Builder
	for i, t := range g.words {
		if t.text == Wildcard && i > 0 && g.words[i-1].text == Wildcard && strings.TrimSpace(t.gap) == "" {
			continue
		}
		b.WriteString(t.gap)
		b.WriteString(t.text)
	}
	return b.String()
}

// Literals are the runs of fixed words between the wildcards, in order, as they stand in the messages.
func (g *Cluster) Literals() []string {
	var out []string
	var b strings.Builder
	end := func() {
		if s := strings.TrimSpace(b.String()); s != "" {
			out = append(out, s)
		}
		b.Reset()
	}
	for _, t := range g.words {
		if t.text == Wildcard {
			end()
			continue
		}
		if b.Len() > 0 {
			b.WriteString(t.gap)
		}
		b.WriteString(t.text)
	}
	end()
	return out
}
