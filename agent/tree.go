package agent

import (
	"maps"
	"strings"
)

// A tree is an event's fields: map[string]any, []any and single values. Paths name fields with dots; a key that itself holds dots is
// found when it is spelled the same.

// getField is the value at a dotted path.
func getField(t map[string]any, path string) (any, bool) {
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

// setField puts v at a dotted path, making objects on the way; what is no object on the way is replaced.
func setField(t map[string]any, path string, v any) {
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

// dropField removes the value at a dotted path; objects that become empty stay.
func dropField(t map[string]any, path string) bool {
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

// mergeTree puts src over dst, object by object. Without overwrite existing single values stay. src is not shared with dst.
func mergeTree(dst, src map[string]any, overwrite bool) {
	for k, v := range src {
		old, exists := dst[k]
		if sub, ok := v.(map[string]any); ok {
			if into, ok := old.(map[string]any); ok {
				mergeTree(into, sub, overwrite)
				continue
			}
		}
		if !exists || overwrite {
			dst[k] = cloneValue(v)
		}
	}
}

func cloneTree(t map[string]any) map[string]any {
	out := maps.Clone(t)
	for k, v := range out {
		switch v.(type) {
		case map[string]any, []any:
			out[k] = cloneValue(v)
		}
	}
	return out
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		return cloneTree(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = cloneValue(v[i])
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

// expandKeys turns keys with dots into nested objects, at every level.
func expandKeys(t map[string]any) map[string]any {
	out := make(map[string]any, len(t))
	for k, v := range t {
		if sub, ok := v.(map[string]any); ok {
			v = expandKeys(sub)
		}
		if !strings.Contains(k, ".") {
			mergeTree(out, map[string]any{k: v}, true)
			continue
		}
		nested := map[string]any{}
		setField(nested, k, v)
		mergeTree(out, nested, true)
	}
	return out
}

// dropNulls removes keys whose value is null, at every level of objects.
func dropNulls(t map[string]any) {
	for k, v := range t {
		switch v := v.(type) {
		case nil:
			delete(t, k)
		case map[string]any:
			dropNulls(v)
		}
	}
}
