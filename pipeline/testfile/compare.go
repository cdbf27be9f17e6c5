package testfile

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Difference is a field that is not as a case expects it.
type Difference struct {
	Event int    // number of the event, from 0
	Field string // "" when an event is missing or too much
	Want  string // "" when the field should not be there
	Got   string // "" when it is not
}

func (d Difference) String() string {
	switch {
	case d.Field == "" && d.Got == "":
		return fmt.Sprintf("event %d is missing: %s", d.Event+1, d.Want)
	case d.Field == "":
		return fmt.Sprintf("event %d is too much: %s", d.Event+1, d.Got)
	case d.Want == "":
		return fmt.Sprintf("event %d: %s is %s, should not be there", d.Event+1, d.Field, d.Got)
	case d.Got == "":
		return fmt.Sprintf("event %d: %s is missing, want %s", d.Event+1, d.Field, d.Want)
	}
	return fmt.Sprintf("event %d: %s is %s, want %s", d.Event+1, d.Field, d.Got, d.Want)
}

// always is fields that events have by themselves.
var always = []string{"[@timestamp]", "[@version]", "[event][original]", "[event][sequence]"}

// Compare tells how events differ from those a case expects.
func (c Case) Compare(events []string) ([]Difference, error) {
	var diffs []Difference
	for i := range max(len(events), len(c.Out)) {
		switch {
		case i >= len(events):
			diffs = append(diffs, Difference{Event: i, Want: c.Out[i]})
		case i >= len(c.Out):
			diffs = append(diffs, Difference{Event: i, Got: events[i]})
		default:
			want, err := leavesOf(c.Out[i])
			if err != nil {
				return nil, fmt.Errorf("case %s: expected event %d: %w", c.Name, i+1, err)
			}
			got, err := leavesOf(events[i])
			if err != nil {
				return nil, fmt.Errorf("case %s: event %d: %w", c.Name, i+1, err)
			}
			diffs = append(diffs, compare(i, want, got)...)
		}
	}
	return diffs, nil
}

func compare(event int, want, got map[string]string) []Difference {
	var diffs []Difference
	for f, w := range want {
		if g, ok := got[f]; !ok || g != w {
			diffs = append(diffs, Difference{event, f, w, g})
		}
	}
	for f, g := range got {
		if _, ok := want[f]; !ok && !slices.Contains(always, f) && !strings.HasPrefix(f, "[@metadata]") {
			diffs = append(diffs, Difference{event, f, "", g})
		}
	}
	slices.SortFunc(diffs, func(a, b Difference) int { return strings.Compare(a.Field, b.Field) })
	return diffs
}

// leavesOf is the values of an object by path; lists are values.
func leavesOf(text string) (map[string]string, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	out := make(map[string]string)
	collect(out, "", v)
	return out, nil
}

func collect(out map[string]string, path string, m map[string]any) {
	for k, v := range m {
		p := path + "[" + k + "]"
		if sub, ok := v.(map[string]any); ok && len(sub) > 0 {
			collect(out, p, sub)
			continue
		}
		b, err := json.Marshal(v)
		if err != nil { // came out of the decoder: cannot happen
			b = []byte(fmt.Sprint(v))
		}
		out[p] = string(b)
	}
}
