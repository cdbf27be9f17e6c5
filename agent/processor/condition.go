package processor

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// condition is a compiled condition of filebeat.yml.
type condition func(ev *tree.Event) bool

// conditions are the kinds by name. Several fields within one are all asked for.
var conditions = map[string]func(args any) (condition, error){
	"equals":   perField(compileEquals),
	"contains": perField(compileContains),
	"regexp":   perField(compileRegexp),
	"network":  perField(compileNetwork),
}

// compileCondition makes a condition of its settings; several kinds in one map are all asked for.
func compileCondition(m map[string]any) (condition, error) {
	if len(m) == 0 {
		return nil, fmt.Errorf("empty condition")
	}
	var all []condition
	for kind, args := range m {
		c, err := compileKind(kind, args)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, c)
	}
	return allOf(all), nil
}

func allOf(list []condition) condition {
	return func(ev *tree.Event) bool {
		for _, c := range list {
			if !c(ev) {
				return false
			}
		}
		return true
	}
}

func compileKind(kind string, args any) (condition, error) {
	switch kind {
	case "and", "or":
		list, err := compileList(args)
		if err != nil || kind == "and" {
			return allOf(list), err
		}
		return func(ev *tree.Event) bool {
			for _, c := range list {
				if c(ev) {
					return true
				}
			}
			return false
		}, nil
	case "not":
		m, ok := args.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("want a condition")
		}
		c, err := compileCondition(m)
		return func(ev *tree.Event) bool { return !c(ev) }, err
	case "has_fields":
		fields, err := textList(kind, args)
		return func(ev *tree.Event) bool {
			for _, f := range fields {
				if _, ok := ev.Get(f); !ok {
					return false
				}
			}
			return true
		}, err
	case "range":
		return compileRange(args)
	}
	if compile, ok := conditions[kind]; ok {
		return compile(args)
	}
	return nil, fmt.Errorf("condition is not supported")
}

func compileList(args any) ([]condition, error) {
	items, ok := args.([]any)
	if !ok {
		return nil, fmt.Errorf("want a list of conditions")
	}
	var out []condition
	for _, item := range items {
		m, ok := item.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("want a list of conditions")
		}
		c, err := compileCondition(m)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// constantRoots are fields that are the same for all lines of a file.
var constantRoots = [...]string{"tags", "fields", "host", "agent", "ecs", "input", "service", "container", "kubernetes", "labels"}

// constantCondition reports whether a condition asks only for fields that are constant for a file.
func constantCondition(m map[string]any) bool {
	for kind, args := range m {
		var fields []string
		switch args := args.(type) {
		case []any:
			for _, item := range args {
				if sub, ok := item.(map[string]any); ok && !constantCondition(sub) {
					return false
				} else if name, ok := item.(string); ok {
					fields = append(fields, name)
				}
			}
		case string:
			fields = append(fields, args)
		case map[string]any:
			if kind == "not" {
				if !constantCondition(args) {
					return false
				}
				continue
			}
			flat := map[string]any{}
			tree.Flatten(flat, "", args)
			for name := range flat {
				fields = append(fields, name)
			}
		}
		for _, name := range fields {
			root, _, _ := strings.Cut(name, ".")
			if !slices.Contains(constantRoots[:], root) && !strings.HasPrefix(name, "log.file.path") {
				return false
			}
		}
	}
	return true
}

// perField makes a condition of {field: argument, ...}; fields may also be nested maps.
func perField(compile func(arg any) (func(v any) bool, error)) func(any) (condition, error) {
	return func(args any) (condition, error) {
		m, ok := args.(map[string]any)
		if !ok || len(m) == 0 {
			return nil, fmt.Errorf("want fields")
		}
		flat := map[string]any{}
		tree.Flatten(flat, "", m)
		var all []condition
		for field, arg := range flat {
			test, err := compile(arg)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", field, err)
			}
			all = append(all, func(ev *tree.Event) bool {
				v, ok := ev.Get(field)
				return ok && test(v)
			})
		}
		return allOf(all), nil
	}
}

func compileEquals(arg any) (func(any) bool, error) {
	switch arg := arg.(type) {
	case string:
		return func(v any) bool { s, ok := v.(string); return ok && s == arg }, nil
	case bool:
		return func(v any) bool { b, ok := v.(bool); return ok && b == arg }, nil
	}
	want, ok := number(arg)
	if !ok {
		return nil, fmt.Errorf("%v is no text, number or boolean", arg)
	}
	return func(v any) bool {
		if _, isText := v.(string); isText {
			return false
		}
		n, ok := number(v)
		return ok && n == want
	}, nil
}

