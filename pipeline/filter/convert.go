package filter

import (
	"math"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// conversion changes a scalar; ok is false when it stays as it is.
type conversion func(b *event.Batch, v event.Value) (event.Value, bool)

var conversions = map[string]conversion{
	"integer":    func(b *event.Batch, v event.Value) (event.Value, bool) { return toInt(v, false), true },
	"integer_eu": func(b *event.Batch, v event.Value) (event.Value, bool) { return toInt(v, true), true },
	"float":      func(b *event.Batch, v event.Value) (event.Value, bool) { return toFloat(v, false), true },
	"float_eu":   func(b *event.Batch, v event.Value) (event.Value, bool) { return toFloat(v, true), true },
	"string":     func(b *event.Batch, v event.Value) (event.Value, bool) { return event.String(b.Text(v)), true },
	"boolean":    toBool,
}

func opConvert(a *plugin.Args, key, val plugin.Text) mutateOp {
	field := a.Ref(key)
	conv, ok := conversions[val.Text]
	if !ok {
		names := []string{"boolean", "float", "float_eu", "integer", "integer_eu", "string"}
		hint := "one of " + strings.Join(names, ", ")
		if n := conf.Nearest(val.Text, names); n != "" {
			hint = "did you mean " + n + "?"
		}
		a.FailAt(val.Pos, hint, "cannot convert to %q", val.Text)
		return nil
	}
	return func(e *event.Event) error {
		p := field.Path(e)
		if p == nil {
			return nil
		}
		v, ok := e.Get(p)
		if !ok || v.IsNil() {
			return nil
		}
		return convertAt(e, p, v, conv)
	}
}

// convertAt converts a scalar or the scalars of a list; objects stay.
func convertAt(e *event.Event, p *event.Path, v event.Value, conv conversion) error {
	b := e.Batch()
	switch v.Kind() {
	case event.MapKind:
		return nil
	case event.ListKind:
		out := b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			if k := el.Kind(); k != event.MapKind && k != event.ListKind {
				if c, ok := conv(b, el); ok {
					el = c
				}
			}
			b.Append(out, el)
		}
		return e.Set(p, out)
	}
	if c, ok := conv(b, v); ok {
		return e.Set(p, c)
	}
	return nil
}

func toInt(v event.Value, eu bool) event.Value {
	switch v.Kind() {
	case event.IntKind, event.BigKind:
		return v
	case event.BoolKind:
		if v.Truth() {
			return event.Int(1)
		}
		return event.Int(0)
	case event.FloatKind:
		f, _ := v.Float64()
		return floatToInt(f)
	case event.TimeKind:
		return event.Int(v.Int64() / 1e9)
	}
	s := plainNumber(v.Str(), eu)
	if hex, ok := strings.CutPrefix(strings.TrimPrefix(s, "-"), "0x"); ok {
		if n, err := strconv.ParseInt(hex, 16, 64); err == nil {
			if s[0] == '-' {
				n = -n
			}
			return event.Int(n)
		}
	}
	if n, ok := leadingInt(s); ok {
		return event.Int(n)
	}
	return floatToInt(leadingFloat(s))
}

func floatToInt(f float64) event.Value {
	if math.IsNaN(f) {
		return event.Int(0)
	}
	return event.Int(int64(max(math.MinInt64, min(math.MaxInt64-1023, f))))
}

func toFloat(v event.Value, eu bool) event.Value {
	switch v.Kind() {
	case event.IntKind, event.FloatKind, event.BigKind:
		f, _ := v.Float64()
		return event.Float(f)
	case event.BoolKind:
		if v.Truth() {
			return event.Float(1)
		}
		return event.Float(0)
	case event.TimeKind:
		return event.Float(float64(v.Int64()) / 1e9)
	}
	return event.Float(leadingFloat(plainNumber(v.Str(), eu)))
}

// plainNumber removes what separates thousands: commas, or with eu points, whose decimals stand behind a comma.
func plainNumber(s string, eu bool) string {
	s = strings.TrimSpace(s)
	if eu {
		return strings.ReplaceAll(strings.ReplaceAll(s, ".", ""), ",", ".")
	}
	if strings.IndexByte(s, ',') < 0 {
		return s
	}
	return strings.ReplaceAll(s, ",", "")
}

// leadingInt reads a text of digits alone.
func leadingInt(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// leadingFloat reads the longest number a text begins with, else 0.
func leadingFloat(s string) float64 {
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	end, point, exp := 0, false, false
	for ; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			end = i + 1
			continue
		case c == '.' && !point && !exp:
			point = true
			continue
		case (c == 'e' || c == 'E') && !exp && end > 0:
			exp = true
			if i+1 < len(s) && (s[i+1] == '-' || s[i+1] == '+') {
				i++
			}
			continue
		}
		break
	}
	f, err := strconv.ParseFloat(s[:end], 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	return f
}

func toBool(b *event.Batch, v event.Value) (event.Value, bool) {
	if v.Kind() == event.BoolKind {
		return v, true
	}
	switch strings.ToLower(b.Text(v)) {
	case "true", "t", "yes", "y", "1", "1.0":
		return event.Bool(true), true
	case "false", "f", "no", "n", "0", "0.0", "":
		return event.Bool(false), true
	}
	return v, false
}
