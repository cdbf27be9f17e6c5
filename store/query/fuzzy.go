package query

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxExpansions is how many tokens a fuzzy or prefix word stands for unless said otherwise.
const maxExpansions = 50

// fuzzyQuery is fuzzy.
type fuzzyQuery struct {
	base
	field, value   string
	fuzziness      string
	prefix, expand int
	noSwap         bool
}

func parseFuzzy(d *decoder, name string, n *Node) (Query, error) {
	q := &fuzzyQuery{fuzziness: "AUTO", expand: maxExpansions}
	var err error
	q.field, err = q.base.field(name, n, "value", func(key string, v *Node) (bool, error) {
		switch key {
		case "value", "term":
			return scalar(name, key, v, &q.value)
		case "fuzziness":
			return scalar(name, key, v, &q.fuzziness)
		case "prefix_length":
			return number(name, key, v, &q.prefix)
		case "max_expansions":
			return number(name, key, v, &q.expand)
		case "transpositions":
			ok, err := flag(name, key, v, &q.noSwap)
			q.noSwap = !q.noSwap
			return ok, err
		case "rewrite":
			var s string
			return scalar(name, key, v, &s)
		}
		return false, nil
	})
	if err == nil {
		_, err = edits(q.fuzziness, q.value)
	}
	return q, err
}

func (q *fuzzyQuery) plan(p *planner) (node, error) {
	n, err := p.fuzzy(q.field, q.value, q.fuzziness, q.prefix, q.expand, !q.noSwap)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// fuzzy matches values within some edits of text.
func (p *planner) fuzzy(field, text, fuzziness string, prefix, expand int, swap bool) (node, error) {
	max, err := edits(fuzziness, text)
	if err != nil {
		return nil, err
	}
	if max == 0 {
		return p.equals(field, []string{text}, false)
	}
	want := []rune(text)
	prefix = min(prefix, len(want))
	t := pattern{query: "fuzzy", prefix: string(want[:prefix]), max: expand}
	t.match = func(v []byte) bool {
		n := utf8.RuneCount(v)
		if n > len(want)+max || n < len(want)-max {
			return false
		}
		return within([]rune(string(v)), want, max, swap)
	}
	return p.fitting(field, t)
}

// edits resolves AUTO, AUTO:low,high, 0, 1 and 2.
func edits(fuzziness, text string) (int, error) {
	n := utf8.RuneCountInString(text)
	low, high := 3, 6
	if rest, ok := strings.CutPrefix(strings.ToUpper(fuzziness), "AUTO"); ok {
		if rest != "" {
			a, b, found := strings.Cut(strings.TrimPrefix(rest, ":"), ",")
			var err1, err2 error
			low, err1 = strconv.Atoi(a)
			high, err2 = strconv.Atoi(b)
			if !found || err1 != nil || err2 != nil || low < 0 || low > high {
				return 0, badf("failed to find low and high distance values for fuzziness [%s]", fuzziness)
			}
		}
		switch {
		case n < low:
			return 0, nil
		case n < high:
			return 1, nil
		}
		return 2, nil
	}
	f, err := strconv.ParseFloat(fuzziness, 64)
	if err != nil || f < 0 || f > 2 {
		return 0, badf("Invalid fuzziness value: %s", fuzziness)
	}
	return int(f), nil
}

// within tells whether a and b are at most max insertions, deletions, replacements and (with swap) exchanges of neighbours apart.
func within(a, b []rune, max int, swap bool) bool {
	prev2, prev, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		best := i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(prev[j]+1, row[j-1]+1, prev[j-1]+cost)
			if swap && i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], prev2[j-2]+1)
			}
			best = min(best, row[j])
		}
		if best > max {
			return false
		}
		prev2, prev, row = prev, row, prev2
	}
	return prev[len(b)] <= max
}
