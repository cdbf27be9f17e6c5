// Package flow keeps what the Flow page draws over time: figures of each part, taken from the picture of all parts every few seconds and
// kept in rings of fixed size, fine for an hour and coarse for a day.
//
// A figure has a name: "agent ID acked", "topic NAME in", "group NAME TOPIC lag", "group NAME TOPIC lag_ms", "pipeline NAME in|out|
// failures|dead", "store docs". A gap in a series is a moment in which the picture did not have the figure.
package flow

import (
	"context"
	"encoding/json"
	"math"
	"sync"
	"time"

	"github.com/valyala/fastjson"
)

// Sizes of the history: 2,160 points of 4 bytes a series, 36 MB in all.
const (
	Fine       = 5 * time.Second
	finePoints = 720 // an hour
	Coarse     = time.Minute
	perCoarse  = int(Coarse / Fine)
	dayPoints  = 1440 // a day
	maxSeries  = 4096 // more are counted, not kept
)

// History is safe for concurrent use.
type History struct {
	picture func() any

	mu      sync.Mutex
	series  map[string]*series
	taken   int64 // pictures taken
	last    time.Time
	left    map[string]bool // series not kept
	clipped bool            // left is full
}

type series struct {
	fine   [finePoints]float32
	coarse [dayPoints]float32
}

// NewHistory keeps figures of picture, an answer of the Flow page. Run fills it.
func NewHistory(picture func() any) *History {
	return &History{picture: picture, series: map[string]*series{}, left: map[string]bool{}}
}

// Run takes a picture every five seconds until ctx ends.
func (h *History) Run(ctx context.Context) error {
	tick := time.NewTicker(Fine)
	defer tick.Stop()
	for {
		h.take(time.Now())
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// take adds one point to every series.
func (h *History) take(now time.Time) {
	text, err := json.Marshal(h.picture())
	if err != nil {
		return
	}
	v, err := fastjson.ParseBytes(text)
	if err != nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.last = now
	at, minute := int(h.taken%finePoints), int(h.taken/int64(perCoarse)%dayPoints)
	fresh := h.taken%int64(perCoarse) == 0
	h.taken++
	for _, s := range h.series {
		s.fine[at] = none()
		if fresh {
			s.coarse[minute] = none()
		}
	}
	figures(v, func(name string, value float64) {
		s := h.seriesLocked(name)
		if s == nil {
			return
		}
		s.fine[at] = float32(value)
		if old := s.coarse[minute]; math.IsNaN(float64(old)) || float32(value) > old {
			s.coarse[minute] = float32(value) // the worst of a minute
		}
	})
}

// none is the point of a moment without a figure.
func none() float32 { return float32(math.NaN()) }

func (h *History) seriesLocked(name string) *series {
	if s := h.series[name]; s != nil {
		return s
	}
	if len(h.series) >= maxSeries {
		if h.clipped = h.clipped || len(h.left) >= maxSeries; !h.clipped {
			h.left[name] = true
		}
		return nil
	}
	s := &series{}
	for i := range s.fine {
		s.fine[i] = none()
	}
	for i := range s.coarse {
		s.coarse[i] = none()
	}
	h.series[name] = s
	return s
}

// figures names the numbers of a picture.
func figures(v *fastjson.Value, put func(name string, value float64)) {
	num := func(o *fastjson.Value, key, name string) {
		if f := o.Get(key); f != nil && f.Type() == fastjson.TypeNumber {
			put(name, f.GetFloat64())
		}
	}
	text := func(o *fastjson.Value, key string) string { return string(o.GetStringBytes(key)) }
	for _, a := range v.GetArray("stages", "agents") {
		num(a, "acked_s", "agent "+text(a, "id")+" acked")
	}
	for _, t := range v.GetArray("stages", "broker", "topics") {
		name := text(t, "name")
		num(t, "in_s", "topic "+name+" in")
		for _, g := range t.GetArray("groups") {
			num(g, "lag", "group "+text(g, "name")+" "+name+" lag")
			num(g, "lag_ms", "group "+text(g, "name")+" "+name+" lag_ms")
		}
	}
	for _, p := range v.GetArray("stages", "pipelines") {
		for key, kind := range map[string]string{"in_s": "in", "out_s": "out", "failures": "failures", "dead": "dead"} {
			num(p, key, "pipeline "+text(p, "name")+" "+kind)
		}
	}
	if s := v.Get("stages", "store"); s != nil {
		num(s, "docs_s", "store docs")
	}
}

// Answer is a span of the history: the newest point of each series is last, null where there was none.
type Answer struct {
	StepMs  int64                 `json:"step_ms"`
	ToMs    int64                 `json:"to_ms"`
	Series  map[string][]*float32 `json:"series"`
	NotKept int                   `json:"not_kept"`
}

// Last is the history of a span: up to an hour in steps of five seconds, else up to a day in minutes.
func (h *History) Last(span time.Duration) Answer {
	h.mu.Lock()
	defer h.mu.Unlock()
	a := Answer{StepMs: Fine.Milliseconds(), ToMs: h.last.UnixMilli(), Series: map[string][]*float32{}, NotKept: len(h.left)}
	points, size, end := int(span/Fine), finePoints, h.taken
	if span > time.Hour {
		a.StepMs = Coarse.Milliseconds()
		points, size, end = int(span/Coarse), dayPoints, (h.taken+int64(perCoarse)-1)/int64(perCoarse)
	}
	points = min(max(points, 1), size, int(end))
	for name, s := range h.series {
		ring := s.fine[:]
		if size == dayPoints {
			ring = s.coarse[:]
		}
		list := make([]*float32, points)
		for i := range list {
			p := ring[(end-int64(points)+int64(i))%int64(size)]
			if !math.IsNaN(float64(p)) {
				list[i] = &p
			}
		}
		a.Series[name] = list
	}
	return a
}
