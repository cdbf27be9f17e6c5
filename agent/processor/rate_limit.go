package processor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// maxBuckets bounds the values that rate_limit tells apart; above it all buckets are forgotten.
const maxBuckets = 10_000

// bucket is what is left of a limit.
type bucket struct {
	tokens float64
	at     time.Time
}

// limiter is rate_limit: a token bucket for each value of its fields. Its step may run in several lanes.
type limiter struct {
	rate, burst float64 // events per second, events at once
	fields      []string

	mu      sync.Mutex // guards buckets
	buckets map[string]*bucket
}

func compileRateLimit(args arguments) (run, error) {
	text, err := args.required("limit")
	if err != nil {
		return nil, err
	}
	l := limiter{buckets: map[string]*bucket{}}
	if l.rate, err = parseRate(text); err != nil {
		return nil, err
	}
	if _, ok := args.get("fields"); ok {
		if l.fields, err = args.list("fields"); err != nil {
			return nil, err
		}
	}
	multiplier := 1.0
	if v, ok := args.get("algorithm"); ok {
		flat := map[string]any{}
		if m, isMap := v.(map[string]any); isMap {
			tree.Flatten(flat, "", m)
		}
		if v, ok := flat["token_bucket.burst_multiplier"]; ok {
			if multiplier, ok = number(v); !ok || multiplier < 1 {
				return nil, errors.New("algorithm.token_bucket.burst_multiplier: want a number from 1 on")
			}
		}
	}
	n, unit, _ := strings.Cut(text, "/")
	_ = unit
	count, _ := strconv.ParseFloat(strings.TrimSpace(n), 64)
	l.burst = max(count*multiplier, 1)
	return func(ev *tree.Event) error {
		if l.take(ev, time.Now()) {
			return nil
		}
		return errDrop
	}, nil
}

// parseRate reads "10000/m" as events per second.
func parseRate(s string) (float64, error) {
	n, unit, ok := strings.Cut(s, "/")
	f, err := strconv.ParseFloat(strings.TrimSpace(n), 64)
	per := map[string]float64{"s": 1, "m": 60, "h": 3600}[strings.TrimSpace(unit)]
	if !ok || err != nil || f <= 0 || per == 0 {
		return 0, fmt.Errorf("limit: %q is not a number per s, m or h (10000/m)", s)
	}
	return f / per, nil
}

func (l *limiter) take(ev *tree.Event, now time.Time) bool {
	var key strings.Builder
	for _, f := range l.fields {
		v, _ := ev.Get(f)
		key.WriteString(tree.Text(v))
		key.WriteByte(0)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[key.String()]
	if b == nil {
		if len(l.buckets) >= maxBuckets {
			clear(l.buckets)
		}
		b = &bucket{tokens: l.burst, at: now}
		l.buckets[key.String()] = b
	}
	b.tokens = min(l.burst, b.tokens+now.Sub(b.at).Seconds()*l.rate)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
