package query

// Highlight asks for the places where the query matched.
type Highlight struct {
	Fields     []HighlightField
	Query      Query // nil: the search's own
	Pre, Post  string
	Fragment   int // characters
	Number     int // fragments; 0: the whole text
	NoMatch    int // characters given when nothing matches
	ByScore    bool
	HTML       bool // escape the text
	FieldMatch bool // only what a clause on the same field matched
}

// HighlightField is a field, or a pattern, with its own settings.
type HighlightField struct {
	Name string
	Highlight
}

func parseHighlight(v *Node) (*Highlight, error) {
	h := &Highlight{Pre: "<em>", Post: "</em>", Fragment: 100, Number: 5, FieldMatch: true}
	if v.Kind != Object {
		return nil, v.Errorf("[highlight] must be an object")
	}
	for i, k := range v.Keys {
		if k.Name == "fields" {
			continue
		}
		if err := h.set(v, i); err != nil {
			return nil, err
		}
	}
	fields := v.Get("fields")
	if fields == nil {
		return h, nil
	}
	list := []*Node{fields}
	if fields.Kind == Array {
		list = fields.Vals
	}
	for _, e := range list {
		for i, k := range e.Keys {
			f := HighlightField{Name: k.Name, Highlight: *h}
			for j := range e.Vals[i].Keys {
				if err := f.set(e.Vals[i], j); err != nil {
					return nil, err
				}
			}
			h.Fields = append(h.Fields, f)
		}
	}
	return h, nil
}

func (h *Highlight) set(n *Node, i int) (err error) {
	v := n.Vals[i]
	switch key := n.Keys[i].Name; key {
	case "pre_tags", "post_tags":
		var tags []string
		if tags, err = stringList(key, v); err != nil || len(tags) == 0 {
			return err
		}
		if key == "pre_tags" {
			h.Pre = tags[0]
		} else {
			h.Post = tags[0]
		}
	case "fragment_size":
		h.Fragment, err = intOf(key, v)
	case "number_of_fragments":
		h.Number, err = intOf(key, v)
	case "no_match_size":
		h.NoMatch, err = intOf(key, v)
	case "order":
		h.ByScore = v.Str == "score"
	case "encoder":
		h.HTML = v.Str == "html"
	case "tags_schema":
		if v.Str == "styled" {
			h.Pre, h.Post = `<em class="hlt1">`, "</em>"
		}
	case "require_field_match":
		h.FieldMatch, err = boolOf(key, v)
	case "highlight_query":
		h.Query, err = Parse(v)
	case "type", "fragmenter", "boundary_scanner", "boundary_chars", "boundary_max_scan", "boundary_scanner_locale", "phrase_limit",
		"force_source", "fragment_offset", "max_analyzed_offset", "matched_fields", "options":
	default:
		err = n.KeyErrorf(i, "[highlight] unknown field [%s]", key)
	}
	return err
}
