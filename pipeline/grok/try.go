package grok

import "strings"

// Tried is what a pattern makes of a line.
type Tried struct {
	Line    string       `json:"line"`
	Matched bool         `json:"matched"`
	From    int          `json:"from"` // bytes of the match
	To      int          `json:"to"`
	Fields  []TriedField `json:"fields,omitempty"`
	Miss    *TriedMiss   `json:"miss,omitempty"` // when it does not match
}

// TriedField is a capture. A field that several groups fill stands several times.
type TriedField struct {
	Name  string `json:"name"`
	Value any    `json:"value"` // string, int64 or float64
	From  int    `json:"from"`
	To    int    `json:"to"`
}

// TriedMiss tells how far a line came.
type TriedMiss struct {
	Prefix   string `json:"prefix"`         // the longest beginning of the pattern that matches
	Rest     string `json:"rest"`           // what of the pattern follows it
	From     int    `json:"from"`           // where the attempt that came furthest began
	Furthest int    `json:"furthest"`       // the byte that no way of the pattern could take
	Expected string `json:"expected"`       // what would have been taken there
	Name     string `json:"name,omitempty"` // the definition that failed there
	GaveUp   bool   `json:"gave_up,omitempty"`
}

// Try matches a line and tells everything about it. It is for a few lines, not for each.
func (p *Pattern) Try(line string) Tried {
	m := p.NewMatcher()
	b := []byte(line)
	ok, err := m.Match(b)
	t := Tried{Line: line, Matched: ok}
	if !ok {
		x := p.Explain(b)
		t.Miss = &TriedMiss{Prefix: x.Prefix, Rest: strings.TrimPrefix(p.text, x.Prefix), From: x.Start, Furthest: x.Furthest, Expected: x.Expected, Name: x.Name,
			GaveUp: x.Gave || err != nil}
		return t
	}
	t.From, t.To = m.Span()
	m.Each(func(i, from, to int) {
		c := p.captures[i]
		f := TriedField{Name: c.Name, Value: line[from:to], From: from, To: to}
		switch c.Type {
		case Int:
			f.Value = ToInt(b[from:to])
		case Float:
			f.Value = ToFloat(b[from:to])
		}
		t.Fields = append(t.Fields, f)
	})
	return t
}
