package filter

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
)

// jsonMark stands in front of a dictionary's value that is no text but JSON.
const jsonMark = "\x00json:"

// dictionaryText is a value as a text.
func dictionaryText(s string) string { return strings.TrimPrefix(s, jsonMark) }

// dictionaryValue is a value as a field.
func dictionaryValue(b *event.Batch, s string) event.Value {
	if text, ok := strings.CutPrefix(s, jsonMark); ok {
		if v, err := b.ParseJSON(text); err == nil {
			return v
		}
	}
	return event.String(s)
}

// loadYAML reads the part of YAML that dictionaries are written in: one name and one value a line.
func (f *translate) loadYAML(text string) error {
	n := 0
	for line := range strings.Lines(text) {
		n++
		s := strings.TrimRight(line, " \t\r\n")
		if t := strings.TrimSpace(s); t == "" || t[0] == '#' || t == "---" || t == "..." {
			continue
		}
		if s[0] == ' ' || s[0] == '\t' || s[0] == '-' {
			return fmt.Errorf("dictionary: line %d: only a list of key: value is read; write nested values as .json", n)
		}
		key, rest, ok := yamlKey(s)
		if !ok {
			return fmt.Errorf("dictionary: line %d: key: value expected", n)
		}
		value, ok := yamlValue(rest)
		if !ok {
			return fmt.Errorf("dictionary: line %d: the value %q is not read; write it as .json", n, rest)
		}
		f.add(key, value)
	}
	return nil
}

// yamlKey splits a line behind its key, which may stand in quotes.
func yamlKey(s string) (key, rest string, ok bool) {
	if s[0] == '"' || s[0] == '\'' {
		key, rest, ok = yamlQuoted(s)
		rest = strings.TrimLeft(rest, " \t")
		return key, strings.TrimPrefix(rest, ":"), ok && strings.HasPrefix(rest, ":")
	}
	if key, rest, ok = strings.Cut(s, ": "); ok {
		return strings.TrimSpace(key), rest, true
	}
	key, ok = strings.CutSuffix(s, ":")
	return strings.TrimSpace(key), "", ok
}

// yamlQuoted reads a text in quotes at the start of s.
func yamlQuoted(s string) (text, rest string, ok bool) {
	if s[0] == '\'' {
		for i := 1; i < len(s); i++ {
			if s[i] != '\'' {
				continue
			}
			if i+1 < len(s) && s[i+1] == '\'' {
				i++
				continue
			}
			return strings.ReplaceAll(s[1:i], "''", "'"), s[i+1:], true
		}
		return "", "", false
	}
	for i := 1; i < len(s); i++ {
		if s[i] == '\\' {
			i++
		} else if s[i] == '"' {
			err := json.Unmarshal([]byte(s[:i+1]), &text)
			return text, s[i+1:], err == nil
		}
	}
	return "", "", false
}

func yamlValue(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if s != "" && (s[0] == '"' || s[0] == '\'') {
		text, rest, ok := yamlQuoted(s)
		rest = strings.TrimSpace(rest)
		return text, ok && (rest == "" || rest[0] == '#')
	}
	if i := strings.Index(s, " #"); i >= 0 {
		s = strings.TrimSpace(s[:i])
	}
	if s == "" || s[0] == '#' || s == "~" || s == "null" {
		return jsonMark + "null", true
	}
	if strings.IndexByte("|>&*!%@`", s[0]) >= 0 {
		return "", false
	}
	if s[0] == '[' || s[0] == '{' {
		return jsonMark + s, json.Valid([]byte(s))
	}
	_, err := strconv.ParseFloat(s, 64)
	if s == "true" || s == "false" || err == nil && json.Valid([]byte(s)) {
		return jsonMark + s, true
	}
	return s, true
}
