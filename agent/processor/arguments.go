package processor

import (
	"fmt"
	"math"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// arguments are the settings of a step; each is asked for once, and what nobody asked for is an error.
type arguments struct {
	m    map[string]any
	used map[string]bool
}

func (a arguments) get(key string) (any, bool) {
	a.used[key] = true
	v, ok := a.m[key]
	return v, ok && v != nil
}

func (a arguments) leftover() error {
	for k := range a.m {
		if !a.used[k] {
			return fmt.Errorf("%s: unknown setting", k)
		}
	}
	return nil
}

func (a arguments) text(key, fallback string) (string, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("%s: %v is no text", key, v)
	}
	return s, nil
}

func (a arguments) flag(key string, fallback bool) (bool, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%s: %v is not true or false", key, v)
	}
	return b, nil
}

func (a arguments) object(key string) (map[string]any, error) {
	v, ok := a.get(key)
	if !ok {
		return nil, fmt.Errorf("%s: missing", key)
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %v is no map", key, v)
	}
	return m, nil
}

func (a arguments) list(key string) ([]string, error) {
	v, ok := a.get(key)
	if !ok {
		return nil, fmt.Errorf("%s: missing", key)
	}
	return textList(key, v)
}

func textList(key string, v any) ([]string, error) {
	switch v := v.(type) {
	case string:
		return []string{v}, nil
	case []string:
		return v, nil
	case []any:
		out := make([]string, len(v))
		for i := range v {
			s, ok := v[i].(string)
			if !ok {
				return nil, fmt.Errorf("%s: %v is no text", key, v[i])
			}
			out[i] = s
		}
		return out, nil
	}
	return nil, fmt.Errorf("%s: %v is no list of texts", key, v)
}

// number is an integer setting.
func (a arguments) number(key string, fallback int) (int, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	n, ok := number(v)
	if !ok || n != math.Trunc(n) || math.Abs(n) > 1<<31 {
		return 0, fmt.Errorf("%s: %v is no integer", key, v)
	}
	return int(n), nil
}

func (a arguments) objects(key string) ([]map[string]any, error) {
	v, _ := a.get(key)
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s: want a list", key)
	}
	out := make([]map[string]any, len(list))
	for i, item := range list {
		if out[i], ok = item.(map[string]any); !ok {
			return nil, fmt.Errorf("%s: want a list of maps", key)
		}
	}
	return out, nil
}

// fieldPair is one entry of rename and copy_fields.
type fieldPair struct{ from, to string }

func (a arguments) pairs(sameOK bool) ([]fieldPair, error) {
	v, ok := a.get("fields")
	list, isList := v.([]any)
	if !ok || !isList {
		return nil, fmt.Errorf("fields: want a list of from and to")
	}
	var out []fieldPair
	for _, item := range list {
		m, _ := item.(map[string]any)
		from, _ := m["from"].(string)
		to, _ := m["to"].(string)
		if to == "" && sameOK {
			to = from
		}
		if from == "" || to == "" {
			return nil, fmt.Errorf("fields: want a list of from and to")
		}
		out = append(out, fieldPair{from, to})
	}
	return out, nil
}

// useAll takes all settings: they say how to reach a daemon that is not asked.
func (a arguments) useAll() {
	for k := range a.m {
		a.used[k] = true
	}
}

// duration is a time setting: a text as 5m, or a number of seconds.
func (a arguments) duration(key string, fallback time.Duration) (time.Duration, error) {
	v, ok := a.get(key)
	if !ok {
		return fallback, nil
	}
	if s, isText := v.(string); isText {
		if d, err := time.ParseDuration(s); err == nil {
			return d, nil
		}
	}
	n, ok := number(v)
	if !ok {
		return 0, fmt.Errorf("%s: %v is no time", key, v)
	}
	return time.Duration(n * float64(time.Second)), nil
}

// required is a text that must be there.
func (a arguments) required(key string) (string, error) {
	s, err := a.text(key, "")
	if err == nil && s == "" {
		err = fmt.Errorf("%s: missing", key)
	}
	return s, err
}

// pair is an object of from and to.
func (a arguments) pair(key string) (fieldPair, error) {
	m, err := a.object(key)
	if err != nil {
		return fieldPair{}, err
	}
	from, _ := m["from"].(string)
	to, _ := m["to"].(string)
	if from == "" {
		return fieldPair{}, fmt.Errorf("%s: want from, and to", key)
	}
	if to == "" {
		to = from
	}
	return fieldPair{from, to}, nil
}

// flags reads ignore_missing and fail_on_error.
func (a arguments) flags() (missingOK, strict bool, err error) {
	if missingOK, err = a.flag("ignore_missing", false); err == nil {
		strict, err = a.flag("fail_on_error", true)
	}
	return missingOK, strict, err
}

// plain is a value without nested settings, in the form trees hold.
func plain(v any) any { return tree.CloneValue(v) }
