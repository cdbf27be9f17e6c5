package agg

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// categorizeText is categorize_text: messages that differ only in their variable parts are one bucket. A message is the sequence of its
// words without digits; sequences of one length that agree in enough places are one category, whose key is the words all of it have.
type categorizeText struct {
	field      string
	size       int
	minCount   int64
	similarity float64 // share of equal words, 0 to 1
	filters    []*regexp.Regexp
}

// Bounds of categories.
const (
	maxCategories     = 5000 // of one source; further messages join the nearest, whatever it is
	maxCategoryTokens = 100  // of a message; what follows is not looked at
)

func parseCategorizeText(d *decoder, a *Agg, n *query.Node) (spec, error) {
	s := &categorizeText{size: 10, minCount: 1, similarity: 0.7}
	err := members(a, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "field":
			s.field = v.Str
		case "size":
			if s.size, ok = v.Int(); !ok || s.size <= 0 {
				return true, query.Badf("[size] must be greater than 0. Found [%s] in [%s]", v.Str, a.name)
			}
		case "min_doc_count":
			c, ok := v.Int()
			if !ok || c < 0 {
				return true, query.Badf("[min_doc_count] must be greater than or equal to 0. Found [%s] in [%s]", v.Str, a.name)
			}
			s.minCount = int64(c)
		case "similarity_threshold":
			c, ok := v.Int()
			if !ok || c < 1 || c > 100 {
				return true, query.Badf("[similarity_threshold] must be in the range [1, 100]. Found [%s] in [%s]", v.Str, a.name)
			}
			s.similarity = float64(c) / 100
		case "categorization_filters":
			for _, e := range v.Vals {
				re, err := regexp.Compile(e.Str)
				if err != nil {
					return true, query.Badf("[categorization_filters] [%s]: %s", e.Str, err)
				}
				s.filters = append(s.filters, re)
			}
		case "shard_size", "shard_min_doc_count", "max_unique_tokens", "max_matched_tokens":
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && s.field == "" {
		err = n.Errorf("Required [field]")
	}
	return s, err
}

func (s *categorizeText) bind(c *planner) (binder, error) {
	f := c.Mapping.Field(s.field)
	if f != nil && !f.Type.IsText() && f.Type != mapping.Keyword && f.Type != mapping.Wildcard {
		return nil, query.Badf("categorize_text agg [%s] field [%s] is of type [%s], it must be text or keyword", c.agg.name, s.field, f.TypeName)
	}
	return &categorizeBinder{f, s}, nil
}

type categorizeBinder struct {
	f    *mapping.Field
	spec *categorizeText
}

func (b *categorizeBinder) open(o *opener) collector {
	c := &categorizeCollector{tree: newTree(o), cats: newCategories(b.spec)}
	if b.f == nil {
		return c
	}
	if c.text, _ = o.src.Field(b.f.Column()).(query.Text); c.text == nil {
		c.values = (&bound{source: &source{field: b.spec.field}, f: b.f}).open(o.src)
	}
	return c
}

type categorizeCollector struct {
	*tree
	cats   *categories
	text   query.Text
	values *reader // of a keyword
}

func (c *categorizeCollector) collect(b *batch) error {
	c.begin(b.zone)
	if c.values != nil {
		c.values.load(b.zone)
	}
	for i, row := range b.rows {
		cat := -1
		take := func(v []byte) {
			if cat < 0 {
				cat = c.cats.of(v)
			}
		}
		switch {
		case c.text != nil:
			c.text.Each(b.zone*query.ZoneRows+int(row), take)
		case c.values != nil:
			c.values.bytes(row, take)
		}
		if cat >= 0 {
			c.add(row, c.bucket(b.bucket(i), int64(cat)))
		}
	}
	return c.end()
}

// categoryPart is the buckets of one source; keys are places in cats.
type categoryPart struct {
	list []bucketPart
	cats []category
}

func (c *categorizeCollector) finish(bucket int) partial {
	return &categoryPart{c.tree.finish(bucket, numberKey), c.cats.list}
}

// category is the words its messages have in common; "" stands for a word that differs.
type category struct {
	words   []string
	longest int // bytes of its longest message
}

// categories groups messages.
type categories struct {
	spec   *categorizeText
	list   []category
	exact  map[string]int // by the words of a message
	bySize map[int][]int  // by number of words
	words  [][]byte
	key    []byte
}

func newCategories(spec *categorizeText) *categories {
	return &categories{spec: spec, exact: map[string]int{}, bySize: map[int][]int{}}
}

// of is the category of a message.
func (c *categories) of(text []byte) int {
	size := len(text)
	for _, f := range c.spec.filters {
		text = f.ReplaceAll(text, nil)
	}
	c.words, c.key = c.words[:0], c.key[:0]
	eachWord(text, func(w []byte) bool {
		c.words = append(c.words, w)
		c.key = append(append(c.key, w...), ' ')
		return len(c.words) < maxCategoryTokens
	})
	n, ok := c.exact[string(c.key)]
	if !ok {
		words := make([]string, len(c.words))
		for i, w := range c.words {
			words[i] = string(w)
		}
		n = c.join(category{words: words})
		if len(c.exact) < 16*maxCategories {
			c.exact[string(c.key)] = n
		}
	}
	c.list[n].longest = max(c.list[n].longest, size)
	return n
}

// join merges a category into the most alike one, or adds it.
func (c *categories) join(x category) int {
	best, score := -1, c.spec.similarity
	if len(c.list) >= maxCategories {
		score = -1
	}
	for _, n := range c.bySize[len(x.words)] {
		if s := alike(c.list[n].words, x.words); s >= score && (best < 0 || s > score) {
			best, score = n, s
		}
	}
	if best < 0 {
		n := len(c.list)
		c.list = append(c.list, x)
		c.bySize[len(x.words)] = append(c.bySize[len(x.words)], n)
		return n
	}
	to := &c.list[best]
	for i, w := range to.words {
		if w != x.words[i] {
			to.words[i] = ""
		}
	}
	to.longest = max(to.longest, x.longest)
	return best
}

// alike is the share of places with the same word.
func alike(a, b []string) float64 {
	if len(a) == 0 {
		return 1
	}
	same := 0
	for i := range a {
		if a[i] == b[i] && a[i] != "" {
			same++
		}
	}
	return float64(same) / float64(len(a))
}

// eachWord calls f for the words of a message that have a letter first and no digit, until it returns false.
func eachWord(text []byte, f func(w []byte) bool) {
	for i := 0; i < len(text); {
		if !wordPart(text[i]) {
			i++
			continue
		}
		start, digit := i, false
		for ; i < len(text) && wordPart(text[i]); i++ {
			digit = digit || text[i]-'0' <= 9
		}
		w := text[start:i]
		for len(w) > 0 && (w[len(w)-1] == '.' || w[len(w)-1] == '-') {
			w = w[:len(w)-1]
		}
		if len(w) == 0 || digit || w[0] == '.' || w[0] == '-' {
			continue
		}
		if !f(w) {
			return
		}
	}
}

func wordPart(c byte) bool {
	return c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c == '.' || c == '-' || c >= 0x80
}

func (s *categorizeText) reduce(r *reducer, a *Agg, parts []partial) (result, error) {
	all := newCategories(s)
	var lists [][]bucketPart
	for _, p := range parts {
		cp := p.(*categoryPart)
		for _, e := range cp.list {
			c := cp.cats[e.key.n]
			e.key.n = int64(all.join(category{slices.Clone(c.words), c.longest}))
			lists = append(lists, []bucketPart{e}) // a list each: keys may repeat
		}
	}
	found := mergeBuckets(lists...)
	slices.SortStableFunc(found, func(x, y *merged) int { return cmp.Compare(y.count, x.count) })
	out := &buckets{typ: "categorize_text"}
	for _, m := range found {
		if m.count < s.minCount || len(out.list) == s.size {
			continue
		}
		b, err := r.bucket(a, m)
		if err != nil {
			return nil, err
		}
		c := all.list[m.key.n]
		words := slices.DeleteFunc(slices.Clone(c.words), func(w string) bool { return w == "" })
		b.name = strings.Join(words, " ")
		b.json = query.AppendString([]byte(`"key":`), b.name)
		b.json = query.AppendString(append(b.json, `,"regex":`...), categoryRegexp(words))
		b.json = strconv.AppendInt(append(b.json, `,"max_matching_length":`...), int64(c.longest), 10)
		out.list = append(out.list, b)
	}
	return out, nil
}

// categoryRegexp matches the messages of a category.
func categoryRegexp(words []string) string {
	for i, w := range words {
		words[i] = regexp.QuoteMeta(w)
	}
	return ".*?" + strings.Join(words, ".+?") + ".*?"
}
