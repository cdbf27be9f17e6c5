package lifecycle

import (
	"context"
	"time"

	"github.com/weirlog/weir/store"
)

// Data streams with a lifecycle of their own roll over by these rules, as Elasticsearch's do.
const (
	streamBytes = 50 << 30
	streamDocs  = 200_000_000
)

// rolloverAge is max_age of a stream's backing indices: the shorter the retention, the shorter.
func rolloverAge(retention time.Duration) time.Duration {
	const day = 24 * time.Hour
	switch {
	case retention > 0 && retention <= day:
		return time.Hour
	case retention > 0 && retention <= 14*day:
		return day
	case retention > 0 && retention <= 90*day:
		return 7 * day
	}
	return 30 * day
}

// streams rolls data streams with a lifecycle over, and deletes their backing indices that retention has emptied.
func (m *Manager) streams(ctx context.Context, now time.Time) {
	list, err := m.s.DataStreams("")
	if err != nil {
		return
	}
	for _, d := range list {
		if ctx.Err() != nil {
			return
		}
		l, ok := m.s.StreamLifecycle(d.Name)
		if !ok || !l.Enabled {
			continue
		}
		m.stream(d, l, now)
	}
}

func (m *Manager) stream(d store.DataStream, l store.DataLifecycle, now time.Time) {
	write := d.Indices[len(d.Indices)-1].Name
	i, ok := m.s.Info(write)
	if !ok {
		return
	}
	if policy, managed := i.Settings.Get("lifecycle.name"); managed && policy != "" && i.Settings.Bool("lifecycle.prefer_ilm", true) {
		return
	}
	age := now.Sub(time.UnixMilli(i.Created))
	if i.Docs > 0 && (age >= rolloverAge(l.Retention) || i.Bytes >= streamBytes || i.Docs >= streamDocs) {
		if res, err := m.s.Rollover(d.Name, "", store.CreateRequest{}, false); err != nil {
			m.log.Warn("a data stream does not roll over", "stream", d.Name, "error", err)
		} else {
			m.log.Info("data stream rolled over", "stream", d.Name, "new", res.New)
		}
	}
	if l.Retention == 0 || now.Before(m.suspended) {
		return
	}
	for _, x := range d.Indices[:len(d.Indices)-1] {
		old, ok := m.s.Info(x.Name)
		if !ok || old.Docs > 0 {
			continue
		}
		if since, rolled := Since(old); rolled && now.Sub(since) >= l.Retention {
			if err := m.s.DeleteIndex(x.Name, hidden); err != nil {
				m.log.Warn("an empty backing index is not deleted", "index", x.Name, "error", err)
			} else {
				m.log.Info("empty backing index deleted", "index", x.Name)
			}
		}
	}
}

// Move puts an index into a phase, as POST _ilm/move asks.
func (m *Manager) Move(index, phase, action, step string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.s.Info(index)
	if !ok {
		return &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]", Index: index}
	}
	st := StateOf(i.Settings)
	st.Phase, st.PhaseTime = phase, m.now().UnixMilli()
	var kept []string
	for _, d := range st.Done {
		if p, _, _ := cut(d); p != phase {
			kept = append(kept, d)
		}
	}
	st.Done, st.Failed, st.Error, st.Retries = kept, "", "", 0
	st.step(m.now(), phase, action, step)
	return m.s.SetPrivate(index, store.ILMState, encode(st))
}

// Retry clears a failed step, so that the next pass tries it as if for the first time.
func (m *Manager) Retry(index string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	i, ok := m.s.Info(index)
	if !ok {
		return &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]", Index: index}
	}
	st := StateOf(i.Settings)
	if st.Failed == "" {
		return illegal("cannot retry an action for an index [%s] that has not encountered an error when running a Lifecycle Policy", index)
	}
	st.Failed, st.Error, st.Retries = "", "", 0
	return m.s.SetPrivate(index, store.ILMState, encode(st))
}

// Remove takes the policy away from an index.
func (m *Manager) Remove(index string) error {
	if err := m.s.SetPrivate(index, store.ILMState, ""); err != nil {
		return err
	}
	for _, k := range []string{"lifecycle.name", "lifecycle.rollover_alias"} {
		if err := m.s.SetPrivate(index, k, ""); err != nil {
			return err
		}
	}
	return nil
}
