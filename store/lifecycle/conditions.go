package lifecycle

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
)

func parseMillis(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// conditionsOf reads the conditions of a rollover: names and values as they were written.
func conditionsOf(v *fastjson.Value) (map[string]any, error) {
	out := map[string]any{}
	o := v.GetObject()
	if o == nil {
		return nil, &store.Error{Status: 400, Type: "x_content_parse_exception", Reason: "[rollover] must be an object"}
	}
	o.Visit(func(k []byte, e *fastjson.Value) {
		if e.Type() == fastjson.TypeNumber {
			out[string(k)] = e.GetFloat64()
			return
		}
		out[string(k)] = string(e.GetStringBytes())
	})
	if _, _, err := Met(store.IndexInfo{}, out, time.Now()); err != nil {
		return nil, err
	}
	return out, nil
}

func illegal(format string, args ...any) error {
	return &store.Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}
}

// Met tells of each condition whether it holds for an index, by its text "[max_docs: 5]", and whether the index is to be rolled over: some
// max_ condition holds and every min_ does; without any condition it is.
func Met(i store.IndexInfo, conditions map[string]any, now time.Time) (met map[string]bool, roll bool, err error) {
	met = map[string]bool{}
	anyMax, allMin, hasMax := false, true, false
	for name, v := range conditions {
		holds, text, err := holds(i, name, v, now)
		if err != nil {
			return nil, false, err
		}
		met["["+name+": "+text+"]"] = holds
		if strings.HasPrefix(name, "min_") {
			allMin = allMin && holds
		} else {
			hasMax = true
			anyMax = anyMax || holds
		}
	}
	return met, allMin && (anyMax || !hasMax), nil
}

func holds(i store.IndexInfo, name string, v any, now time.Time) (ok bool, text string, err error) {
	text = fmt.Sprint(v)
	shards := int64(1)
	if i.Settings != nil {
		shards = int64(max(1, i.Settings.Int("number_of_shards", 1)))
	}
	kind, found := strings.CutPrefix(name, "max_")
	if !found {
		if kind, found = strings.CutPrefix(name, "min_"); !found {
			return false, "", illegal("unknown rollover condition [%s]", name)
		}
	}
	switch kind {
	case "age":
		age, err := store.ParseAge(text)
		if err != nil {
			return false, "", illegal("failed to parse setting [%s] with value [%s] as a time value: unit is missing or unrecognized", name, text)
		}
		return now.Sub(time.UnixMilli(i.Created)) >= age, text, nil
	case "docs", "primary_shard_docs":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return false, "", illegal("condition [%s] needs a number, but got [%s]", name, text)
		}
		docs := i.Docs
		if kind != "docs" {
			docs /= shards
		}
		return docs >= int64(n), strconv.FormatInt(int64(n), 10), nil
	case "size", "primary_shard_size":
		size, err := ParseSize(name, text)
		if err != nil {
			return false, "", err
		}
		bytes := i.Bytes
		if kind != "size" {
			bytes /= shards
		}
		return bytes >= size, text, nil
	}
	return false, "", illegal("unknown rollover condition [%s]", name)
}

// sizeUnits of conditions.
var sizeUnits = []struct {
	suffix string
	shift  int
}{{"pb", 50}, {"tb", 40}, {"gb", 30}, {"mb", 20}, {"kb", 10}, {"b", 0}}

// ParseSize reads 50gb.
func ParseSize(name, s string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, u := range sizeUnits {
		if num, ok := strings.CutSuffix(lower, u.suffix); ok {
			n, err := strconv.ParseInt(num, 10, 64)
			if err != nil || n < 0 || n > 1<<(62-u.shift) {
				break
			}
			return n << u.shift, nil
		}
	}
	return 0, &store.Error{Status: 400, Type: "parse_exception", Reason: fmt.Sprintf("failed to parse setting [%s] with value [%s] as a size in bytes: unit is missing or unrecognized", name, s)}
}
