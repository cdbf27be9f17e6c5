package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Filter is one pill, in whichever of its three forms it came: the page's own (field, op, value), the API's (condition, dsl, group) or
// that of saved objects (meta, query).
type Filter struct {
	Clause   any // Query DSL
	Negated  bool
	Disabled bool
}

type anyFilter struct {
	Field    string          `json:"field"`
	Op       string          `json:"op"`
	Value    json.RawMessage `json:"value"`
	Disabled bool            `json:"disabled"`
	Negate   bool            `json:"negate"`

	Condition *condition      `json:"condition"`
	DSL       json.RawMessage `json:"dsl"`
	Group     *struct {
		Operator   string            `json:"operator"`
		Conditions []json.RawMessage `json:"conditions"`
	} `json:"group"`

	Meta *struct {
		Negate   bool   `json:"negate"`
		Disabled bool   `json:"disabled"`
		Key      string `json:"key"`
		Type     string `json:"type"`
	} `json:"meta"`
	Query  json.RawMessage `json:"query"`
	Exists json.RawMessage `json:"exists"`
	Range  json.RawMessage `json:"range"`
	State  json.RawMessage `json:"$state"`
}

type condition struct {
	Field    string          `json:"field"`
	Operator string          `json:"operator"`
	Value    json.RawMessage `json:"value"`
	Negate   bool            `json:"negate"`
}

// maxFilters bounds the pills of one panel or dashboard.
const maxFilters = 64

// ParseFilters reads a list of filters; nothing is an empty list.
func ParseFilters(raw []byte) ([]Filter, error) {
	if len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, unsupported("filters cannot be read: %v", err)
	}
	if len(list) > maxFilters {
		return nil, unsupported("%d filters, at most %d", len(list), maxFilters)
	}
	var out []Filter
	for _, r := range list {
		f, err := parseFilter(r, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func parseFilter(raw []byte, depth int) (Filter, error) {
	var a anyFilter
	if err := json.Unmarshal(raw, &a); err != nil || depth > 4 {
		return Filter{}, unsupported("a filter cannot be read: %s", clip(raw))
	}
	f := Filter{Disabled: a.Disabled, Negated: a.Negate}
	switch {
	case a.Meta != nil:
		f.Negated, f.Disabled = a.Meta.Negate, a.Meta.Disabled
		return f, a.saved(&f, raw)
	case a.Condition != nil:
		f.Negated = f.Negated != a.Condition.Negate
		a.Field, a.Op, a.Value = a.Condition.Field, a.Condition.Operator, a.Condition.Value
	case len(a.DSL) > 0:
		f.Clause = a.DSL
		return f, nil
	case a.Group != nil:
		return f, a.group(&f, depth)
	}
	return f, pill(&f, a.Field, a.Op, a.Value)
}

// saved is the clause of a filter of a saved object: its query, or one of the older forms beside it.
func (a anyFilter) saved(f *Filter, raw []byte) error {
	switch {
	case len(a.Query) > 0 && string(a.Query) != "null":
		f.Clause = a.Query
	case len(a.Exists) > 0:
		f.Clause = map[string]any{"exists": a.Exists}
	case len(a.Range) > 0:
		f.Clause = map[string]any{"range": a.Range}
	default:
		return unsupported("a filter cannot be read: %s", clip(raw))
	}
	return nil
}

func (a anyFilter) group(f *Filter, depth int) error {
	var clauses []any
	for _, c := range a.Group.Conditions {
		sub, err := parseFilter(c, depth+1)
		if err != nil {
			return err
		}
		if sub.Clause == nil { // a bare condition
			var one condition
			if json.Unmarshal(c, &one) != nil {
				return unsupported("a filter cannot be read: %s", clip(c))
			}
			if err := pill(&sub, one.Field, one.Operator, one.Value); err != nil {
				return err
			}
		}
		if sub.Negated {
			sub.Clause = map[string]any{"bool": map[string]any{"must_not": []any{sub.Clause}}}
		}
		clauses = append(clauses, sub.Clause)
	}
	kind := "filter"
	if a.Group.Operator == "or" || a.Group.Operator == "OR" {
		kind = "should"
	}
	f.Clause = map[string]any{"bool": map[string]any{kind: clauses}}
	return nil
}

// pill is field, operator, value as a clause.
func pill(f *Filter, field, op string, value json.RawMessage) error {
	if field == "" {
		return unsupported("a filter without a field")
	}
	switch op {
	case "exists":
		f.Clause = map[string]any{"exists": map[string]any{"field": field}}
	case "not_exists":
		f.Clause = map[string]any{"exists": map[string]any{"field": field}}
		f.Negated = !f.Negated
	case "range", "between":
		f.Clause = map[string]any{"range": map[string]any{field: value}}
	case "is_one_of", "one_of":
		var values []json.RawMessage
		if json.Unmarshal(value, &values) != nil {
			return unsupported("the filter on %s wants a list of values", field)
		}
		f.Clause = oneOf(field, values)
	case "is_not":
		f.Clause = map[string]any{"match_phrase": map[string]any{field: value}}
		f.Negated = !f.Negated
	case "is", "":
		f.Clause = map[string]any{"match_phrase": map[string]any{field: value}}
	default:
		return unsupported("the filter operator %q on %s", op, field)
	}
	return nil
}

func oneOf(field string, values []json.RawMessage) any {
	var any1 []any
	for _, v := range values {
		any1 = append(any1, map[string]any{"match_phrase": map[string]any{field: v}})
	}
	return map[string]any{"bool": map[string]any{"should": any1, "minimum_should_match": 1}}
}

func clip(b []byte) string {
	if len(b) > 120 {
		return fmt.Sprintf("%s…", b[:120])
	}
	return string(b)
}
