package agent

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pattern is one absolute glob, cut at its slashes.
type pattern struct {
	elems []string // below the root; the last names files
}

// newPattern makes pattern absolute. Relative globs are below the working directory.
func newPattern(glob string) (pattern, error) {
	abs, err := filepath.Abs(glob)
	if err != nil {
		return pattern{}, err
	}
	elems := strings.Split(strings.Trim(abs, "/"), "/")
	for _, e := range elems {
		if _, err := filepath.Match(e, ""); err != nil {
			return pattern{}, err
		}
	}
	return pattern{elems: elems}, nil
}

func isWild(elem string) bool { return strings.ContainsAny(elem, `*?[\`) }

// place where files of a pattern may be: a directory and the glob of their names.
type dirGlob struct {
	dir  string
	glob string
}

// expansion is what a walk along a pattern found.
type expansion struct {
	final []dirGlob // directories that exist and hold the files
	watch []string  // directories whose changes can add to final: those with a wild or missing element below
}

// expand walks along the pattern. A ** element stands for up to globDepth levels when deep.
func (p pattern) expand(deep bool) expansion {
	var out expansion
	out.walk("/", p.elems, deep)
	return out
}

func (x *expansion) walk(dir string, elems []string, deep bool) {
	if len(elems) == 1 {
		x.final = append(x.final, dirGlob{dir: dir, glob: elems[0]})
		return
	}
	elem := elems[0]
	switch {
	case elem == "**" && deep:
		x.deep(dir, elems[1:], globDepth)
	case isWild(elem):
		x.watch = append(x.watch, dir)
		for _, name := range subdirs(dir) {
			if ok, _ := filepath.Match(elem, name); ok {
				x.walk(filepath.Join(dir, name), elems[1:], deep)
			}
		}
	default:
		next := filepath.Join(dir, elem)
		if fi, err := os.Stat(next); err != nil || !fi.IsDir() {
			x.watch = append(x.watch, dir)
			return
		}
		x.walk(next, elems[1:], deep)
	}
}

// deep takes ** as nothing, and as each directory below, levels deep.
func (x *expansion) deep(dir string, rest []string, levels int) {
	x.watch = append(x.watch, dir)
	x.walk(dir, rest, true)
	if levels == 0 {
		return
	}
	for _, name := range subdirs(dir) {
		x.deep(filepath.Join(dir, name), rest, levels-1)
	}
}

// subdirs are the names of directories in dir, also behind symbolic links.
func subdirs(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range entries {
		if e.IsDir() {
			out = append(out, e.Name())
			continue
		}
		if e.Type()&os.ModeSymlink != 0 {
			if fi, err := os.Stat(filepath.Join(dir, e.Name())); err == nil && fi.IsDir() {
				out = append(out, e.Name())
			}
		}
	}
	return out
}

// selection is which paths an input takes.
type selection struct {
	patterns         []pattern
	exclude, include []*regexp.Regexp
	deep             bool
}

func newSelection(in *Input) (selection, error) {
	s := selection{deep: in.RecursiveGlob}
	for _, glob := range in.Paths {
		p, err := newPattern(glob)
		if err != nil {
			return s, err
		}
		s.patterns = append(s.patterns, p)
	}
	var err error
	if s.exclude, err = compileAll(in.ExcludeFiles); err != nil {
		return s, err
	}
	s.include, err = compileAll(in.IncludeFiles)
	return s, err
}

func compileAll(list []string) ([]*regexp.Regexp, error) {
	var out []*regexp.Regexp
	for _, p := range list {
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, err
		}
		out = append(out, re)
	}
	return out, nil
}

// allows applies exclude_files and include_files.
func (s *selection) allows(path string) bool {
	found := func(re *regexp.Regexp) bool { return re.MatchString(path) }
	if slices.ContainsFunc(s.exclude, found) {
		return false
	}
	return len(s.include) == 0 || slices.ContainsFunc(s.include, found)
}
