package query

import (
	"slices"
	"strings"

	"github.com/weirlog/weir/store/mapping"
)

// maxSuggestions bounds the items of a completion.
const maxSuggestions = 50

// KQLComplete tells what may stand at the cursor. Offsets count UTF-16 units. Values are for the caller to look up: Field is the field
// and Prefix what was typed of one.
type KQLComplete struct {
	Kinds  []string  `json:"kinds"` // of field, operator, value, conjunction
	From   int       `json:"from"`  // what a completion replaces
	To     int       `json:"to"`
	Items  []KQLItem `json:"items"`
	Prefix string    `json:"prefix"` // the part of it before the cursor, without quotes
	Field  string    `json:"field"`  // whose values are asked for
	Path   string    `json:"-"`      // of the nested query around, with a dot, or ""
}

// KQLItem is one suggestion: Text replaces the completion's range.
type KQLItem struct {
	Text   string `json:"text"`
	Kind   string `json:"kind"`
	Detail string `json:"detail,omitempty"` // a field's type, a value's count
}

// suggest fills in fields, operators and conjunctions.
func (c *KQLComplete) suggest(o *KQLOptions) {
	c.Items = []KQLItem{}
	for _, kind := range c.Kinds {
		switch kind {
		case "field":
			c.suggestFields(o)
		case "operator":
			if o.Mapping != nil && o.Mapping.Field(c.Path+c.Prefix) != nil || slices.Contains(o.Names, c.Path+c.Prefix) {
				for _, op := range []string{":", ">", ">=", "<", "<=", ":*"} {
					c.Items = append(c.Items, KQLItem{Text: c.Prefix + op, Kind: kind})
				}
			}
		case "conjunction":
			for _, word := range []string{"and", "or"} {
				if strings.HasPrefix(word, strings.ToLower(c.Prefix)) {
					c.Items = append(c.Items, KQLItem{Text: word, Kind: kind})
				}
			}
		}
	}
}

func (c *KQLComplete) suggestFields(o *KQLOptions) {
	names := o.Names
	if names == nil && o.Mapping != nil {
		o.Mapping.Each(func(f *mapping.Field) {
			if f.ColumnKind() != mapping.NoColumn {
				names = append(names, f.Path)
			}
		})
	}
	for _, name := range CompleteFields(names, c.Path+c.Prefix, maxSuggestions) {
		item := KQLItem{Text: strings.TrimPrefix(name, c.Path), Kind: "field"}
		if o.Mapping != nil {
			if f := o.Mapping.Field(name); f != nil {
				item.Detail = f.TypeName
			}
		}
		c.Items = append(c.Items, item)
	}
}

// completeKQL looks at the text before the cursor: what stands last decides what may come.
func completeKQL(text string, cursor int) *KQLComplete {
	before := text[:cursor]
	s := &kqlState{text: before}
	s.scan()
	c := &KQLComplete{From: s.word, To: cursor, Prefix: strings.Trim(before[s.word:], `"`), Field: s.field, Path: strings.Join(s.paths, "")}
	for c.To < len(text) && strings.IndexByte(" \t\r\n():<>{}\"", text[c.To]) < 0 {
		c.To++
	}
	switch {
	case s.closed:
		c.Kinds, c.Field = []string{"conjunction"}, ""
		c.From, c.Prefix = cursor, ""
		if s.tail != cursor {
			c.From, c.Prefix = s.tail, before[s.tail:]
		}
	case s.field != "" && s.lists > 0:
		c.Kinds = []string{"value"}
	case s.field != "":
		c.Kinds = []string{"value", "conjunction"}
	default:
		c.Kinds = []string{"field", "operator", "conjunction"}
	}
	return c
}

// kqlState follows a text that need not be complete.
type kqlState struct {
	text   string
	i      int
	word   int    // where the word at the end begins
	field  string // of the value at the end, "" outside values
	lists  int    // open parentheses of the value
	closed bool   // a group or quoted value is complete
	tail   int    // where what follows it begins
	paths  []string
	groups []byte // open ( and {; l is the list of a field
}

func (s *kqlState) scan() {
	for s.i < len(s.text) {
		c := s.text[s.i]
		switch {
		case kqlSpace(s.text, s.i) > 0:
			s.blank()
			continue
		case c == '\\':
			s.i++
		case c == '"':
			s.quote()
			continue
		case c == ':' || c == '<' || c == '>':
			s.operator()
			continue
		case c == '(' || c == '{':
			s.open(c)
		case c == ')' || c == '}':
			s.close()
		}
		s.i++
	}
	s.i = min(s.i, len(s.text))
	s.word = min(s.word, s.i)
}

