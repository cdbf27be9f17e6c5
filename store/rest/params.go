package rest

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// commonParams are understood by every endpoint; those that steer a cluster's work have no effect on one node.
var commonParams = []string{"pretty", "human", "format", "error_trace", "filter_path", "source", "source_content_type", "master_timeout", "cluster_manager_timeout", "timeout", "local", "flat_settings"}

// indexParams choose indices.
var indexParams = []string{"ignore_unavailable", "allow_no_indices", "expand_wildcards", "ignore_throttled"}

// params are the parameters of a URL.
type params struct {
	values url.Values
}

// check refuses a parameter that is not in known, with the nearest that is.
func (p params) check(path string, known []string) error {
	var unknown []string
	for name := range p.values {
		if !slices.Contains(known, name) && !slices.Contains(commonParams, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	plural := ""
	if len(unknown) > 1 {
		plural = "s"
	}
	parts := make([]string, len(unknown))
	for i, u := range unknown {
		parts[i] = "[" + u + "]"
		if m := nearest(u, known); m != "" {
			parts[i] += " -> did you mean [" + m + "]?"
		}
	}
	return illegal("request [%s] contains unrecognized parameter%s: %s", path, plural, strings.Join(parts, ", "))
}

func (p params) has(name string) bool { return p.values.Has(name) }

func (p params) str(name, def string) string {
	if !p.values.Has(name) {
		return def
	}
	return p.values.Get(name)
}

// list splits a comma-separated parameter.
func (p params) list(name string) []string {
	s := p.values.Get(name)
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// boolean reads true, false or nothing ("?pretty" is true).
func (p params) boolean(name string, def bool) (bool, error) {
	if !p.values.Has(name) {
		return def, nil
	}
	switch v := p.values.Get(name); v {
	case "", "true":
		return true, nil
	case "false":
		return false, nil
	default:
		return def, illegal("Failed to parse value [%s] as only [true] or [false] are allowed.", v)
	}
}

func (p params) integer(name string, def int) (int, error) {
	if !p.values.Has(name) {
		return def, nil
	}
	n, err := strconv.Atoi(p.values.Get(name))
	if err != nil {
		return def, illegal("Failed to parse int parameter [%s] with value [%s]", name, p.values.Get(name))
	}
	return n, nil
}

// timeUnits are Elasticsearch's, the longest suffix first.
var timeUnits = []struct {
	suffix string
	unit   time.Duration
}{{"nanos", time.Nanosecond}, {"micros", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// parseTime reads "30s", "5m" or "-1".
func parseTime(name, s string) (time.Duration, error) {
	if s == "-1" || s == "0" {
		return -1, nil
	}
	for _, u := range timeUnits {
		if num, ok := strings.CutSuffix(s, u.suffix); ok {
			n, err := strconv.ParseInt(num, 10, 64)
			if err != nil || n < 0 || n > int64(1<<62/u.unit) {
				break
			}
			return time.Duration(n) * u.unit, nil
		}
	}
	return 0, illegal("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", name, s)
}

// nearest is the candidate at most two edits away, or "".
func nearest(word string, candidates []string) string {
	best, dist := "", 3
	for _, c := range candidates {
		if d := distance(word, c); d < dist {
			best, dist = c, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diag := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diag
			if a[i-1] != b[j-1] {
				cost++
			}
			diag, row[j] = row[j], min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// quoteList prints names as [a, b].
func quoteList(names []string) string { return fmt.Sprintf("[%s]", strings.Join(names, ", ")) }

func itoa(n int) string { return strconv.Itoa(n) }
