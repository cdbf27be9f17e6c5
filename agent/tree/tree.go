package tree

import (
	"maps"
	"strings"
)

// Get is the value at a dotted path.
func Get(t map[string]any, path string) (any, bool) {
	for {
		if v, ok := t[path]; ok {
			return v, true
		}
		key, rest, ok := strings.Cut(path, ".")
		if !ok {
			return nil, false
		}
		sub, ok := t[key].(map[string]any)
		if !ok {
			return nil, false
		}
		t, path = sub, rest
	}
}

// Set puts v at a dotted path, making objects on the way; what is no object on the way is replaced.
func Set(t map[string]any, path string, v any) {
	for {
		key, rest, ok := strings.Cut(path, ".")
		if !ok {
			t[path] = v
			return
		}
		sub, ok := t[key].(map[string]any)
		if !ok {
			sub = map[string]any{}
			t[key] = sub
		}
		t, path = sub, rest
	}
}

// Drop removes the value at a dotted path; objects that become empty stay.
func Drop(t map[string]any, path string) bool {
	for {
		if _, ok := t[path]; ok {
			delete(t, path)
			return true
		}
		key, rest, ok := strings.Cut(path, ".")
		if !ok {
			return false
		}
		sub, ok := t[key].(map[string]any)
		if !ok {
			return false
		}
		t, path = sub, rest
	}
}

// Merge puts src over dst, object by object. Without overwrite existing single values stay. src is not shared with dst.
func Merge(dst, src map[string]any, overwrite bool) {
	for k, v := range src {
		old, exists := dst[k]
		if sub, ok := v.(map[string]any); ok {
			if into, ok := old.(map[string]any); ok {
				Merge(into, sub, overwrite)
				continue
			}
		}
		if !exists || overwrite {
			dst[k] = CloneValue(v)
		}
	}
}

// Clone is a copy that shares nothing which can change.
func Clone(t map[string]any) map[string]any {
	out := maps.Clone(t)
	for k, v := range out {
		switch v.(type) {
		case map[string]any, []any:
			out[k] = CloneValue(v)
		}
	}
	return out
}

// CloneValue is Clone of any value; lists of texts become []any.
func CloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return Clone(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = CloneValue(v[i])
		}
		return out
	case []string:
		out := make([]any, len(v))
		for i := range v {
			out[i] = v[i]
		}
		return out
	}
	return v
}

// Expand turns keys with dots into nested objects, at every level.
func Expand(t map[string]any) map[string]any {
	out := make(map[string]any, len(t))
	for k, v := range t {
		if sub, ok := v.(map[string]any); ok {
			v = Expand(sub)
		}
		if !strings.Contains(k, ".") {
			Merge(out, map[string]any{k: v}, true)
			continue
		}
		nested := map[string]any{}
		Set(nested, k, v)
		Merge(out, nested, true)
	}
	return out
}

// DropNulls removes keys whose value is null, at every level of objects.
func DropNulls(t map[string]any) {
	for k, v := range t {
		switch v := v.(type) {
		case nil:
			delete(t, k)
		case map[string]any:
			DropNulls(v)
		}
	}
}

// Flatten turns nested objects into keys with dots.
func Flatten(out map[string]any, prefix string, t map[string]any) {
	for k, v := range t {
		if sub, ok := v.(map[string]any); ok {
			Flatten(out, prefix+k+".", sub)
			continue
		}
		out[prefix+k] = v
	}
}

// AddFlag adds a flag to log.flags.
func AddFlag(t map[string]any, flag string) {
	v, _ := Get(t, "log.flags")
	list, _ := v.([]any)
	Set(t, "log.flags", append(list[:len(list):len(list)], flag))
}
