package segment

import (
	"container/list"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Cache keeps decoded pieces of segments, the least recently used go first. It is safe for concurrent use and shared by the segments of
// a store.
type Cache struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	items map[cacheKey]*list.Element
	order list.List // front: used last

	dec    *zstd.Decoder // shared by the segments, safe for concurrent use
	decErr error
}

// cacheKey names a piece: of a section of an open segment.
type cacheKey struct {
	r     *Reader
	kind  uint16
	field uint16
	part  uint32
}

type cacheItem struct {
	key   cacheKey
	value any
	bytes int64
}

// NewCache makes a cache of at most limit bytes.
func NewCache(limit int64) *Cache {
	c := &Cache{limit: limit, items: map[cacheKey]*list.Element{}}
	c.dec, c.decErr = newDecoder()
	return c
}

func (c *Cache) get(k cacheKey) any {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.items[k]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cacheItem).value
}

func (c *Cache) put(k cacheKey, v any, bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items[k] != nil || bytes > c.limit/4 {
		return
	}
	c.items[k] = c.order.PushFront(&cacheItem{k, v, bytes})
	c.bytes += bytes
	for c.bytes > c.limit {
		c.drop(c.order.Back())
	}
}

func (c *Cache) drop(e *list.Element) {
	it := e.Value.(*cacheItem)
	c.order.Remove(e)
	delete(c.items, it.key)
	c.bytes -= it.bytes
}

// forget drops the pieces of a segment that closes.
func (c *Cache) forget(r *Reader) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.order.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*cacheItem).key.r == r {
			c.drop(e)
		}
		e = next
	}
}

// Bytes is what the cache holds.
func (c *Cache) Bytes() int64 { c.mu.Lock(); defer c.mu.Unlock(); return c.bytes }
