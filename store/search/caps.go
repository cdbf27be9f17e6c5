package search

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// CapsRequest is a _field_caps request.
type CapsRequest struct {
	Fields          []string // patterns; empty is "*"
	Types           []string // families of types, empty: all
	IncludeUnmapped bool
	NoMetadata      bool // filters=-metadata
	Filter          query.Query
	Now             time.Time
}

// capability is a field as one type in some indices.
type capability struct {
	metadata, searchable, aggregatable bool
	indices, notSearchable, notAgg     []string
}

// FieldCaps prints what fields can be searched and aggregated, by name and type.
func FieldCaps(ctx context.Context, indices []Index, req CapsRequest) ([]byte, error) {
	if len(req.Fields) == 0 {
		req.Fields = []string{"*"}
	}
	fields := map[string]map[string]*capability{}
	var names []string
	for i := range indices {
		ix := &indices[i]
		if ok, err := hasMatch(ctx, ix, req); err != nil {
			return nil, err
		} else if !ok {
			continue
		}
		names = append(names, ix.Name)
		eachCap(ix, req, func(name, typ string, c capability) {
			if fields[name] == nil {
				fields[name] = map[string]*capability{}
			}
			have := fields[name][typ]
			if have == nil {
				have = &capability{metadata: c.metadata}
				fields[name][typ] = have
			}
			have.indices = append(have.indices, ix.Name)
			if have.searchable = have.searchable || c.searchable; !c.searchable {
				have.notSearchable = append(have.notSearchable, ix.Name)
			}
			if have.aggregatable = have.aggregatable || c.aggregatable; !c.aggregatable {
				have.notAgg = append(have.notAgg, ix.Name)
			}
		})
	}
	return capsJSON(names, fields, req.IncludeUnmapped), nil
}

// hasMatch tells whether a document of the index matches index_filter.
func hasMatch(ctx context.Context, ix *Index, req CapsRequest) (bool, error) {
	if req.Filter == nil {
		return true, nil
	}
	r := query.NewRequest()
	r.Query, r.Size, r.TrackTotal = req.Filter, 0, 1
	res, err := Run(ctx, []Index{*ix}, r, Options{Now: req.Now, Workers: 1})
	return err == nil && res.Total > 0, err
}

// metadataFields are those every document has by itself.
var metadataFields = []struct {
	name         string
	searchable   bool
	aggregatable bool
}{{"_id", true, false}, {"_ignored", true, true}, {"_index", true, true}, {"_routing", true, false}, {"_seq_no", true, true},
	{"_source", false, false}, {"_version", false, true}}

func eachCap(ix *Index, req CapsRequest, f func(name, typ string, c capability)) {
	wanted := func(name, typ string) bool {
		return slices.ContainsFunc(req.Fields, func(p string) bool { return query.Glob(p, name) }) &&
			(len(req.Types) == 0 || slices.Contains(req.Types, typ))
	}
	if !req.NoMetadata {
		for _, m := range metadataFields {
			if wanted(m.name, m.name) {
				f(m.name, m.name, capability{metadata: true, searchable: m.searchable, aggregatable: m.aggregatable})
			}
		}
	}
	ix.Mapping.Each(func(declared *mapping.Field) {
		fd := ix.Mapping.Field(declared.Path)
		if fd == nil || !wanted(declared.Path, fd.TypeName) {
			return
		}
		c := capability{searchable: fd.Index && fd.ColumnKind() != mapping.NoColumn}
		c.aggregatable = fd.DocValues && !fd.Type.IsText() && fd.ColumnKind() != mapping.NoColumn
		f(declared.Path, capsType(fd), c)
	})
	ix.Mapping.Objects(func(n *mapping.Node) {
		typ := "object"
		if n.Nested {
			typ = "nested"
		}
		if wanted(n.Path, typ) {
			f(n.Path, typ, capability{})
		}
	})
}

// capsType is the family that a type is listed under.
func capsType(f *mapping.Field) string {
	switch f.Type {
	case mapping.ConstantKeyword, mapping.Wildcard:
		return "keyword"
	case mapping.MatchOnlyText:
		return "text"
	}
	return f.TypeName
}

func capsJSON(indices []string, fields map[string]map[string]*capability, unmapped bool) []byte {
	dst := appendStrings([]byte(`{"indices":`), indices)
	dst = append(dst, `,"fields":{`...)
	first := true
	for _, name := range sortedKeys(fields) {
		types := fields[name]
		if unmapped {
			addUnmapped(types, indices)
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(query.AppendString(dst, name), ":{"...)
		for i, typ := range sortedKeys(types) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(query.AppendString(dst, typ), ':')
			dst = types[typ].appendJSON(dst, typ, len(types) > 1)
		}
		dst = append(dst, '}')
	}
	return append(dst, "}}"...)
}

// addUnmapped lists the indices that do not have a field.
func addUnmapped(types map[string]*capability, indices []string) {
	var without []string
	for _, ix := range indices {
		has := false
		for _, c := range types {
			has = has || slices.Contains(c.indices, ix)
		}
		if !has {
			without = append(without, ix)
		}
	}
	if len(without) > 0 {
		types["unmapped"] = &capability{indices: without}
	}
}

func (c *capability) appendJSON(dst []byte, typ string, several bool) []byte {
	dst = query.AppendString(append(dst, `{"type":`...), typ)
	for _, b := range []struct {
		key string
		on  bool
	}{{`,"metadata_field":`, c.metadata}, {`,"searchable":`, c.searchable}, {`,"aggregatable":`, c.aggregatable}} {
		dst = strconv.AppendBool(append(dst, b.key...), b.on)
	}
	if several {
		dst = appendStrings(append(dst, `,"indices":`...), c.indices)
	}
	if c.searchable && len(c.notSearchable) > 0 {
		dst = appendStrings(append(dst, `,"non_searchable_indices":`...), c.notSearchable)
	}
	if c.aggregatable && len(c.notAgg) > 0 {
		dst = appendStrings(append(dst, `,"non_aggregatable_indices":`...), c.notAgg)
	}
	return append(dst, '}')
}

func appendStrings(dst []byte, list []string) []byte {
	dst = append(dst, '[')
	for i, s := range list {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = query.AppendString(dst, s)
	}
	return append(dst, ']')
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
