package kafka

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Bounds of looking at messages.
const (
	browseLimit    = 100
	maxBrowseLimit = 10_000
	browseScan     = 200_000          // records read for one page, matching or not
	browseWithin   = 10 * time.Second // time for one page
	browseIdle     = 2 * time.Second  // without any record: offsets that are missing at the end are not waited for
	browsePart     = 1 << 20
	browseAnswer   = 8 << 20
	browseWindow   = 4 // each further window backwards is so many times larger
)

// Browse says which messages to show.
type Browse struct {
	Topic      string          `json:"topic"`
	Partitions []int32         `json:"partitions,omitempty"` // empty is all
	From       string          `json:"from,omitempty"`       // a Place; newest (the default) is the last Limit messages
	At         map[int32]int64 `json:"at,omitempty"`         // goes on at a page's Next; From is not looked at
	Until      string          `json:"until,omitempty"`      // a Place; the end when empty
	Key        string          `json:"key,omitempty"`        // only messages with exactly this key
	Contains   string          `json:"contains,omitempty"`   // only messages whose key, value or header values contain this
	Limit      int             `json:"limit,omitempty"`      // messages of a page; default 100
	ValueBytes int             `json:"value_bytes,omitempty"`
}

// Page is some messages in the order of their times.
type Page struct {
	Messages []Message       `json:"messages"`
	Next     map[int32]int64 `json:"next"`    // where the page behind this one begins
	Scanned  int             `json:"scanned"` // messages looked at
	End      bool            `json:"end"`     // there was nothing more in the direction of reading
}

// Browse gives a page of messages.
func (a *Admin) Browse(ctx context.Context, q Browse) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, browseWithin)
	defer cancel()
	w, err := a.window(ctx, &q)
	if err != nil {
		return Page{}, err
	}
	s := &scan{a: a, q: &q, next: map[int32]int64{}}
	if w.backwards {
		err = s.backwards(ctx, w)
	} else {
		err = s.run(ctx, w.from, w.to, q.Limit)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return Page{}, err
	}
	slices.SortStableFunc(s.found, func(x, y Message) int {
		return cmp.Or(x.Time.Compare(y.Time), cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Offset, y.Offset))
	})
	p := Page{Messages: s.found, Next: s.next, Scanned: s.scanned, End: err == nil && s.atEnd}
	if p.Messages == nil {
		p.Messages = []Message{}
	}
	return p, nil
}

// window is the offsets to read, [from, to) of each partition.
type window struct {
	start, from, to map[int32]int64
	backwards       bool
}

func (a *Admin) window(ctx context.Context, q *Browse) (window, error) {
	if q.Limit <= 0 {
		q.Limit = browseLimit
	}
	q.Limit = min(q.Limit, maxBrowseLimit)
	w := window{}
	var err error
	if w.start, err = a.offsetsAt(ctx, q.Topic, Place{Start: true}); err != nil {
		return w, err
	}
	if w.to, err = a.placeOf(ctx, q.Topic, q.Until, Place{End: true}); err != nil {
		return w, err
	}
	w.backwards = len(q.At) == 0 && (q.From == "" || q.From == "newest" || q.From == "end" || q.From == "latest")
	switch {
	case len(q.At) > 0:
		w.from = maps.Clone(q.At)
	case w.backwards:
		w.from = maps.Clone(w.to)
	default:
		if w.from, err = a.placeOf(ctx, q.Topic, q.From, Place{Start: true}); err != nil {
			return w, err
		}
	}
	for _, p := range q.Partitions {
		if _, ok := w.start[p]; !ok {
			return w, fmt.Errorf("topic %s has no partition %d", q.Topic, p)
		}
	}
	only := func(n int32, _ int64) bool {
		_, known := w.start[n]
		return !known || len(q.Partitions) > 0 && !slices.Contains(q.Partitions, n)
	}
	maps.DeleteFunc(w.from, only)
	maps.DeleteFunc(w.to, only)
	return w, nil
}

func (a *Admin) placeOf(ctx context.Context, topic, word string, otherwise Place) (map[int32]int64, error) {
	at := otherwise
	if word != "" {
		var err error
		if at, err = ParsePlace(word, time.Now()); err != nil {
			return nil, err
		}
	}
	return a.offsetsAt(ctx, topic, at)
}

// scan reads messages and keeps those that match.
type scan struct {
	a       *Admin
	q       *Browse
	found   []Message
	next    map[int32]int64
	scanned int
	atEnd   bool
}

// backwards reads windows that end where the one before began, until there are enough messages or the start is reached.
func (s *scan) backwards(ctx context.Context, w window) error {
	to, size := w.to, int64(s.q.Limit)
	for {
		from := map[int32]int64{}
		start := true
		for p, end := range to {
			from[p] = max(w.start[p], end-size)
			start = start && from[p] == w.start[p]
		}
		part := &scan{a: s.a, q: s.q, next: map[int32]int64{}, scanned: s.scanned}
		if err := part.run(ctx, from, to, browseScan); err != nil {
			return err
		}
		s.scanned = part.scanned
		s.found = append(s.found, part.found...)
		if start || len(s.found) >= s.q.Limit || s.scanned >= browseScan {
			s.atEnd = start
			break
		}
		to, size = from, size*browseWindow
	}
	slices.SortStableFunc(s.found, func(x, y Message) int { return y.Time.Compare(x.Time) })
	s.found = s.found[:min(len(s.found), s.q.Limit)]
	s.next = maps.Clone(w.to)
	return nil
}

