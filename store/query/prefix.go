package query

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// prefixQuery is prefix.
type prefixQuery struct {
	base
	field, value string
	fold         bool
}

func parsePrefix(d *decoder, name string, n *Node) (Query, error) {
	q := &prefixQuery{}
	var err error
	q.field, err = q.base.field(name, n, "value", func(key string, v *Node) (bool, error) {
		switch key {
		case "value", "prefix":
			return scalar(name, key, v, &q.value)
		case "case_insensitive":
			return flag(name, key, v, &q.fold)
		case "rewrite":
			var s string
			return scalar(name, key, v, &s)
		}
		return false, nil
	})
	return q, err
}

func (q *prefixQuery) plan(p *planner) (node, error) {
	t := pattern{query: "prefix", prefix: p.normalized(q.field, q.value)}
	if q.fold {
		want := t.prefix
		t.prefix = ""
		t.match = func(v []byte) bool { return hasPrefixFold(v, want) }
	}
	n, err := p.fitting(q.field, t)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// hasPrefixFold compares rune by rune, since folded characters may differ in length.
func hasPrefixFold(v []byte, prefix string) bool {
	for _, r := range prefix {
		got, n := utf8.DecodeRune(v)
		if n == 0 || got != r && !strings.EqualFold(string(got), string(r)) {
			return false
		}
		v = v[n:]
	}
	return true
}

// wildcardQuery is wildcard.
type wildcardQuery struct {
	base
	field, value string
	fold         bool
}

func parseWildcard(d *decoder, name string, n *Node) (Query, error) {
	q := &wildcardQuery{}
	var err error
	q.field, err = q.base.field(name, n, "value", func(key string, v *Node) (bool, error) {
		switch key {
		case "value", "wildcard":
			return scalar(name, key, v, &q.value)
		case "case_insensitive":
			return flag(name, key, v, &q.fold)
		case "rewrite":
			var s string
			return scalar(name, key, v, &s)
		}
		return false, nil
	})
	return q, err
}

func (q *wildcardQuery) plan(p *planner) (node, error) {
	n, err := p.wildcard(q.field, p.normalized(q.field, q.value), q.fold)
	if err != nil {
		return nil, err
	}
	return p.leaf(n, q.boost), nil
}

// wildcard matches values by * and ?; a backslash takes the next character as it is.
func (p *planner) wildcard(field, text string, fold bool) (node, error) {
	w := compileWildcard(text, fold)
	if len(w) == 1 && w[0].star && field != "_index" {
		return p.exists(field)
	}
	t := pattern{query: "wildcard", match: w.match}
	if !fold {
		t.prefix = w.prefix()
	}
	return p.fitting(field, t)
}

// wild is a compiled wildcard pattern.
type wild []wildPart

// wildPart is a literal, any one character, or any text.
type wildPart struct {
	lit  []byte
	any  bool
	star bool
	fold bool
}

func compileWildcard(text string, fold bool) wild {
	var w wild
	lit := func(s string) {
		if n := len(w); n > 0 && w[n-1].lit != nil {
			w[n-1].lit = append(w[n-1].lit, s...)
			return
		}
		w = append(w, wildPart{lit: []byte(s), fold: fold})
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '*':
			if n := len(w); n == 0 || !w[n-1].star {
				w = append(w, wildPart{star: true})
			}
		case c == '?':
			w = append(w, wildPart{any: true})
		case c == '\\' && i+1 < len(text):
			i++
			lit(text[i : i+1])
		default:
			lit(text[i : i+1])
		}
	}
	return w
}

// prefix is the literal text every match starts with.
func (w wild) prefix() string {
	if len(w) > 0 && w[0].lit != nil {
		return string(w[0].lit)
	}
	return ""
}

func (w wild) match(v []byte) bool {
	star := -1
	var back []byte
	i := 0
	for {
		if i == len(w) {
			if len(v) == 0 {
				return true
			}
		} else if w[i].star {
			if i == len(w)-1 {
				return true
			}
			star, back = i, v
			i++
			continue
		} else if n, ok := w[i].step(v); ok {
			v = v[n:]
			i++
			continue
		}
		if star < 0 || len(back) == 0 {
			return false
		}
		if next := w[star+1]; next.lit != nil && !next.fold { // jump to the next place where the literal can start
			at := bytes.Index(back[1:], next.lit)
			if at < 0 {
				return false
			}
			back = back[1+at:]
		} else {
			_, n := utf8.DecodeRune(back)
			back = back[n:]
		}
		v, i = back, star+1
	}
}

// step is the length of what a part other than a star takes of v.
func (p *wildPart) step(v []byte) (n int, ok bool) {
	switch {
	case p.any:
		_, n = utf8.DecodeRune(v)
		return n, n > 0
	case !p.fold:
		return len(p.lit), bytes.HasPrefix(v, p.lit)
	}
	for _, r := range string(p.lit) {
		got, size := utf8.DecodeRune(v[n:])
		if size == 0 || got != r && !strings.EqualFold(string(got), string(r)) {
			return 0, false
		}
		n += size
	}
	return n, true
}
