package agent

import (
	"slices"
	"strings"
	"time"
)

// Status is what an agent says of itself, ready for JSON.
type Status struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Host    string `json:"host"`
	Version string `json:"version"`
	Started int64  `json:"started"` // Unix ms
	Topic   string `json:"topic"`

	Sources []SourceStatus `json:"sources"`
	Stats   Stats          `json:"stats"`

	Retrying   bool   `json:"retrying"`              // the queue does not take records
	RetryingMs int64  `json:"retrying_ms,omitempty"` // for this long
	LastError  string `json:"last_error,omitempty"`
}

// SourceStatus is one file.
type SourceStatus struct {
	Path     string `json:"path"`  // where it is now
	First    string `json:"first"` // log.file.path of its records
	Source   string `json:"source"`
	Chain    string `json:"chain"`
	Input    string `json:"input,omitempty"`
	State    string `json:"state"`    // waiting, reading, truncated, finished, dormant; removed when it has no name any more
	Position int64  `json:"position"` // next byte to read
	Acked    int64  `json:"acked"`    // first byte that is not acknowledged
	Size     int64  `json:"size"`     // last known
	Unread   int64  `json:"unread"`   // bytes not acknowledged
	// OldestMs is the age of the oldest byte that is not acknowledged, as far as the agent has seen it. 0: none is.
	OldestMs int64  `json:"oldest_ms"`
	LastMs   int64  `json:"last_ms"` // Unix ms of the last bytes; 0: none since the start
	Open     bool   `json:"open"`
	Error    string `json:"error,omitempty"`

	// The account since the start, in bytes: read = acknowledged + dropped + merged + in flight.
	Read    int64 `json:"read"`
	Shipped int64 `json:"shipped"`
	Dropped int64 `json:"dropped"`
	Merged  int64 `json:"merged"`
	Lines   int64 `json:"lines"`
}

// Stats are counters since the start.
type Stats struct {
	Events       int64           `json:"events"` // acknowledged records
	Read         int64           `json:"read_bytes"`
	Streamed     int64           `json:"streamed_bytes"` // payload of inputs that are no files
	Lines        int64           `json:"lines"`
	Cut          int64           `json:"cut_bytes"`  // left out of messages over the limit
	Lost         int64           `json:"lost_bytes"` // gone before they were read
	Truncations  int64           `json:"truncations"`
	Overflows    int64           `json:"overflows"` // of the kernel's queue of reports
	Retries      int64           `json:"retries"`
	Splits       int64           `json:"splits"` // records divided because the queue takes no larger ones
	TooLarge     int64           `json:"too_large"`
	ReadErrors   int64           `json:"read_errors"`
	BadText      int64           `json:"bad_text"`      // messages with bytes that mean nothing in their encoding
	TopicMissing int64           `json:"topic_missing"` // files whose topic names a field they do not have
	Compressed   int64           `json:"compressed"`    // compressed rotations with nothing left to read
	Dropped      map[string]Rule `json:"dropped"`
	OpenFiles    int64           `json:"open_files"`
	Files        int64           `json:"files"`
}

// Rule is what a rule of the configuration dropped.
type Rule struct {
	Events int64 `json:"events"`
	Bytes  int64 `json:"bytes"`
}

// Status may be called at any time from any goroutine.
func (a *Agent) Status() Status {
	now := time.Now()
	a.measure()
	st := Status{
		ID: a.id.id, Name: a.id.name, Host: a.id.host, Version: a.id.version, Started: a.began.UnixMilli(), Topic: a.cfg.Topic,
		Stats: a.stats.snapshot(), Sources: []SourceStatus{},
	}
	a.mu.Lock()
	for _, s := range a.sources {
		row := s.statusLocked(now)
		st.Sources = append(st.Sources, row)
	}
	st.Stats.Read, st.Stats.Lines = a.stats.pastRead.Load(), a.stats.pastLines.Load()
	for i := range st.Sources {
		st.Stats.Read += st.Sources[i].Read
		st.Stats.Lines += st.Sources[i].Lines
	}
	st.Stats.OpenFiles, st.Stats.Files = int64(a.open), int64(len(a.sources))
	if p := &a.produce; p.failing {
		st.Retrying, st.RetryingMs, st.LastError = true, now.Sub(p.since).Milliseconds(), p.lastErr
	}
	a.mu.Unlock()
	slices.SortFunc(st.Sources, func(x, y SourceStatus) int {
		if c := strings.Compare(x.Path, y.Path); c != 0 {
			return c
		}
		return strings.Compare(x.Source, y.Source)
	})
	return st
}

// maxMeasured bounds the files that are asked for their size in one Status.
const maxMeasured = 10_000

// measure asks files for their size while the queue takes nothing: the lanes, which know it otherwise, stand still then.
func (a *Agent) measure() {
	type file struct {
		s    *source
		path string
		at   place
	}
	var list []file
	a.mu.Lock()
	if a.produce.failing {
		for _, s := range a.sources {
			if !s.gone && !s.compressed && len(list) < maxMeasured {
				list = append(list, file{s, s.path, s.place})
			}
		}
	}
	a.mu.Unlock()
	for _, f := range list {
		if st, err := statPath(f.path, true); err == nil && st.place.inode() == f.at.inode() {
			f.s.account.size.Store(st.size)
			if st.size > f.s.account.durable.Load() {
				f.s.account.unreadSince.CompareAndSwap(0, time.Now().UnixMilli())
			}
		}
	}
}

func (s *source) statusLocked(now time.Time) SourceStatus {
	c := &s.account
	row := SourceStatus{
		Path: s.path, First: s.first, Source: s.id.String(), Chain: s.chain.id.String(), Input: s.in.conf.ID, State: s.phase.String(),
		Position: c.position.Load(), Acked: c.durable.Load(), Size: c.size.Load(), LastMs: c.lastLine.Load(), Open: s.file != nil,
		Error: s.fault, Read: c.read.Load(), Shipped: c.acked.Load(), Dropped: c.dropped.Load(), Merged: c.merged.Load(),
		Lines: c.lines.Load(),
	}
	if s.gone && s.phase == reading {
		row.State = "removed"
	}
	if row.Unread = max(row.Size-row.Acked, 0); row.Unread > 0 && !s.compressed {
		if since := c.unreadSince.Load(); since > 0 {
			row.OldestMs = max(now.UnixMilli()-since, 0)
		}
	}
	return row
}

func (s *stats) snapshot() Stats {
	out := Stats{
		Events: s.acked.Load(), Cut: s.cut.Load(), Lost: s.lost.Load(), Truncations: s.truncations.Load(), Overflows: s.overflows.Load(),
		Retries: s.retries.Load(), Splits: s.splits.Load(), TooLarge: s.tooLarge.Load(), ReadErrors: s.readErrors.Load(),
		BadText: s.badText.Load(), TopicMissing: s.topicMissing.Load(), Compressed: s.compressed.Load(), Streamed: s.streamed.Load(), Dropped: map[string]Rule{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for rule, c := range s.rules {
		out.Dropped[rule] = Rule{Events: c.events, Bytes: c.bytes}
	}
	return out
}
