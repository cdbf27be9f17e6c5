package search

import (
	"encoding/binary"
	"slices"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// maxGroups bounds the distinct values a search is collapsed by.
const maxGroups = 200_000

// planCollapse fits the collapse field to an index; nil when the request has none.
func planCollapse(field string, ix *Index) (*sortPlan, error) {
	if field == "" {
		return nil, nil
	}
	p := &sortPlan{SortKey: query.SortKey{Field: field}, field: ix.Mapping.Field(field), kind: kindBytes}
	if p.field == nil {
		return p, nil
	}
	switch p.field.ColumnKind() {
	case mapping.Numbers:
		p.kind = kindNumber
	case mapping.Values:
	default:
		return nil, query.Badf("unknown type for collapse field `%s`, only keywords and numbers are accepted", field)
	}
	return p, nil
}

// groups keeps the best hit of each value.
type groups struct {
	ranking *ranking
	best    map[string]hit
}

func newGroups(r *ranking) *groups { return &groups{r, map[string]hit{}} }

// offer takes a hit when it is the best of its group; keys and group are copied then.
func (g *groups) offer(h hit, group key) error {
	id := groupID(group)
	have, ok := g.best[id]
	switch {
	case ok && g.ranking.compare(&h, &have) >= 0:
		return nil
	case !ok && len(g.best) >= maxGroups:
		return query.Badf("[collapse] finds more than %d values", maxGroups)
	}
	h.keys = slices.Clone(h.keys)
	h.group = &key{num: group.num, bytes: slices.Clone(group.bytes), missing: group.missing}
	g.best[id] = h
	return nil
}

func groupID(k key) string {
	switch {
	case k.missing:
		return ""
	case k.bytes != nil:
		return "b" + string(k.bytes)
	}
	return "n" + string(binary.LittleEndian.AppendUint64(nil, uint64(k.num)))
}

// merge adds the groups of another worker.
func (g *groups) merge(o *groups) error {
	for _, h := range o.best {
		if err := g.offer(h, *h.group); err != nil {
			return err
		}
	}
	return nil
}

// collapsedField puts the collapse value into a hit's fields.
func (r *run) collapsedField(h *hit, index int, out *Hit) {
	p := r.plans[index].collapse
	field := query.AppendString([]byte{'{'}, p.Field)
	field = append(field, ":["...)
	if h.group.missing {
		field = append(field, "null"...)
	} else {
		field = p.appendKey(field, h.group)
	}
	field = append(field, ']')
	if len(out.Fields) > 2 {
		out.Fields = append(append(field, ','), out.Fields[1:]...)
		return
	}
	out.Fields = append(field, '}')
}
