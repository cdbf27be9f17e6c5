package rest

import (
	"strings"

	"github.com/valyala/fastjson"
)

// filterPath keeps or drops parts of an answer: a list of dotted paths where * stands for one level (or part of a name), ** for any
// number of levels, and a leading - drops what matches. Arrays are stepped through.
func filterPath(v *fastjson.Value, spec string) *fastjson.Value {
	var keep, drop [][]string
	for _, p := range strings.Split(spec, ",") {
		p = strings.TrimSpace(p)
		if rest, ok := strings.CutPrefix(p, "-"); ok {
			drop = append(drop, strings.Split(rest, "."))
		} else if p != "" {
			keep = append(keep, strings.Split(p, "."))
		}
	}
	var a fastjson.Arena
	if len(keep) > 0 {
		v = keepPaths(&a, v, keep)
	}
	if len(drop) > 0 && v != nil {
		dropPaths(v, drop)
	}
	if v == nil {
		v = a.NewObject()
	}
	return v
}

// keepPaths is the part of v that some path reaches, nil when none does.
func keepPaths(a *fastjson.Arena, v *fastjson.Value, paths [][]string) *fastjson.Value {
	switch v.Type() {
	case fastjson.TypeObject:
		out := a.NewObject()
		n := 0
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			next, whole := step(paths, string(key))
			if !whole {
				if len(next) == 0 {
					return
				}
				if child = keepPaths(a, child, next); child == nil {
					return
				}
			}
			out.Set(string(key), child)
			n++
		})
		if n == 0 {
			return nil
		}
		return out
	case fastjson.TypeArray:
		out := a.NewArray()
		n := 0
		for _, child := range v.GetArray() {
			if k := keepPaths(a, child, paths); k != nil {
				out.SetArrayItem(n, k)
				n++
			}
		}
		if n == 0 {
			return nil
		}
		return out
	}
	return nil
}

// dropPaths removes what the paths reach.
func dropPaths(v *fastjson.Value, paths [][]string) {
	switch v.Type() {
	case fastjson.TypeObject:
		var gone []string
		v.GetObject().Visit(func(key []byte, child *fastjson.Value) {
			next, whole := step(paths, string(key))
			if whole {
				gone = append(gone, string(key))
				return
			}
			if len(next) > 0 {
				dropPaths(child, next)
			}
		})
		for _, k := range gone {
			v.Del(k)
		}
	case fastjson.TypeArray:
		for _, child := range v.GetArray() {
			dropPaths(child, paths)
		}
	}
}

// step is what remains of the paths behind key; whole when one ends here.
func step(paths [][]string, key string) (next [][]string, whole bool) {
	for _, p := range paths {
		if p[0] == "**" {
			next = append(next, p)
			if len(p) == 1 {
				return nil, true
			}
			n, w := step([][]string{p[1:]}, key)
			next = append(next, n...)
			whole = whole || w
			continue
		}
		if !glob(p[0], key) {
			continue
		}
		if len(p) == 1 {
			return nil, true
		}
		next = append(next, p[1:])
	}
	return next, whole
}

// glob matches a name against a pattern with *.
func glob(pattern, name string) bool {
	first, rest, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == name
	}
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for {
		part, more, again := strings.Cut(rest, "*")
		if !again {
			return len(name) >= len(rest) && strings.HasSuffix(name, rest)
		}
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name, rest = name[i+len(part):], more
	}
}
