package journal

import (
	"container/list"
	"os"
	"sync"

	"github.com/weirlog/weir/vfs"
)

// fileCache keeps extents open, for all journals of a Pool. Files in use are never closed; of the others the least recently used
// goes when there are more than max.
type fileCache struct {
	max int

	mu   sync.Mutex
	open map[*extent]*sharedFile
	idle *list.List // of *sharedFile without a user, least recently used first
}

// sharedFile is an open extent. Guarded by fileCache.mu but for f, which does not change.
type sharedFile struct {
	f       vfs.File
	owner   *extent
	users   int
	place   *list.Element // in idle
	dropped bool          // close it when the last user lets go
}

func newFileCache(limit int) *fileCache {
	return &fileCache{max: limit, open: map[*extent]*sharedFile{}, idle: list.New()}
}

// use gives the file of e, opened when it must be. The caller calls done.
func (c *fileCache) use(fsys vfs.FS, e *extent) (*sharedFile, error) {
	if s := c.find(e); s != nil {
		return s, nil
	}
	f, err := fsys.OpenFile(e.name(), os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	return c.add(e, f), nil
}

func (c *fileCache) find(e *extent) *sharedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.open[e]
	if s != nil {
		c.takeLocked(s)
	}
	return s
}

func (c *fileCache) takeLocked(s *sharedFile) {
	s.users++
	if s.place != nil {
		c.idle.Remove(s.place)
		s.place = nil
	}
}

// add puts a file just opened into the cache and gives it to its first user. When another goroutine was faster, its file is given
// and f is closed.
func (c *fileCache) add(e *extent, f vfs.File) *sharedFile {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.open[e]; s != nil {
		f.Close()
		c.takeLocked(s)
		return s
	}
	s := &sharedFile{f: f, owner: e, users: 1}
	c.open[e] = s
	c.shrinkLocked()
	return s
}

// done ends a use.
func (c *fileCache) done(s *sharedFile) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.users--; s.users > 0 {
		return
	}
	if s.dropped {
		s.f.Close()
		return
	}
	s.place = c.idle.PushBack(s)
	c.shrinkLocked()
}

func (c *fileCache) shrinkLocked() {
	for len(c.open) > c.max && c.idle.Len() > 0 {
		s := c.idle.Remove(c.idle.Front()).(*sharedFile)
		delete(c.open, s.owner)
		s.f.Close()
	}
}

// drop forgets e; its file is closed when nobody uses it any more.
func (c *fileCache) drop(e *extent) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.open[e]
	if s == nil {
		return
	}
	delete(c.open, e)
	if s.users > 0 {
		s.dropped = true
		return
	}
	c.idle.Remove(s.place)
	s.f.Close()
}
