package store

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"
)

// StreamLifecycle as the kind of a definition is what PUT _data_stream/{name}/_lifecycle says.
const StreamLifecycle = "stream_lifecycle"

// Retain removes segments that are too old, or too much, by the store's Retention, the lifecycles of data streams and the indices' own
// settings retention.max_age and retention.max_bytes; then, while the disk is too full, the oldest of data streams.
func (s *Store) Retain(ctx context.Context) error {
	s.ckpt.Lock()
	defer s.ckpt.Unlock()
	changed := false
	for _, ix := range s.sorted() {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if gone := expired(ix.parts.Load().segs, s.retention(ix.info()), s.cfg.Now()); len(gone) > 0 {
			s.swap(ix, gone, nil, nil, nil)
			s.cfg.Log.Info("segments expired", "index", ix.name(), "segments", len(gone))
			changed = true
		}
	}
	if s.makeRoom() {
		changed = true
	}
	if !changed {
		return nil
	}
	return s.checkpoint()
}

// retention is what holds for an index: its own settings, its data stream's lifecycle, and the store's for data streams.
func (s *Store) retention(im *indexMeta) Retention {
	var r Retention
	if im.Stream != "" {
		r = s.cfg.Retention
		if l, ok := s.StreamLifecycle(im.Stream); ok && l.Enabled && l.Retention > 0 {
			r.MaxAge = l.Retention
		}
	}
	if v, ok := im.Settings.Get("retention.max_age"); ok {
		if d, err := parseDuration(v); err == nil {
			r.MaxAge = d
		}
	}
	if v, ok := im.Settings.Get("retention.max_bytes"); ok {
		if n, err := strconv.ParseInt(v, 10, 64); err == nil {
			r.MaxBytes = n
		}
	}
	return r
}

// DataLifecycle is how long a data stream keeps what it has.
type DataLifecycle struct {
	Enabled   bool
	Retention time.Duration // 0: for ever
	JSON      json.RawMessage
}

// StreamLifecycle is the lifecycle of a data stream: what was put for it, else what its template says. ok is false without any.
func (s *Store) StreamLifecycle(name string) (l DataLifecycle, ok bool) {
	body, ok := s.Definition(StreamLifecycle, name)
	if !ok {
		body, ok = s.templateLifecycle(name)
	}
	if !ok {
		return l, false
	}
	return ParseLifecycle(body)
}

// ParseLifecycle reads {"data_retention":"7d","enabled":true}.
func ParseLifecycle(body []byte) (l DataLifecycle, ok bool) {
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return l, false
	}
	l = DataLifecycle{Enabled: true, JSON: body}
	if e := v.Get("enabled"); e != nil {
		l.Enabled = e.GetBool()
	}
	if r := v.GetStringBytes("data_retention"); len(r) > 0 {
		if l.Retention, err = parseDuration(string(r)); err != nil || l.Retention < 0 {
			return l, false
		}
	}
	return l, true
}

// templateLifecycle is the lifecycle of the composable template of a data stream, its own or of its components, the last one winning.
func (s *Store) templateLifecycle(stream string) (json.RawMessage, bool) {
	m := s.meta.Load()
	st := m.streams[stream]
	if st == nil {
		return nil, false
	}
	t := m.templates[templateKey{IndexTemplate, st.Template}]
	if t == nil {
		return nil, false
	}
	v, err := fastjson.ParseBytes(t.Body)
	if err != nil {
		return nil, false
	}
	if l := v.Get("template", "lifecycle"); l != nil && l.Type() == fastjson.TypeObject {
		return l.MarshalTo(nil), true
	}
	var found json.RawMessage
	for _, c := range v.GetArray("composed_of") {
		ct := m.templates[templateKey{ComponentTemplate, string(c.GetStringBytes())}]
		if ct == nil {
			continue
		}
		if cv, err := fastjson.ParseBytes(ct.Body); err == nil {
			if l := cv.Get("template", "lifecycle"); l != nil && l.Type() == fastjson.TypeObject {
				found = l.MarshalTo(nil)
			}
		}
	}
	return found, found != nil
}

// parseDuration reads Elasticsearch's time values: 7d, 12h, 90s, 500ms.
func parseDuration(s string) (time.Duration, error) {
	if n, ok := strings.CutSuffix(s, "d"); ok {
		days, err := strconv.Atoi(n)
		return time.Duration(days) * 24 * time.Hour, err
	}
	return time.ParseDuration(s)
}

// ParseAge is parseDuration for the packages beside.
func ParseAge(s string) (time.Duration, error) { return parseDuration(s) }

// expired picks the segments retention removes, oldest first.
func expired(segs []*segmentFile, r Retention, now time.Time) []*segmentFile {
	var gone []*segmentFile
	total := int64(0)
	for _, f := range segs {
		total += f.bytes
	}
	for _, f := range segs {
		m := &f.reader.Meta
		old := r.MaxAge > 0 && m.Timed && m.MaxTime < now.Add(-r.MaxAge).UnixNano()
		if old || r.MaxBytes > 0 && total > r.MaxBytes {
			gone = append(gone, f)
			total -= f.bytes
		}
	}
	return gone
}

// makeRoom removes the oldest segments of data streams until the disk is below Retention.DiskPercent. The caller holds ckpt and writes
// a checkpoint when something went.
func (s *Store) makeRoom() (removed bool) {
	limit := s.cfg.Retention.DiskPercent
	if limit <= 0 {
		return false
	}
	free, total, err := s.fs.Free(s.cfg.Dir)
	if err != nil || total == 0 {
		return false
	}
	need := int64(total-free) - int64(total/100)*int64(limit)
	if need <= 0 {
		return false
	}
	type old struct {
		ix *index
		f  *segmentFile
	}
	var all []old
	for _, ix := range s.sorted() {
		if im := ix.info(); im.Stream == "" || strings.HasPrefix(im.Stream, ".") {
			continue
		}
		for _, f := range ix.parts.Load().segs {
			if f.reader.Meta.Timed {
				all = append(all, old{ix, f})
			}
		}
	}
	slices.SortFunc(all, func(a, b old) int { return cmp.Compare(a.f.reader.Meta.MaxTime, b.f.reader.Meta.MaxTime) })
	n, bytes := 0, int64(0)
	for _, o := range all {
		if bytes >= need {
			break
		}
		s.swap(o.ix, []*segmentFile{o.f}, nil, nil, nil)
		bytes += o.f.bytes
		n++
	}
	if n == 0 {
		s.cfg.Log.Warn("disk is fuller than retention wants, and no data stream has a segment to give", "limit_percent", limit)
		return false
	}
	s.cfg.Log.Warn("oldest segments removed: the disk is fuller than retention wants", "limit_percent", limit, "segments", n, "bytes", bytes)
	return true
}