func compileContains(arg any) (func(any) bool, error) {
	s, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no text", arg)
	}
	return func(v any) bool {
		switch v := v.(type) {
		case string:
			return strings.Contains(v, s)
		case []any:
			for _, item := range v {
				if item == any(s) {
					return true
				}
			}
		}
		return false
	}, nil
}

func compileRegexp(arg any) (func(any) bool, error) {
	s, ok := arg.(string)
	if !ok {
		return nil, fmt.Errorf("%v is no text", arg)
	}
	re, err := regexp.Compile(s)
	if err != nil {
		return nil, err
	}
	return func(v any) bool {
		switch v := v.(type) {
		case string:
			return re.MatchString(v)
		case []any:
			for _, item := range v {
				if s, ok := item.(string); ok && re.MatchString(s) {
					return true
				}
			}
		}
		return false
	}, nil
}

// number is the value of a number or of a text that is one.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number:
		f, err := v.Float64()
		return f, err == nil
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}

// compileRange is {field: {gte: 400, lt: 500}} or {field.gte: 400}.
func compileRange(args any) (condition, error) {
	m, ok := args.(map[string]any)
	if !ok || len(m) == 0 {
		return nil, fmt.Errorf("want fields with gt, gte, lt, lte")
	}
	flat := map[string]any{}
	tree.Flatten(flat, "", m)
	var all []condition
	for key, arg := range flat {
		i := strings.LastIndexByte(key, '.')
		bound, ok := number(arg)
		if i < 0 || !ok {
			return nil, fmt.Errorf("%s: want a number under gt, gte, lt or lte", key)
		}
		field, test := key[:i], compares[key[i+1:]]
		if test == nil {
			return nil, fmt.Errorf("%s: want gt, gte, lt or lte", key)
		}
		all = append(all, func(ev *tree.Event) bool {
			v, ok := ev.Get(field)
			if !ok {
				return false
			}
			n, ok := number(v)
			return ok && test(n, bound)
		})
	}
	return allOf(all), nil
}

var compares = map[string]func(a, b float64) bool{
	"gt":  func(a, b float64) bool { return a > b },
	"gte": func(a, b float64) bool { return a >= b },
	"lt":  func(a, b float64) bool { return a < b },
	"lte": func(a, b float64) bool { return a <= b },
}

// networks are the named ranges of the condition network.
var networks = map[string]func(netip.Addr) bool{
	"loopback":                  netip.Addr.IsLoopback,
	"unicast":                   func(a netip.Addr) bool { return a.IsGlobalUnicast() },
	"global_unicast":            netip.Addr.IsGlobalUnicast,
	"multicast":                 netip.Addr.IsMulticast,
	"interface_local_multicast": netip.Addr.IsInterfaceLocalMulticast,
	"link_local_unicast":        netip.Addr.IsLinkLocalUnicast,
	"link_local_multicast":      netip.Addr.IsLinkLocalMulticast,
	"private":                   netip.Addr.IsPrivate,
	"public": func(a netip.Addr) bool {
		return !a.IsLoopback() && !a.IsPrivate() && !a.IsLinkLocalUnicast() && !a.IsMulticast() && !a.IsUnspecified()
	},
	"unspecified": netip.Addr.IsUnspecified,
}

// compileNetwork is a range by name or CIDR, or a list of which any may hold the address.
func compileNetwork(arg any) (func(any) bool, error) {
	names, err := textList("network", arg)
	if err != nil {
		return nil, err
	}
	var tests []func(netip.Addr) bool
	for _, n := range names {
		if test := networks[n]; test != nil {
			tests = append(tests, test)
			continue
		}
		p, err := netip.ParsePrefix(n)
		if err != nil {
			return nil, fmt.Errorf("%q is neither a named range nor a CIDR: %w", n, err)
		}
		tests = append(tests, p.Contains)
	}
	return func(v any) bool {
		s, _ := v.(string)
		a, err := netip.ParseAddr(s)
		return err == nil && slices.ContainsFunc(tests, func(test func(netip.Addr) bool) bool { return test(a) })
	}, nil
}
