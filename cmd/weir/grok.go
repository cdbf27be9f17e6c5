package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline/grok"
)

// grokFlags are the flags of weir grok.
type grokFlags struct {
	dirs    []string
	defs    []string
	ecs     string
	why     bool
	suggest bool
	list    bool
	all     bool
}

func newGrok() *cobra.Command {
	var f grokFlags
	c := &cobra.Command{
		Use:   "grok PATTERN [FILE]",
		Short: "Try a grok pattern on lines, tell why one does not match, or propose a pattern",
		Long: `Reads lines from FILE or standard input and prints the captures of each as one line of JSON. A line that does not match is
printed to standard error; with --why also how far it came: the longest beginning of the pattern that matches, the byte where it ends and
what was expected there. Exit code 1: a line did not match.`,
		Example: `  weir grok '%{COMBINEDAPACHELOG}' access.log
  weir grok --why '%{IP:client} %{WORD:verb} %{NUMBER:ms:int}' < app.log
  weir grok --suggest app.log
  weir grok --list SYSLOGLINE`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args) },
	}
	fl := c.Flags()
	fl.StringArrayVarP(&f.dirs, "patterns-dir", "D", nil, "folder or file of further patterns")
	fl.StringArrayVarP(&f.defs, "define", "d", nil, "a further pattern, NAME=PATTERN")
	fl.StringVar(&f.ecs, "ecs", "v8", "field names: v8, v1 or disabled")
	fl.BoolVar(&f.why, "why", false, "tell how far lines came that do not match")
	fl.BoolVar(&f.suggest, "suggest", false, "propose a pattern for the lines of FILE")
	fl.BoolVar(&f.list, "list", false, "list the patterns, or show one")
	fl.BoolVar(&f.all, "all", false, "also print lines that do not match, with their miss, as JSON")
	return c
}

func (f *grokFlags) run(cmd *cobra.Command, args []string) error {
	set, err := f.set()
	if err != nil {
		return &exitError{exitUsage, err}
	}
	switch {
	case f.list:
		return listPatterns(cmd.OutOrStdout(), set, args)
	case f.suggest:
		return f.propose(cmd, set, args)
	case len(args) == 0:
		return usage("weir grok needs a pattern")
	}
	p, err := set.Compile(args[0], grok.DefaultOptions())
	if err != nil {
		return &exitError{exitUsage, err}
	}
	for _, l := range p.Lints() {
		fmt.Fprintf(cmd.ErrOrStderr(), "remark: %s\n", l.Msg)
	}
	return f.lines(cmd, args[1:], func(n int, line string) bool { return f.try(cmd, p, n, line) })
}

func (f *grokFlags) set() (*grok.Set, error) {
	set := grok.Stock(f.ecs != "disabled")
	for _, d := range f.dirs {
		defs, err := grok.LoadDir(d, "*")
		if err != nil {
			return nil, err
		}
		set = set.With(defs)
	}
	for _, d := range f.defs {
		name, text, ok := strings.Cut(d, "=")
		if !ok {
			return nil, fmt.Errorf("--define takes NAME=PATTERN, not %q", d)
		}
		set = set.With(map[string]string{name: text})
	}
	return set, nil
}

// listPatterns prints all names, those that hold a text, or the definition of one.
func listPatterns(w io.Writer, set *grok.Set, args []string) error {
	if len(args) > 0 {
		if def, ok := set.Definition(args[0]); ok {
			fmt.Fprintln(w, args[0], def)
			return nil
		}
	}
	found := false
	for _, n := range set.Names() {
		if len(args) == 0 || strings.Contains(n, strings.ToUpper(args[0])) {
			fmt.Fprintln(w, n)
			found = true
		}
	}
	if !found {
		return &exitError{exitFailed, fmt.Errorf("no pattern is called %s", args[0])}
	}
	return nil
}

// propose prints a pattern for the lines of a file.
func (f *grokFlags) propose(cmd *cobra.Command, set *grok.Set, args []string) error {
	var lines []string
	if err := f.lines(cmd, args, func(_ int, line string) bool { lines = append(lines, line); return true }); err != nil {
		return err
	}
	p := set.Suggest(lines)
	if p == "" {
		return &exitError{exitFailed, fmt.Errorf("no pattern fits these lines")}
	}
	fmt.Fprintln(cmd.OutOrStdout(), p)
	return nil
}

// lines calls each for every line of the file, or of standard input; an error tells that one did not match.
func (f *grokFlags) lines(cmd *cobra.Command, args []string, each func(n int, line string) bool) error {
	in := cmd.InOrStdin()
	if len(args) > 0 && args[0] != "-" {
		file, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	sc := bufio.NewScanner(in)
	sc.Buffer(nil, 10<<20)
	misses := 0
	for n := 1; sc.Scan(); n++ {
		if !each(n, sc.Text()) {
			misses++
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	if misses > 0 {
		return &exitError{exitFailed, nil}
	}
	return nil
}

// try prints what the pattern makes of a line; false when it does not match.
func (f *grokFlags) try(cmd *cobra.Command, p *grok.Pattern, n int, line string) bool {
	t := p.Try(line)
	if t.Matched {
		fmt.Fprintln(cmd.OutOrStdout(), captures(t))
		return true
	}
	if f.all {
		out, _ := json.Marshal(t)
		fmt.Fprintln(cmd.OutOrStdout(), string(out))
	}
	w := cmd.ErrOrStderr()
	fmt.Fprintf(w, "line %d does not match: %s\n", n, line)
	if !f.why {
		return false
	}
	m := t.Miss
	at := min(m.Furthest, len(line))
	fmt.Fprintf(w, "  %s^\n", strings.Repeat(" ", len(strconv.Itoa(n))+len("line  does not match: ")-2+at))
	if m.Prefix != "" {
		fmt.Fprintf(w, "  matches up to here: %s\n", m.Prefix)
	}
	where := ""
	if m.Name != "" {
		where = " by " + m.Name
	}
	fmt.Fprintf(w, "  expected%s: %s\n", where, m.Expected)
	return false
}

// captures is the fields as one object in order; a field several groups fill is a list.
func captures(t grok.Tried) string {
	var names []string
	values := map[string][]any{}
	for _, c := range t.Fields {
		if _, ok := values[c.Name]; !ok {
			names = append(names, c.Name)
		}
		values[c.Name] = append(values[c.Name], c.Value)
	}
	var b strings.Builder
	b.WriteByte('{')
	for i, n := range names {
		if i > 0 {
			b.WriteByte(',')
		}
		var v any = values[n]
		if len(values[n]) == 1 {
			v = values[n][0]
		}
		key, _ := json.Marshal(n)
		val, _ := json.Marshal(v)
		b.Write(append(append(key, ':'), val...))
	}
	b.WriteByte('}')
	return b.String()
}