// blank ends a word; a keyword ends the value.
func (s *kqlState) blank() {
	w := strings.ToLower(s.text[s.word:s.i])
	s.i = skipSpace(s.text, s.i)
	if w == "and" || w == "or" || w == "not" {
		s.closed = false
		if s.lists == 0 {
			s.field = ""
		}
	}
	s.word = s.i
	if !s.closed {
		s.tail = s.i
	} else if s.tail < s.i && strings.TrimSpace(s.text[s.tail:s.i]) == "" {
		s.tail = s.i
	}
}

func (s *kqlState) quote() {
	start := s.i
	for s.i++; s.i < len(s.text); s.i++ {
		if s.text[s.i] == '\\' {
			s.i++
			continue
		}
		if s.text[s.i] == '"' {
			s.i++
			if s.i < len(s.text) && s.text[s.i] == ':' {
				s.word = start
				return
			}
			s.closed, s.tail = s.lists == 0, s.i
			s.word = start
			return
		}
	}
	s.i, s.word = len(s.text), start
}

// operator makes the word before it a field.
func (s *kqlState) operator() {
	name := strings.Trim(strings.TrimSpace(s.text[s.word:s.i]), `"`)
	if name == "" { // blanks before the colon: the word before them
		head := strings.TrimRight(s.text[:s.i], " \t\r\n:<>=")
		name = strings.Trim(head[strings.LastIndexAny(head, " \t\r\n({")+1:], `"`)
	}
	if s.field == "" || s.lists == 0 && kqlSpace(s.text, s.word-1) > 0 {
		s.field = strings.Join(s.paths, "") + name
	}
	s.closed = false
	for s.i < len(s.text) && strings.IndexByte(":<>=", s.text[s.i]) >= 0 {
		s.i++
	}
	s.i = skipSpace(s.text, s.i)
	s.word = s.i
}

func (s *kqlState) open(c byte) {
	switch {
	case c == '{':
		s.paths = append(s.paths, strings.TrimPrefix(s.field, strings.Join(s.paths, ""))+".")
		s.field = ""
		s.groups = append(s.groups, '{')
	case s.field != "":
		s.lists++
		s.groups = append(s.groups, 'l')
	default:
		s.groups = append(s.groups, '(')
	}
	s.word = s.i + 1
	s.closed = false
}

func (s *kqlState) close() {
	if n := len(s.groups); n > 0 {
		switch s.groups[n-1] {
		case '{':
			s.paths = s.paths[:len(s.paths)-1]
		case 'l':
			s.lists--
		}
		s.groups = s.groups[:n-1]
	}
	s.field, s.closed = "", s.lists == 0
	s.word, s.tail = s.i+1, s.i+1
}

// CompleteFields ranks field names for what was typed: those that start with it, then those that hold all its parts ("geo dest").
func CompleteFields(names []string, typed string, max int) []string {
	typed = strings.ToLower(typed)
	parts := strings.FieldsFunc(typed, func(r rune) bool { return r == ' ' || r == '.' || r == '_' })
	type ranked struct {
		name string
		rank int
	}
	var out []ranked
	for _, n := range names {
		low := strings.ToLower(n)
		rank := 0
		switch {
		case strings.HasPrefix(low, typed):
		case strings.Contains(low, "."+typed):
			rank = 1
		case len(parts) > 0 && !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(low, p) }):
			rank = 2
		default:
			continue
		}
		out = append(out, ranked{n, rank})
	}
	slices.SortStableFunc(out, func(a, b ranked) int {
		if a.rank != b.rank {
			return a.rank - b.rank
		}
		return strings.Compare(a.name, b.name)
	})
	list := make([]string, 0, min(max, len(out)))
	for _, r := range out[:min(max, len(out))] {
		list = append(list, r.name)
	}
	return list
}

// QuoteKQL is a value as it is written in KQL: in quotes where it holds blanks or special characters.
func QuoteKQL(value string) string {
	low := strings.ToLower(value)
	if value != "" && !strings.ContainsAny(value, " \t\r\n\u00a0\\():<>\"*{}") && low != "and" && low != "or" && low != "not" &&
		low != "null" && low != "true" && low != "false" {
		return value
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}