// run reads [from, to) of each partition until limit messages match.
func (s *scan) run(ctx context.Context, from, to map[int32]int64, limit int) error {
	maps.Copy(s.next, from)
	open := 0
	for p, at := range from {
		if at < to[p] {
			open++
		}
	}
	if open == 0 {
		s.atEnd = true
		return nil
	}
	cl, err := s.a.consumer(s.q.Topic, from, to)
	if err != nil {
		return err
	}
	defer cl.Close()
	for open > 0 && len(s.found) < limit && s.scanned < browseScan {
		fetches, err := poll(ctx, cl, browseIdle)
		if err != nil {
			return err
		}
		if fetches.NumRecords() == 0 {
			break
		}
		for it := fetches.RecordIter(); !it.Done(); {
			r := it.Next()
			if s.next[r.Partition] >= to[r.Partition] || len(s.found) >= limit {
				continue
			}
			s.next[r.Partition] = r.Offset + 1
			if r.Offset+1 >= to[r.Partition] {
				open--
			}
			if r.Offset < to[r.Partition] {
				s.see(r)
			}
		}
	}
	s.atEnd = open == 0
	return nil
}

func (s *scan) see(r *kgo.Record) {
	if r.Attrs.IsControl() {
		return
	}
	s.scanned++
	if s.q.matches(r) {
		s.found = append(s.found, messageOf(r, s.q.ValueBytes))
	}
}

// matches says whether a record is wanted.
func (q *Browse) matches(r *kgo.Record) bool {
	if q.Key != "" && string(r.Key) != q.Key {
		return false
	}
	if q.Contains == "" {
		return true
	}
	want := []byte(q.Contains)
	if bytes.Contains(r.Value, want) || bytes.Contains(r.Key, want) {
		return true
	}
	return slices.ContainsFunc(r.Headers, func(h kgo.RecordHeader) bool { return bytes.Contains(h.Value, want) })
}

// consumer reads partitions of a topic from given offsets, without a group. Control records are given too, since they take offsets.
func (a *Admin) consumer(topic string, from, to map[int32]int64) (*kgo.Client, error) {
	opts, err := a.cfg.options(a.log)
	if err != nil {
		return nil, err
	}
	parts := map[int32]kgo.Offset{}
	for p, at := range from {
		if end, bounded := to[p]; !bounded || at < end {
			parts[p] = kgo.NewOffset().At(at)
		}
	}
	cl, err := kgo.NewClient(append(opts, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: parts}), kgo.KeepControlRecords(),
		kgo.FetchMaxPartitionBytes(browsePart), kgo.FetchMaxBytes(browseAnswer), kgo.FetchMaxWait(browseIdle/4), kgo.RetryTimeout(adminRetry))...)
	if err != nil {
		return nil, fmt.Errorf("open kafka client: %w", err)
	}
	return cl, nil
}

// poll waits for records at most so long; no record is no error.
func poll(ctx context.Context, cl *kgo.Client, wait time.Duration) (kgo.Fetches, error) {
	within, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	fetches := cl.PollFetches(within)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, e := range fetches.Errors() {
		if errors.Is(e.Err, context.DeadlineExceeded) || kerr.IsRetriable(e.Err) {
			continue
		}
		return nil, fmt.Errorf("read %s-%d: %w", e.Topic, e.Partition, translate(e.Err))
	}
	return fetches, nil
}

// Follow gives messages as they come, from q.From on (the end when it is empty), until ctx ends or fn fails. What is given is
// fn's. Until and Limit are not looked at.
func (a *Admin) Follow(ctx context.Context, q Browse, fn func([]Message) error) error {
	if q.From == "" {
		q.From = "end"
	}
	from := q.At
	if len(from) == 0 {
		var err error
		if from, err = a.placeOf(ctx, q.Topic, q.From, Place{End: true}); err != nil {
			return err
		}
	}
	maps.DeleteFunc(from, func(n int32, _ int64) bool { return len(q.Partitions) > 0 && !slices.Contains(q.Partitions, n) })
	cl, err := a.consumer(q.Topic, from, nil)
	if err != nil {
		return err
	}
	defer cl.Close()
	for {
		fetches, err := poll(ctx, cl, browseIdle)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		var out []Message
		fetches.EachRecord(func(r *kgo.Record) {
			if !r.Attrs.IsControl() && q.matches(r) {
				out = append(out, messageOf(r, q.ValueBytes))
			}
		})
		if len(out) > 0 {
			if err := fn(out); err != nil {
				return err
			}
		}
	}
}
