package agent

import (
	"path/filepath"
	"sync"
	"time"
)

// dir is a directory that files are looked for in. Only the keeper changes it, holding Agent.mu.
type dir struct {
	path  string
	globs []want
	files map[string]*source // by name in this directory
	links map[string][]alias // names elsewhere that lead to a name here

	watched bool // the kernel reports changes
	tree    bool // its directories matter
	scanned bool
	next    time.Time // of the next full scan
}

// want is what an input looks for in a directory.
type want struct {
	in   *compiled
	glob string
}

// maxNames bounds the names of a directory that wait to be looked at; past it the directory is scanned.
const maxNames = 16 << 10

// names are names of a directory, each with the path it was renamed from as far as that was reported, else "".
type names map[string]string

// changes is what the kernel reported since the keeper last asked.
type changes struct {
	names map[*dir]names // nil names: all
	all   bool           // events were lost
	tree  bool           // directories came or went
}

// pending collects changes between the watcher and the keeper.
type pending struct {
	mu sync.Mutex
	c  changes
}

// note adds a name of d, which was renamed from a path, or not ("").
func (p *pending) note(d *dir, name, from string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.c.names == nil {
		p.c.names = map[*dir]names{}
	}
	set, ok := p.c.names[d]
	switch {
	case !ok:
		p.c.names[d] = names{name: from}
	case set == nil:
	case len(set) >= maxNames:
		p.c.names[d] = nil
	default:
		set[name] = from
	}
}

func (p *pending) noteTree() { p.mu.Lock(); p.c.tree = true; p.mu.Unlock() }
func (p *pending) noteAll()  { p.mu.Lock(); p.c.all = true; p.mu.Unlock() }

// origin is the path that the file now called name in d had before the renames noted here.
func (p *pending) origin(d *dir, name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if from := p.c.names[d][name]; from != "" {
		return from
	}
	return filepath.Join(d.path, name)
}

// take is what was noted since the last take.
func (p *pending) take() changes {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.c
	p.c = changes{}
	return c
}
