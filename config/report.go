package config

import (
	"cmp"
	"os"
	"slices"
)

// Fate is what becomes of a setting of another program's file.
type Fate string

const (
	Honoured Fate = "honoured" // it has its effect
	Accepted Fate = "accepted" // there is nothing to do
	Ignored  Fate = "ignored"  // its effect is missed, and told
	Refused  Fate = "refused"  // the file does not run with it
)

// Mention is a setting of a file and its fate.
type Mention struct {
	Pos  Pos    `json:"pos"`
	Key  string `json:"key"`
	Fate Fate   `json:"fate"`
	Why  string `json:"why,omitempty"`
}

// mention notes the fate of a key; a later one of the same key replaces it.
func (b *binder) mention(key string, fate Fate, why string) {
	b.f.mention(b.keyPos(key), b.name(key), fate, why)
}

func (f *file) mention(pos Pos, key string, fate Fate, why string) {
	if f.report == nil {
		return
	}
	for i := len(*f.report) - 1; i >= 0; i-- {
		if m := &(*f.report)[i]; m.Pos == pos && m.Key == key {
			m.Fate, m.Why = fate, why
			return
		}
	}
	*f.report = append(*f.report, Mention{pos, key, fate, why})
}

// ReportFilebeat says of every setting of a filebeat.yml what becomes of it, in the order of the file. The error is Errors: why the
// file would not run.
func ReportFilebeat(path string, text []byte, env func(string) (string, bool)) ([]Mention, error) {
	var report []Mention
	fb, err := parseFilebeat(path, text, env, &report)
	for _, w := range fb.Warnings { // what is told beyond single settings
		if !slices.ContainsFunc(report, func(m Mention) bool { return m.Pos == w.Pos && m.Fate == Ignored }) {
			report = append(report, Mention{w.Pos, w.Key, Ignored, w.Effect})
		}
	}
	slices.SortStableFunc(report, func(a, b Mention) int {
		return cmp.Or(cmp.Compare(a.Pos.File, b.Pos.File), cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
	return report, err
}

// ReportFile is ReportFilebeat of a file.
func ReportFile(path string) ([]Mention, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return ReportFilebeat(path, text, os.LookupEnv)
}
