// Package testfile reads and runs the tests that users keep beside their .conf files.
//
// A test file is named NAME.test and belongs to NAME.conf of the same folder, unless it brings a configuration of its own. It begins
// with settings and remarks, then come files between lines of the form -- name --, of which each .in is a case:
//
//	access.test
//
//	now: 2026-11-22T12:00:00Z
//	ecs: disabled
//	-- ok.in --
//	10.0.0.1 - - [22/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 5
//	-- ok.out --
//	{"clientip":"10.0.0.1","response":"200"}
//	-- bad.in --
//	no access line
//	-- bad.out --
//	{"tags":["_grokparsefailure"], "message":"no access line"}
//
// Each line of .in is what the first input of the configuration reads, through its codec. Each line of .out is an event as it leaves
// the filters, in order; @metadata is compared when it is written. Fields that every event has (@timestamp, @version, event.original,
// event.sequence) are compared only when they are written; every other field must be there with the same value, and no more. A case
// whose .out is empty expects that all is dropped.
//
// Settings: now (the time of the clock; 2000-01-01T00:00:00Z without it), ecs (disabled, v1 or v8), env (NAME=value, many).
package testfile

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
)

// File is a test file.
type File struct {
	Head  string // text before the first part
	Parts []Part

	Conf string // of a part called conf or ending in .conf; "" when the file beside it is meant
	Now  time.Time
	ECS  string
	Env  map[string]string
}

// Part is one of the files in it.
type Part struct {
	Name string
	Text string
}

// Case is lines in and events out.
type Case struct {
	Name string
	In   []string // lines
	Out  []string // JSON objects, one an event
	out  int      // part of the expected events, -1 for none
}

// Parse reads a test file. Faults name the line.
func Parse(name string, text []byte) (*File, error) {
	f := &File{Env: map[string]string{}}
	part := -1
	for n, line := range bytes.SplitAfter(text, []byte("\n")) {
		if p, ok := marker(line); ok {
			if slices.ContainsFunc(f.Parts, func(x Part) bool { return x.Name == p }) {
				return nil, fmt.Errorf("%s:%d: part %s is there twice", name, n+1, p)
			}
			f.Parts = append(f.Parts, Part{Name: p})
			part++
			continue
		}
		if part >= 0 {
			f.Parts[part].Text += string(line)
			continue
		}
		f.Head += string(line)
		if err := f.setting(strings.TrimSpace(string(line))); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, n+1, err)
		}
	}
	for _, p := range f.Parts {
		if p.Name == "conf" || strings.HasSuffix(p.Name, ".conf") {
			f.Conf += p.Text
		}
	}
	if len(f.Cases()) == 0 {
		return nil, fmt.Errorf("%s: no case: write -- NAME.in -- and -- NAME.out --", name)
	}
	return f, nil
}

// marker reads a line of the form -- name --.
func marker(line []byte) (string, bool) {
	s := strings.TrimRight(string(line), "\r\n")
	if !strings.HasPrefix(s, "-- ") || !strings.HasSuffix(s, " --") || len(s) < 7 {
		return "", false
	}
	return strings.TrimSpace(s[3 : len(s)-3]), true
}

func (f *File) setting(line string) error {
	key, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	if !ok || strings.HasPrefix(line, "#") {
		return nil
	}
	var err error
	switch key {
	case "now":
		f.Now, err = time.Parse(time.RFC3339Nano, value)
	case "ecs":
		if f.ECS = value; value != "disabled" && value != "v1" && value != "v8" {
			err = fmt.Errorf("ecs is %q, want disabled, v1 or v8", value)
		}
	case "env":
		name, v, ok := strings.Cut(value, "=")
		if !ok {
			return fmt.Errorf("env is %q, want NAME=value", value)
		}
		f.Env[name] = v
	}
	return err
}

// Cases is the cases in order. A part called in, in.ndjson or NAME.in begins one.
func (f *File) Cases() []Case {
	var l []Case
	for _, p := range f.Parts {
		stem, ok := stemOf(p.Name, "in")
		if !ok {
			continue
		}
		c := Case{Name: stem, In: lines(p.Text), out: -1}
		for k, o := range f.Parts {
			if s, ok := stemOf(o.Name, "out"); ok && s == stem {
				c.Out, c.out = lines(o.Text), k
			}
		}
		l = append(l, c)
	}
	return l
}

// stemOf takes NAME of NAME.kind, and "" of kind; either may end in .ndjson.
func stemOf(name, kind string) (string, bool) {
	name = strings.TrimSuffix(name, ".ndjson")
	if name == kind {
		return "", true
	}
	return strings.CutSuffix(name, "."+kind)
}

// lines is the lines of a text that are not empty.
func lines(text string) []string {
	var l []string
	for _, s := range strings.Split(text, "\n") {
		if s = strings.TrimRight(s, "\r"); s != "" {
			l = append(l, s)
		}
	}
	return l
}

// defaultNow is the clock of tests that set none, so that they find the same every day.
var defaultNow = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// Clock is the time of the test.
func (f *File) Clock() time.Time {
	if f.Now.IsZero() {
		return defaultNow
	}
	return f.Now
}

// Expect puts events in the place of those a case expects, without the fields that are as they always are.
func (f *File) Expect(c Case, events []string) {
	text := ""
	stamp := `{"@timestamp":"` + f.Clock().UTC().Format("2006-01-02T15:04:05.000Z") + `",`
	for _, e := range events {
		if rest, ok := strings.CutPrefix(e, stamp); ok {
			e = "{" + rest
		}
		text += strings.Replace(e, `"@version":"1",`, "", 1) + "\n"
	}
	if c.out >= 0 {
		f.Parts[c.out].Text = text
		return
	}
	at := slices.IndexFunc(f.Parts, func(p Part) bool { s, ok := stemOf(p.Name, "in"); return ok && s == c.Name })
	name := "out"
	if c.Name != "" {
		name = c.Name + ".out"
	}
	f.Parts = slices.Insert(f.Parts, at+1, Part{Name: name, Text: text})
}

// Format is the file as text.
func (f *File) Format() []byte {
	b := []byte(f.Head)
	for _, p := range f.Parts {
		b = fmt.Appendf(b, "-- %s --\n%s", p.Name, p.Text)
		if n := len(p.Text); n > 0 && p.Text[n-1] != '\n' {
			b = append(b, '\n')
		}
	}
	return b
}
