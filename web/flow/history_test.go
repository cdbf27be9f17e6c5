package flow

import (
	"fmt"
	"testing"
	"time"
)

func picture(lag, docs float64) map[string]any {
	return map[string]any{"stages": map[string]any{
		"broker": map[string]any{"topics": []any{map[string]any{"name": "logs", "in_s": 3.5, "groups": []any{map[string]any{"name": "g", "lag": lag, "lag_ms": lag * 10}}}}},
		"store":  map[string]any{"docs_s": docs},
	}}
}

func TestHistory(t *testing.T) {
	t.Parallel()
	lag := 0.0
	h := NewHistory(func() any {
		p := picture(lag, lag/2)
		if lag == 7 {
			delete(p["stages"].(map[string]any), "broker")
		}
		return p
	})
	now := time.UnixMilli(1_000_000)
	for range 2 * finePoints {
		now = now.Add(Fine)
		h.take(now)
		lag++
	}
	got := h.Last(time.Minute)
	list := got.Series["group g logs lag"]
	if len(list) != 12 || *list[11] != 2*finePoints-1 || *list[0] != 2*finePoints-12 || got.ToMs != now.UnixMilli() || got.StepMs != 5000 {
		t.Errorf("the last minute: %d points, to %d", len(list), got.ToMs)
	}
	if n := len(h.Last(time.Hour).Series["store docs"]); n != finePoints {
		t.Errorf("an hour has %d points", n)
	}
	day := h.Last(24 * time.Hour)
	if list := day.Series["store docs"]; len(list) != 2*finePoints/perCoarse || *list[0] != 11.0/2 || day.StepMs != 60000 {
		t.Errorf("a day: %d points", len(list))
	}
}

func TestHistoryGap(t *testing.T) {
	t.Parallel()
	with := true
	h := NewHistory(func() any {
		if with {
			return picture(1, 1)
		}
		return map[string]any{}
	})
	for i := range 3 {
		with = i != 1
		h.take(time.UnixMilli(int64(i)))
	}
	list := h.Last(time.Hour).Series["topic logs in"]
	if len(list) != 3 || list[0] == nil || list[1] != nil || list[2] == nil {
		t.Errorf("a moment without the figure: %v", list)
	}
}

func TestHistoryBound(t *testing.T) {
	t.Parallel()
	h := NewHistory(func() any {
		var agents []any
		for i := range maxSeries + 10 {
			agents = append(agents, map[string]any{"id": fmt.Sprint(i), "acked_s": 1})
		}
		return map[string]any{"stages": map[string]any{"agents": agents}}
	})
	h.take(time.Now())
	if a := h.Last(time.Hour); len(a.Series) != maxSeries || a.NotKept != 10 {
		t.Errorf("%d series kept, %d not", len(a.Series), a.NotKept)
	}
}
