package input

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

const (
	headSize  = 1024                // bytes of a file's head that prove it is the same
	forgetAge = 30 * 24 * time.Hour // after which a file that is not read any more leaves the sincedb
	saveEvery = time.Second
)

// position is how far a file was settled.
type position struct {
	source ledger.Source
	offset int64
	head   string // sum of the first headLen bytes
	heads  int
	seen   time.Time
	f      *os.File // open while it is read
}

// sincedb is the positions by path, kept in a file:
//
//	{"/var/log/a.log": {"source": "32 hexadecimal digits", "offset": 4711, "head": "16 digits", "head_len": 1024, "seen": "..."}}
type sincedb struct {
	path string // "" keeps them in memory only
	log  *slog.Logger

	mu    sync.Mutex
	files map[string]*position
	dirty bool
	saved time.Time
}

type positionJSON struct {
	Source  string    `json:"source"`
	Offset  int64     `json:"offset"`
	Head    string    `json:"head"`
	HeadLen int       `json:"head_len"`
	Seen    time.Time `json:"seen"`
}

func (db *sincedb) load() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.files = make(map[string]*position)
	if db.path == "" {
		return nil
	}
	b, err := os.ReadFile(db.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read sincedb: %w", err)
	}
	var all map[string]positionJSON
	if err := json.Unmarshal(b, &all); err != nil {
		return fmt.Errorf("read sincedb %s: %w (remove the file to read all files anew)", db.path, err)
	}
	for name, j := range all {
		src, err := ledger.ParseSource(j.Source)
		if err != nil {
			return fmt.Errorf("read sincedb %s: %w", db.path, err)
		}
		db.files[name] = &position{source: src, offset: j.Offset, head: j.Head, heads: j.HeadLen, seen: j.Seen}
	}
	return nil
}

// find returns the position of a file, when it is the one that was read: it is as long as that and begins with the same bytes.
func (db *sincedb) find(name string, f *os.File) (*position, bool) {
	db.mu.Lock()
	defer db.mu.Unlock()
	p := db.files[name]
	if p == nil {
		return nil, false
	}
	if st, err := f.Stat(); err != nil || st.Size() < p.offset || p.heads > 0 && headSum(f, p.heads) != p.head {
		return nil, false
	}
	p.f = f
	c := *p
	return &c, true
}

// add begins a file, or its next incarnation.
func (db *sincedb) add(name string, f *os.File, src ledger.Source, offset int64) *position {
	db.mu.Lock()
	defer db.mu.Unlock()
	p := &position{source: src, offset: offset, seen: time.Now(), f: f}
	db.files[name] = p
	db.dirty = true
	c := *p
	return &c
}

// forget removes a file that was rotated away.
func (db *sincedb) forget(name string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	delete(db.files, name)
	db.dirty = true
}

// settled moves the position of the file a record came from.
func (db *sincedb) settled(r *queue.Record) {
	db.mu.Lock()
	defer db.mu.Unlock()
	p := db.files[string(r.Key)]
	if p == nil || p.source != r.Origin.Source || p.offset >= r.Origin.To {
		return
	}
	p.offset, p.seen = r.Origin.To, time.Now()
	db.dirty = true
}

// save writes the file when something changed, at most once a second unless now is set.
func (db *sincedb) save(now bool) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.path == "" || !db.dirty || !now && time.Since(db.saved) < saveEvery {
		return nil
	}
	db.saved = time.Now()
	all := make(map[string]positionJSON, len(db.files))
	for name, p := range db.files {
		if time.Since(p.seen) > forgetAge {
			delete(db.files, name)
			continue
		}
		p.prove()
		all[name] = positionJSON{hex.EncodeToString(p.source[:]), p.offset, p.head, p.heads, p.seen}
	}
	b, err := json.Marshal(all)
	if err == nil {
		err = vfs.MkdirDurable(vfs.OS(), filepath.Dir(db.path))
	}
	if err == nil {
		err = vfs.WriteFileAtomic(vfs.OS(), db.path, b)
	}
	if err != nil {
		db.log.Warn("sincedb cannot be written", "path", db.path, "err", err)
		return fmt.Errorf("write sincedb %s: %w", db.path, err)
	}
	db.dirty = false
	return nil
}

// prove sums up the head of the file, as far as it was settled.
func (p *position) prove() {
	n := int(min(p.offset, headSize))
	if p.f == nil || n <= p.heads {
		return
	}
	if sum := headSum(p.f, n); sum != "" {
		p.head, p.heads = sum, n
	}
}

// headSum is the sum of the first n bytes, "" when there are not so many.
func headSum(f *os.File, n int) string {
	b := make([]byte, n)
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(n)), b); err != nil {
		return ""
	}
	return fmt.Sprintf("%016x", xxh3.Hash(b))
}

// fileName is the name of the sincedb of some paths.
func fileName(paths []string) string {
	return fmt.Sprintf("%016x.json", xxh3.HashString(strings.Join(paths, "\x00")))
}
