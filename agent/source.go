package agent

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
)

// content is an open file, or the decompressed bytes of one.
type content interface {
	io.ReaderAt
	io.Closer
}

// head is the first len bytes of a file, at most headBytes.
type head struct {
	len int
	sum [32]byte // SHA-256
	raw []byte   // the bytes; nil while they are not in memory
}

// holds reports whether b, read from byte 0 on, begins with the head.
func (h *head) holds(b []byte) bool {
	if len(b) < h.len {
		return false
	}
	if h.raw != nil {
		return bytes.Equal(h.raw, b[:h.len])
	}
	return h.len == 0 || sha256.Sum256(b[:h.len]) == h.sum
}

// grow makes b the head.
func (h *head) grow(b []byte) {
	b = b[:min(len(b), headBytes)]
	h.len, h.sum = len(b), sha256.Sum256(b)
	h.raw = append(h.raw[:0], b...)
}

// tail is the bytes before a position.
type tail struct {
	len int
	raw [tailBytes]byte
}

// set keeps the end of b, the bytes before a position.
func (t *tail) set(b []byte) {
	t.len = copy(t.raw[:], b[max(0, len(b)-tailBytes):])
}

func (t *tail) bytes() []byte { return t.raw[:t.len] }

// sum is the form the registry keeps.
func tailSum(b []byte) uint64 {
	s := sha256.Sum256(b)
	return binary.BigEndian.Uint64(s[:8])
}

// phase is what may be done with a source.
type phase uint8

const (
	waiting phase = iota // not in the synced registry yet, or behind its predecessor
	reading
	suspect  // its file holds other bytes: the keeper looks for a copy
	finished // read to its end, not all acknowledged
	ended
	dormant // no input wants it any more
)

func (p phase) String() string {
	return [...]string{"waiting", "reading", "truncated", "finished", "ended", "dormant"}[p]
}

// source is one incarnation of one file.
type source struct {
	id    ledger.Source
	ref   uint32
	chain *chain
	in    *compiled
	first string // path at first sight
	born  time.Time
	start int64  // first byte that is wanted
	end   string // why it is over; guarded by announcer.mu

	// Guarded by Agent.mu.
	path         string
	place        place
	compressed   bool
	file         content // nil: closed. Opened by keeper or lane, closed by the lane
	phase        phase
	known        bool      // its file has been seen by this process
	gone         bool      // nothing is at path any more; what is open is all there is
	sought       bool      // was looked for elsewhere since it is gone
	replaced     bool      // another file has its name
	since        time.Time // of gone, replaced or suspect
	quietSince   time.Time // when the lane last found new bytes
	finish       bool      // the lane ends it at its end of file
	why          endReason
	atEOF        bool
	watchSize    int64 // size and mtime of the last scan
	watchTime    time.Time
	retryAt      time.Time // opening or reading failed: not before
	fault        string
	blocked      bool  // waits for what precedes it in its chain,
	blockedAt    int64 // whose positions added up to this
	blockedSince time.Time

	// The reader's of its lane.
	pos       int64 // first byte of the first line not yet taken
	scanned   int64 // no line ends below it
	size      int64 // greatest end of file seen
	head      head
	tail      tail
	tailSum   uint64 // instead of tail after a start; tailKnown
	tailKnown bool
	env       *envelope
	term      lines.Terminator
	enc       *lines.Encoding
	resolved  bool      // enc and term are the file's
	next      time.Time // not served before
	grew      time.Time // when new bytes were seen
	endedAt   time.Time // when it was last read to its end
	verified  time.Time // when the file was last read and proven to be this source's
	delayed   bool      // in the lane's list of pauses
	settled   int64     // position of the last move
	parked    int64     // stamp in the lane's list of idle files
	ending    bool      // its end goes out with the last of its bytes
	headSaved int       // length of the head the registry has

	queued bool // in the lane's ring; guarded by lane.mu

	account account
}

// account is what became of a source's bytes since the agent started. Read is dropped, merged, acknowledged or in flight.
type account struct {
	read, acked, dropped, merged, lost atomic.Int64
	position, durable, size            atomic.Int64 // next byte to read, first byte not acknowledged, last known size
	lines                              atomic.Int64
	lastLine                           atomic.Int64 // Unix ms of the last bytes read
	unreadSince                        atomic.Int64 // Unix ms, 0: nothing is unread
}

// settle notes that everything below pos is acknowledged; bytes above it, if any, were seen at the time of that read or later.
func (c *account) settle(pos, read int64) {
	c.durable.Store(pos)
	if pos >= c.size.Load() {
		read = 0
	}
	c.unreadSince.Store(read)
}

// chain is the sources that followed one another under one path.
type chain struct {
	id   ledger.Source
	path string
	lane *lane
	key  []byte

	list    []*source // not ended, in reading order; guarded by Agent.mu
	rotated bool      // its file was truncated: rotations that are newer are its own; guarded by Agent.mu
	done    time.Time // what was last written to before it has been read, or is history; guarded by Agent.mu
	in      *compiled // of its last source; guarded by Agent.mu

	empty time.Time // since when list is empty; the keeper's

	// The reader's of its lane.
	joiner  *lines.Joiner // nil: lines pass as they are, or none came yet
	lagging []*source     // whose position stays behind what was read of them
}

// before is the source that is read before s, or nil.
func (c *chain) before(s *source) *source {
	for i, o := range c.list {
		if o == s {
			if i == 0 {
				return nil
			}
			return c.list[i-1]
		}
	}
	return nil
}

// after is the source that is read after s, or nil.
func (c *chain) after(s *source) *source {
	for i, o := range c.list {
		if o == s && i+1 < len(c.list) {
			return c.list[i+1]
		}
	}
	return nil
}

// moveBefore puts s before next, when that is still in the list, but behind what was last written to earlier than s.
func (c *chain) moveBefore(s, next *source) {
	list := slices.DeleteFunc(slices.Clone(c.list), func(o *source) bool { return o == s })
	if i := slices.Index(list, next); i >= 0 {
		for i < len(list) && list[i].watchTime.Before(s.watchTime) {
			i++
		}
		c.list = slices.Insert(list, i, s)
	}
}
