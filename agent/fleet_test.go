package agent

import (
	"encoding/json"
	"testing"
)

// TestReports: an agent says of itself what it reads, at the start and at the stop, and its configuration has a name.
func TestReports(t *testing.T) {
	t.Parallel()
	h := newHarness(t)
	h.cfg.Flow = "weir-flow"
	reports := func() (out []Report) {
		for _, r := range h.q.records() {
			if r.Topic != "weir-flow" {
				continue
			}
			var rep Report
			if err := json.Unmarshal(r.Value, &rep); err != nil || string(r.Key) != rep.ID {
				t.Fatalf("%s: %v", r.Value, err)
			}
			out = append(out, rep)
		}
		return out
	}
	h.write("a.log", "one\n")
	h.start()
	h.await("the line", func() bool {
		for _, r := range h.q.records() {
			if message(r.Value) == "one" {
				return true
			}
		}
		return false
	})
	h.await("a report", func() bool { return len(reports()) > 0 })
	h.stop()
	list := reports()
	last := list[len(list)-1]
	if !last.Stopping || last.Files != 1 || last.ConfigHash == "" || last.ConfigHash != list[0].ConfigHash || len(last.Sources) != 1 || last.Sources[0].Path != h.path("a.log") {
		t.Errorf("%+v", last)
	}
}
