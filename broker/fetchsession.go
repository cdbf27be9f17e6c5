package broker

import (
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Bounds of fetch sessions.
const (
	maxFetchSessions  = 1_000
	fetchSessionStale = 2 * time.Minute // a session that was not used for so long gives its place to a new one
	fetchSessionSlots = 4_000           // partitions of a session; more are fetched without one
)

// fetchSessions are what clients fetch again and again: a request then names only what changes, an answer only what is new (KIP-227).
type fetchSessions struct {
	mu   sync.Mutex
	byID map[int32]*fetchSession
}

// fetchSession is one of them. A client uses it from one request at a time; mu guards against one that does not.
type fetchSession struct {
	id   int32
	used time.Time // of fetchSessions

	mu    sync.Mutex
	epoch int32
	parts []*sessionPart
}

// sessionPart is a partition of a session with what the client was told last.
type sessionPart struct {
	key                fetchKey
	req                kmsg.FetchRequestTopicPartition
	told               bool
	start, end, stable int64
}

// fetchKey names a partition as the client does: by the topic's name, or by its id from version 13 on.
type fetchKey struct {
	topic     string
	id        topicID
	partition int32
}

// make opens a session, nil when there is no place.
func (fs *fetchSessions) make(parts []*sessionPart) *fetchSession {
	if len(parts) > fetchSessionSlots {
		return nil
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.byID == nil {
		fs.byID = map[int32]*fetchSession{}
	}
	if len(fs.byID) >= maxFetchSessions && !fs.evict() {
		return nil
	}
	s := &fetchSession{used: time.Now(), epoch: 1, parts: parts}
	for s.id == 0 || fs.byID[s.id] != nil {
		s.id = rand.Int32()
	}
	fs.byID[s.id] = s
	return s
}

// evict gives up the longest unused session, if it was unused for long. The caller holds fs.mu.
func (fs *fetchSessions) evict() bool {
	var oldest *fetchSession
	for _, s := range fs.byID {
		if oldest == nil || s.used.Before(oldest.used) {
			oldest = s
		}
	}
	if oldest == nil || time.Since(oldest.used) < fetchSessionStale {
		return false
	}
	delete(fs.byID, oldest.id)
	return true
}

func (fs *fetchSessions) find(id int32) *fetchSession {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	s := fs.byID[id]
	if s != nil {
		s.used = time.Now()
	}
	return s
}

func (fs *fetchSessions) close(id int32) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.byID, id)
}

// sessionParts is the partitions that a request names.
func sessionParts(req *kmsg.FetchRequest) []*sessionPart {
	var out []*sessionPart
	for i := range req.Topics {
		rt := &req.Topics[i]
		for _, rp := range rt.Partitions {
			out = append(out, &sessionPart{key: fetchKey{rt.Topic, rt.TopicID, rp.Partition}, req: rp})
		}
	}
	return out
}

// update takes what a request changes into the session: places moved, partitions added, partitions forgotten. The caller holds s.mu.
func (s *fetchSession) update(req *kmsg.FetchRequest) {
	at := map[fetchKey]int{}
	for i, p := range s.parts {
		at[p.key] = i
	}
	for _, p := range sessionParts(req) {
		if i, ok := at[p.key]; ok {
			s.parts[i].req = p.req
		} else if len(s.parts) < fetchSessionSlots {
			at[p.key] = len(s.parts)
			s.parts = append(s.parts, p)
		}
	}
	gone := map[fetchKey]bool{}
	for _, t := range req.ForgottenTopics {
		for _, n := range t.Partitions {
			gone[fetchKey{t.Topic, t.TopicID, n}] = true
		}
	}
	if len(gone) > 0 {
		s.parts = slices.DeleteFunc(s.parts, func(p *sessionPart) bool { return gone[p.key] })
	}
}

// news reports whether the client has to hear of a partition, and remembers what it hears.
func (p *sessionPart) news(fp *fetchPart) bool {
	if fp.code != errNone || len(fp.spans) > 0 || !p.told || p.start != fp.start || p.end != fp.end || p.stable != fp.stable {
		p.told = fp.code == errNone
		p.start, p.end, p.stable = fp.start, fp.end, fp.stable
		return true
	}
	return false
}

// nextEpoch is the epoch of the next request of a session; it wraps to 1, since 0 opens one.
func nextEpoch(e int32) int32 {
	if e == 1<<31-1 {
		return 1
	}
	return e + 1
}
