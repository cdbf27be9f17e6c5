package pipeline

import (
	"slices"
	"strings"

	"github.com/weirlog/weir/pipeline/conf"
)

// lintPlugins looks at each plugin for what is allowed and seldom meant.
func (c *compiler) lintPlugins(f *conf.File) {
	for _, p := range filters(f) {
		switch p.Name {
		case "grok":
			c.lintGrok(p)
		case "mutate":
			c.lintMutate(p)
		}
	}
	for _, p := range c.outputs {
		if p.Name == "elasticsearch" || p.Name == "opensearch" {
			c.lintIndex(p)
		}
	}
}

func attr(p *conf.Plugin, name string) conf.Value {
	for _, a := range p.Attrs {
		if a.Name == name {
			return a.Value
		}
	}
	return nil
}

// textsIn calls f for each text in a value; key tells the keys of hashes.
func textsIn(v conf.Value, f func(text string, pos conf.Pos, key bool)) {
	switch v := v.(type) {
	case *conf.Hash:
		for _, it := range v.Items {
			f(conf.KeyText(it.Key), it.Key.At(), true)
			textsIn(it.Value, f)
		}
	case *conf.Array:
		for _, it := range v.Items {
			textsIn(it.Value, f)
		}
	case *conf.String, *conf.Bareword, *conf.Number:
		f(conf.KeyText(v), v.At(), false)
	}
}

// lintGrok looks for patterns that begin with anything. What its compiler remarks on is not said twice.
func (c *compiler) lintGrok(p *conf.Plugin) {
	textsIn(attr(p, "match"), func(s string, pos conf.Pos, key bool) {
		if !key && (strings.HasPrefix(s, "%{GREEDYDATA") || strings.HasPrefix(s, "%{DATA") || strings.HasPrefix(s, ".*")) {
			c.warn(pos, "write ^ and what the line begins with", "the pattern begins with anything: lines that do not match cost most")
		}
	})
}

// mutateOrder is the order mutate works in, whatever is written.
var mutateOrder = []string{"coerce", "rename", "update", "replace", "convert", "gsub", "uppercase", "capitalize", "lowercase", "strip", "split", "join", "merge", "copy"}

// lintMutate looks for two operations on a field that are written in another order than they are done in.
func (c *compiler) lintMutate(p *conf.Plugin) {
	touched := make([]map[string]bool, len(p.Attrs))
	for i, a := range p.Attrs {
		touched[i] = make(map[string]bool)
		h, hash := a.Value.(*conf.Hash)
		switch {
		case hash:
			for _, it := range h.Items {
				touched[i][conf.KeyText(it.Key)] = true
				if a.Name == "rename" || a.Name == "copy" {
					touched[i][conf.KeyText(it.Value)] = true
				}
			}
		case a.Name == "gsub":
			n := 0
			textsIn(a.Value, func(s string, _ conf.Pos, _ bool) {
				if n%3 == 0 {
					touched[i][s] = true
				}
				n++
			})
		default:
			textsIn(a.Value, func(s string, _ conf.Pos, _ bool) { touched[i][s] = true })
		}
	}
	for i, a := range p.Attrs {
		for k, b := range p.Attrs[:i] {
			first, second := slices.Index(mutateOrder, b.Name), slices.Index(mutateOrder, a.Name)
			if first < 0 || second < 0 || first <= second {
				continue
			}
			for field := range touched[i] {
				if touched[k][field] {
					c.warn(a.Pos, "write two mutate filters", "%s is done before %s, though it is written behind it; both touch %s", a.Name, b.Name, field)
					break
				}
			}
		}
	}
}

// unbounded are parts of field names whose values are too many for an index each.
var unbounded = []string{"message", "_id", "uuid", "[id]", "{id}", "[ip]", "{ip}", "clientip", "address", "path", "url", "offset"}

func (c *compiler) lintIndex(p *conf.Plugin) {
	textsIn(attr(p, "index"), func(s string, pos conf.Pos, _ bool) {
		for _, u := range unbounded {
			i := strings.Index(s, "%{")
			if i >= 0 && strings.Contains(s[i+1:], u) {
				c.warn(pos, "", "each value of a field in the index's name makes an index: %s may have too many", s)
				return
			}
		}
		if strings.Contains(s, "%{+YYYY.ww") || strings.Contains(s, "%{+yyyy.ww") {
			c.warn(pos, "weeks go with xxxx: %{+xxxx.ww}", "the last days of a year may belong to the first week of the next")
		}
	})
}
