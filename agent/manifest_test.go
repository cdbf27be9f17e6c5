package agent

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirlog/weir/ledger"
)

// announced are the manifests the queue holds.
func (h *harness) announced() (list []ledger.Manifest) {
	h.t.Helper()
	for _, r := range h.q.records() {
		if r.Topic != ledger.Topic {
			continue
		}
		m, err := ledger.ParseManifest(r.Value)
		if err != nil {
			h.t.Fatal(err)
		}
		list = append(list, m)
	}
	return list
}

// audit compares the manifests with the origins of the records, as a store would that has them all.
func (h *harness) audit() []ledger.Line {
	in := map[ledger.Source]*ledger.Kept{}
	for _, r := range h.q.records() {
		if o := r.Origin; !o.IsZero() {
			if in[o.Source] == nil {
				in[o.Source] = &ledger.Kept{In: &ledger.Set{}}
			}
			k := in[o.Source]
			before := k.In.Bytes()
			k.In.Add(o.From, o.To)
			k.Bytes[ledger.Indexed] += k.In.Bytes() - before
		}
	}
	a := ledger.NewAudit(func(ledger.Place) bool { return true })
	for _, m := range h.announced() {
		a.Add(m)
	}
	return a.Report(func(s ledger.Source) *ledger.Kept { return in[s] })
}

func TestManifest(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.Ledger = ledger.Topic
		c.Inputs[0].ExcludeLines = []string{"^drop"}
	})
	h.start()
	h.write("app.log", "one\n\ndrop 1\ndrop 2\ntwo\n")
	h.expect("one", "two")
	h.stop()
	lines := h.audit()
	if len(lines) != 1 {
		t.Fatalf("%+v", lines)
	}
	l := lines[0]
	if l.Read != 23 || l.Indexed != 8 || l.Dropped != 15 || l.Missing != 0 || l.Flight != 0 || l.Unannounced != 0 {
		t.Fatalf("%+v", l)
	}
	if l.Rules["empty"] != 1 || l.Rules["exclude_lines"] != 14 || !strings.HasSuffix(l.Path, "app.log") {
		t.Fatalf("%+v", l)
	}
	last := h.announced()[len(h.announced())-1]
	if !slices.Equal(last.At, []ledger.Place{{Topic: "logs", Partition: 0, Offset: lastOffset(h)}}) {
		t.Fatalf("%+v, want offset %d", last.At, lastOffset(h))
	}
}

func lastOffset(h *harness) (next int64) {
	for _, r := range h.q.records() {
		if r.Topic == "logs" {
			next = r.Offset + 1
		}
	}
	return next
}

// What a kill left unannounced the next process announces.
func TestManifestAfterKill(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) {
		c.Ledger = ledger.Topic
		c.timing.kill = true
	})
	h.start()
	h.write("app.log", "one\ntwo\n")
	h.expect("one", "two")
	h.stop()
	if n := len(h.announced()); n != 0 {
		t.Fatalf("%d manifests before the kill", n)
	}
	h.cfg.timing.kill = false
	h.start()
	h.write("other.log", "three\n")
	h.await("the other file", func() bool { return slices.Contains(h.q.messages(), "three") })
	h.stop()
	for _, l := range h.audit() {
		if l.Missing != 0 || l.Unannounced != 0 || l.Read == 0 {
			t.Errorf("%+v", l)
		}
	}
	if n := len(h.audit()); n != 2 {
		t.Fatalf("%d sources, want 2", n)
	}
}

func TestManifestOfLostBytes(t *testing.T) {
	t.Parallel()
	h := newHarness(t, func(c *Config) { c.Ledger = ledger.Topic })
	h.start()
	h.write("app.log", "one\n")
	h.expect("one")
	h.stop()
	h.write("app.log", "never read\n")
	if err := os.Truncate(h.path("app.log"), 0); err != nil {
		t.Fatal(err)
	}
	h.write("app.log", "new\n")
	h.start()
	h.expect("one", "new")
	h.await("end of the truncated source", func() bool {
		return slices.ContainsFunc(h.announced(), func(m ledger.Manifest) bool { return m.End == "truncated" }) || h.a.Status().Stats.Lines > 0 && h.over()
	})
	h.stop()
	ends := 0
	for _, l := range h.audit() {
		if l.Missing != 0 || l.Flight != 0 {
			t.Errorf("%+v", l)
		}
		if l.End == "truncated" {
			ends++
		}
	}
	if ends != 1 {
		t.Fatalf("%d truncated sources, want 1: %+v", ends, h.audit())
	}
}

// over reports whether one source is left.
func (h *harness) over() bool {
	h.a.mu.Lock()
	defer h.a.mu.Unlock()
	return len(h.a.sources) == 1
}
