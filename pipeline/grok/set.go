package grok

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

//go:embed patterns
var stockFiles embed.FS

// Set is a library of named patterns. It is immutable: With returns a new Set that shares the old one.
type Set struct {
	parent *Set
	defs   map[string]string
	stock  bool // defs are the embedded ones, which the engine may recognise by hand-written code
}

var (
	legacySet = sync.OnceValue(func() *Set { return readStock("legacy") })
	ecsSet    = sync.OnceValue(func() *Set { return readStock("ecs-v1") })
)

// Stock returns the patterns that come with weir: with Elastic Common Schema field names, or with the names of Logstash 7 and before.
func Stock(ecs bool) *Set {
	if ecs {
		return ecsSet()
	}
	return legacySet()
}

// readStock reads the definitions that both modes share and those of one mode. The files are part of the program and read by its
// tests, so a fault in them is a bug.
func readStock(mode string) *Set {
	s := &Set{defs: map[string]string{}, stock: true}
	for _, dir := range []string{"patterns/common", "patterns/" + mode} {
		files, err := stockFiles.ReadDir(dir)
		if err != nil {
			panic(err)
		}
		for _, f := range files {
			s.addStock(path.Join(dir, f.Name()))
		}
	}
	return s
}

func (s *Set) addStock(file string) {
	text, err := stockFiles.Open(file)
	if err != nil {
		panic(err)
	}
	defs, err := ParsePatternFile(text, file)
	if err != nil {
		panic(err)
	}
	for name, def := range defs {
		if _, twice := s.defs[name]; twice {
			panic(fmt.Sprintf("%s: stock pattern %s is defined twice", file, name))
		}
		s.defs[name] = def
	}
}

// With returns a Set in which defs are found before those of s. The map must not change afterwards.
func (s *Set) With(defs map[string]string) *Set {
	if len(defs) == 0 {
		return s
	}
	return &Set{parent: s, defs: defs}
}

// Names returns every defined name, sorted.
func (s *Set) Names() []string {
	seen := map[string]bool{}
	for at := s; at != nil; at = at.parent {
		for name := range at.defs {
			seen[name] = true
		}
	}
	names := make([]string, 0, len(seen))
	for name := range seen {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Definition returns the text of a name.
func (s *Set) Definition(name string) (string, bool) {
	text, _, ok := s.lookup(name)
	return text, ok
}

// lookup also tells whether the text is a stock one.
func (s *Set) lookup(name string) (text string, stock, ok bool) {
	for at := s; at != nil; at = at.parent {
		if text, ok := at.defs[name]; ok {
			return text, at.stock, true
		}
	}
	return "", false, false
}

// LoadDir reads the pattern files of a folder whose names match glob (all of them when it is empty), or the one file that dir names.
// Later files, in the order of their names, win over earlier ones.
func LoadDir(dir, glob string) (map[string]string, error) {
	files, err := patternFiles(dir, glob)
	if err != nil {
		return nil, fmt.Errorf("read patterns: %w", err)
	}
	all := map[string]string{}
	for _, name := range files {
		defs, err := loadFile(name)
		if err != nil {
			return nil, err
		}
		maps.Copy(all, defs)
	}
	return all, nil
}

func patternFiles(dir, glob string) ([]string, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{dir}, nil
	}
	entries, err := os.ReadDir(dir) // sorted
	if err != nil {
		return nil, err
	}
	var files []string
	for _, e := range entries {
		ok := glob == ""
		if !ok {
			if ok, err = filepath.Match(glob, e.Name()); err != nil {
				return nil, fmt.Errorf("glob %q: %w", glob, err)
			}
		}
		if ok {
			files = append(files, filepath.Join(dir, e.Name()))
		}
	}
	return files, nil
}

func loadFile(name string) (map[string]string, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, fmt.Errorf("read patterns: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read patterns: %w", err)
	}
	defer f.Close()
	return ParsePatternFile(f, name)
}

// ParsePatternFile reads lines of a name, white space and a pattern. Empty lines and lines that start with # are skipped; the last
// definition of a name counts. Errors carry name and the line's number.
func ParsePatternFile(r io.Reader, name string) (map[string]string, error) {
	defs := map[string]string{}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxPattern+1024)
	num := 0
	for lines.Scan() {
		num++
		line := strings.TrimLeft(strings.TrimSuffix(lines.Text(), "\r"), " \t")
		if num == 1 {
			line = strings.TrimPrefix(line, "\ufeff")
		}
		if line == "" || line[0] == '#' {
			continue
		}
		end := strings.IndexAny(line, " \t")
		if end < 0 || strings.TrimLeft(line[end:], " \t") == "" {
			return nil, fmt.Errorf("%s:%d: name %q has no pattern", name, num, strings.TrimSpace(line))
		}
		if bad := strings.IndexFunc(line[:end], func(r rune) bool { return !isNameChar(r) }); bad >= 0 {
			return nil, fmt.Errorf("%s:%d: name %q may hold letters, digits and _ only", name, num, line[:end])
		}
		if defs[line[:end]] = strings.TrimLeft(line[end:], " \t"); len(defs) > maxDefinition {
			return nil, fmt.Errorf("%s:%d: more than %d definitions", name, num, maxDefinition)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s:%d: %w", name, num+1, err)
	}
	return defs, nil
}
