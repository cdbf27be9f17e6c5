package painless

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// static is a static method; args -1 takes any number.
type static struct {
	args int
	call func(args []any) (any, error)
}

var constants = map[string]any{"Math.PI": math.Pi, "Math.E": math.E, "Integer.MAX_VALUE": int64(math.MaxInt32), "Integer.MIN_VALUE": int64(math.MinInt32),
	"Long.MAX_VALUE": int64(math.MaxInt64), "Long.MIN_VALUE": int64(math.MinInt64), "Double.NaN": math.NaN(), "Double.MAX_VALUE": math.MaxFloat64}

// statics by class and method.
var statics = map[string]map[string]static{
	"Math": {
		"abs": {1, mathAbs}, "sqrt": real1(math.Sqrt), "cbrt": real1(math.Cbrt), "ceil": real1(math.Ceil), "floor": real1(math.Floor), "rint": real1(math.RoundToEven),
		"exp": real1(math.Exp), "log": real1(math.Log), "log10": real1(math.Log10), "sin": real1(math.Sin), "cos": real1(math.Cos), "tan": real1(math.Tan),
		"round": {1, mathRound}, "pow": real2(math.Pow), "hypot": real2(math.Hypot), "atan2": real2(math.Atan2),
		"max": {2, func(a []any) (any, error) { return pick(a, 1) }}, "min": {2, func(a []any) (any, error) { return pick(a, -1) }},
		"floorMod": {2, floorMod},
	},
	"Integer": {"parseInt": {1, func(a []any) (any, error) { return parseText(a, 32) }}, "valueOf": {1, func(a []any) (any, error) { return parseText(a, 32) }}, "toString": {1, textOf},
		"toHexString": {1, func(a []any) (any, error) {
			n, ok := a[0].(int64)
			if !ok {
				return nil, badArg(a[0], "int")
			}
			return strconv.FormatUint(uint64(uint32(n)), 16), nil
		}}},
	"Long":   {"parseLong": {1, func(a []any) (any, error) { return parseText(a, 64) }}, "valueOf": {1, func(a []any) (any, error) { return parseText(a, 64) }}, "toString": {1, textOf}},
	"Double": {"parseDouble": {1, parseReal}, "valueOf": {1, parseReal}, "toString": {1, textOf}, "isNaN": {1, func(a []any) (any, error) { x, ok := toFloat(a[0]); return ok && x != x, nil }}},
	"Float":  {"parseFloat": {1, parseReal}, "valueOf": {1, parseReal}, "toString": {1, textOf}},
	"Boolean": {"parseBoolean": {1, func(a []any) (any, error) { return strings.EqualFold(Text(a[0]), "true"), nil }},
		"valueOf": {1, func(a []any) (any, error) { return strings.EqualFold(Text(a[0]), "true"), nil }}, "toString": {1, textOf}},
	"String":      {"valueOf": {1, textOf}, "join": {2, stringJoin}},
	"Objects":     {"equals": {2, func(a []any) (any, error) { return Equal(a[0], a[1]), nil }}, "isNull": {1, func(a []any) (any, error) { return a[0] == nil, nil }}, "nonNull": {1, func(a []any) (any, error) { return a[0] != nil, nil }}},
	"Collections": {"emptyList": {0, func([]any) (any, error) { return &List{}, nil }}, "emptyMap": {0, func([]any) (any, error) { return NewMap(), nil }}},
	"Arrays":      {"asList": {-1, func(a []any) (any, error) { return &List{Items: a}, nil }}},
	"List":        {"of": {-1, func(a []any) (any, error) { return &List{Items: a}, nil }}},
	"System":      {"currentTimeMillis": {0, func([]any) (any, error) { return time.Now().UnixMilli(), nil }}},
	"Instant":     {"ofEpochMilli": {1, instantOf}},
}

func badArg(v any, want string) error {
	return &Error{Type: "class_cast_exception", Reason: "Cannot cast " + typeName(v) + " to " + want}
}

func real1(f func(float64) float64) static {
	return static{1, func(a []any) (any, error) {
		x, ok := toFloat(a[0])
		if !ok {
			return nil, badArg(a[0], "double")
		}
		return f(x), nil
	}}
}

func real2(f func(x, y float64) float64) static {
	return static{2, func(a []any) (any, error) {
		x, ok := toFloat(a[0])
		y, ok2 := toFloat(a[1])
		if !ok || !ok2 {
			return nil, badArg(a[0], "double")
		}
		return f(x, y), nil
	}}
}

func mathAbs(a []any) (any, error) {
	switch x := a[0].(type) {
	case int64:
		return max(x, -x), nil
	case float64:
		return math.Abs(x), nil
	}
	return nil, badArg(a[0], "double")
}

func mathRound(a []any) (any, error) {
	x, ok := toFloat(a[0])
	if !ok {
		return nil, badArg(a[0], "double")
	}
	return int64(math.Floor(x + 0.5)), nil
}

func floorMod(a []any) (any, error) {
	x, ok := a[0].(int64)
	y, ok2 := a[1].(int64)
	if !ok || !ok2 {
		return nil, badArg(a[0], "int")
	}
	if y == 0 {
		return nil, &Error{Type: "arithmetic_exception", Reason: "/ by zero"}
	}
	return ((x % y) + y) % y, nil
}

// pick is the greater (sign 1) or the smaller (-1) of two numbers.
func pick(a []any, sign int) (any, error) {
	x, ok := toFloat(a[0])
	y, ok2 := toFloat(a[1])
	if !ok || !ok2 {
		return nil, badArg(a[0], "double")
	}
	v := a[0]
	if compare(x, y)*sign < 0 {
		v = a[1]
	}
	_, w1 := a[0].(int64)
	_, w2 := a[1].(int64)
	if w1 != w2 {
		v, _ = toFloat(v)
	}
	return v, nil
}

func textOf(a []any) (any, error) { return Text(a[0]), nil }

func parseText(a []any, bits int) (any, error) {
	if n, ok := a[0].(int64); ok {
		return n, nil
	}
	return parseWhole(Text(a[0]), bits)
}

func parseReal(a []any) (any, error) {
	if x, ok := toFloat(a[0]); ok {
		return x, nil
	}
	s := strings.TrimSpace(Text(a[0]))
	x, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return nil, &Error{Type: "number_format_exception", Reason: `For input string: "` + s + `"`}
	}
	return x, nil
}

func stringJoin(a []any) (any, error) {
	l, ok := a[1].(*List)
	if !ok {
		return nil, badArg(a[1], "java.lang.Iterable")
	}
	parts := make([]string, len(l.Items))
	for i, x := range l.Items {
		parts[i] = Text(x)
	}
	return strings.Join(parts, Text(a[0])), nil
}

// instant is a moment, as Instant.ofEpochMilli makes it.
type instant struct{ t time.Time }

func (i instant) Member(string) (any, bool) { return nil, false }

func (i instant) Call(name string, _ []any) (any, bool, error) {
	switch name {
	case "toEpochMilli":
		return i.t.UnixMilli(), true, nil
	case "getEpochSecond":
		return i.t.Unix(), true, nil
	case "toString":
		return i.t.UTC().Format("2006-01-02T15:04:05.999999999Z"), true, nil
	}
	return nil, false, nil
}

func instantOf(a []any) (any, error) {
	n, ok := a[0].(int64)
	if !ok {
		return nil, badArg(a[0], "long")
	}
	return instant{time.UnixMilli(n)}, nil
}
