package query

import (
	"bytes"
	"slices"
	"sort"
	"strconv"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// Memory is a Source over a few documents kept as they came: one document of a live tail, or those of a test. It grows its mapping
// as an index does. Documents are added before the first search; then it is safe for concurrent use.
type Memory struct {
	mapping *mapping.Mapping
	limits  mapping.Limits
	scanner *mapping.Scanner
	docs    mapping.Docs
	text    map[string]*analysis.Analyzer // by name

	sources  [][]byte
	ids      []string
	numbers  map[string]*memNumbers
	ordinals map[string]*memOrdinals
	texts    map[string]*memText
	deleted  map[int]bool
	wanted   map[string]bool // columns that are built; nil: all
}

// NewMemory makes an empty source whose documents start with the mapping.
func NewMemory(m *mapping.Mapping, limits mapping.Limits) *Memory {
	return &Memory{mapping: m, limits: limits, scanner: mapping.NewScanner(m, limits), text: map[string]*analysis.Analyzer{},
		numbers: map[string]*memNumbers{}, ordinals: map[string]*memOrdinals{}, texts: map[string]*memText{}}
}

// Reset drops the documents and keeps the mapping.
func (s *Memory) Reset() {
	s.docs.Reset()
	s.sources, s.ids = s.sources[:0], s.ids[:0]
	for _, c := range s.numbers {
		c.reset()
	}
	for _, c := range s.ordinals {
		c.reset()
		clear(c.index)
		c.values, c.counts = c.values[:0], c.counts[:0]
	}
	for _, c := range s.texts {
		c.reset()
		clear(c.terms)
	}
	s.deleted = nil
}

// Mapping is the mapping with the fields of all documents so far.
func (s *Memory) Mapping() *mapping.Mapping { return s.mapping }

// Add appends a document; "" gives it its row number as _id. src is kept.
func (s *Memory) Add(src []byte, id string) error {
	at := len(s.docs.Docs)
	for final := false; ; {
		missing, err := s.scanner.Scan(src, id, final, &s.docs)
		if err != nil {
			return err
		}
		if len(missing) == 0 || final {
			break
		}
		m, beyond, err := s.mapping.Extend(missing, s.limits)
		if err != nil {
			return err
		}
		s.mapping, s.scanner = m, mapping.NewScanner(m, s.limits)
		final = len(beyond) > 0
	}
	if id == "" {
		id = strconv.Itoa(len(s.sources))
	}
	s.sources, s.ids = append(s.sources, src), append(s.ids, id)
	d := s.docs.Docs[at]
	for _, v := range s.docs.Values[d.Values[0]:d.Values[1]] {
		s.add(at, v)
	}
	if s.wants("_ignored") {
		for _, path := range s.docs.Ignored[d.Ignored[0]:d.Ignored[1]] {
			s.keyword("_ignored").add(at, []byte(path))
		}
	}
	if s.wants("_id") {
		s.keyword("_id").add(at, []byte(id))
	}
	return nil
}

// Delete marks a row.
func (s *Memory) Delete(row int) {
	if s.deleted == nil {
		s.deleted = map[int]bool{}
	}
	s.deleted[row] = true
}

func (s *Memory) wants(path string) bool { return s.wanted == nil || s.wanted[path] }

func (s *Memory) keyword(path string) *memOrdinals {
	c := s.ordinals[path]
	if c == nil {
		c = &memOrdinals{index: map[string]uint32{}}
		s.ordinals[path] = c
	}
	return c
}

func (s *Memory) add(row int, v mapping.Value) {
	f := v.Field
	switch f.Type.Kind() {
	case mapping.Numbers, mapping.Point:
		path := f.Path
		if f.Type == mapping.GeoPoint {
			path = f.Columns()[v.Column()]
		}
		if !s.wants(path) {
			return
		}
		c := s.numbers[path]
		if c == nil {
			c = &memNumbers{}
			s.numbers[path] = c
		}
		c.add(row, v.Num)
	case mapping.Values:
		path := f.Path
		if v.Column() == 1 {
			path += mapping.KeyedSuffix
		}
		if s.wants(path) {
			s.keyword(path).add(row, v.Bytes)
		}
	case mapping.Words:
		if !s.wants(f.Path) {
			return
		}
		c := s.texts[f.Path]
		if c == nil {
			c = &memText{analyzer: s.analyzer(f.Analyzer), terms: map[string][]int{}}
			s.texts[f.Path] = c
		}
		c.add(row, v.Bytes)
	}
}

func (s *Memory) analyzer(name string) *analysis.Analyzer {
	if s.text[name] == nil {
		a, ok := analysis.Lookup(name)
		if !ok {
			a = analysis.Standard()
		}
		s.text[name] = a
	}
	return s.text[name]
}

func (s *Memory) Rows() int    { return len(s.sources) }
func (s *Memory) Deleted() int { return len(s.deleted) }
func (s *Memory) Err() error   { return nil }

func (s *Memory) Live(zone int, sel *Selection) {
	for row := range s.deleted {
		if row/ZoneRows == zone {
			sel.Clear(row % ZoneRows)
		}
	}
	var all Selection
	fillZone(&all, len(s.sources)-zone*ZoneRows)
	sel.And(&all)
}

func (s *Memory) TimeRange() (lo, hi int64, ok bool) {
	c := s.numbers["@timestamp"]
	if c == nil || len(c.all) == 0 {
		return 0, 0, false
	}
	f := s.mapping.Field("@timestamp")
	lo, hi = slices.Min(c.all), slices.Max(c.all)
	return f.Nanos(lo), f.Nanos(hi), f.Type.IsDate()
}

func (s *Memory) Field(path string) Field {
	if c := s.numbers[path]; c != nil && len(c.all) > 0 {
		return c
	}
	if c := s.ordinals[path]; c != nil && len(c.all) > 0 {
		return c
	}
	if c := s.texts[path]; c != nil && len(c.all) > 0 {
		return c
	}
	return nil
}

func (s *Memory) Paths() []string {
	var out []string
	for p, c := range s.numbers {
		if len(c.all) > 0 {
			out = append(out, p)
		}
	}
	for p, c := range s.ordinals {
		if len(c.all) > 0 && p[0] != '_' {
			out = append(out, p)
		}
	}
	for p, c := range s.texts {
		if len(c.all) > 0 {
			out = append(out, p)
		}
	}
	sort.Strings(out)
	return out
}

func (s *Memory) AppendSource(dst []byte, row int) ([]byte, error) {
	return append(dst, s.sources[row]...), nil
}

func (s *Memory) ID(row int) string { return s.ids[row] }

// memRows are the values of a column: row r has at[r]..at[r+1].
type memRows[T any] struct {
	rows [][]T
	all  []T
}

func (c *memRows[T]) reset() { c.rows, c.all = c.rows[:0], c.all[:0] }

func (c *memRows[T]) add(row int, v T) {
	for n := len(c.rows); n <= row; n++ {
		if n < cap(c.rows) {
			c.rows = c.rows[:n+1]
			c.rows[n] = c.rows[n][:0]
			continue
		}
		c.rows = append(c.rows, nil)
	}
	c.rows[row] = append(c.rows[row], v)
	c.all = append(c.all, v)
}

func (c *memRows[T]) of(row int) []T {
	if row < len(c.rows) {
		return c.rows[row]
	}
	return nil
}

func (c *memRows[T]) Present(zone int, sel *Selection) {
	sel.Each(func(row int) {
		if len(c.of(zone*ZoneRows+row)) == 0 {
			sel.Clear(row)
		}
	})
}

// load gathers a zone; start is nil when every row has at most one value.
func (c *memRows[T]) load(zone int, v []T, start []uint32, has *Selection) ([]T, []uint32) {
	*has = Selection{}
	v, multi := v[:0], false
	for row := range ZoneRows {
		n := len(c.of(zone*ZoneRows + row))
		multi = multi || n > 1
		if n > 0 {
			has.Set(row)
		}
	}
	if !multi {
		var zero T
		for row := range ZoneRows {
			if x := c.of(zone*ZoneRows + row); len(x) > 0 {
				v = append(v, x[0])
			} else {
				v = append(v, zero)
			}
		}
		return v, nil
	}
	start = append(start[:0], 0)
	for row := range ZoneRows {
		v = append(v, c.of(zone*ZoneRows+row)...)
		start = append(start, uint32(len(v)))
	}
	return v, start
}

type memNumbers struct{ memRows[int64] }

func (c *memNumbers) Bounds(zone int) (lo, hi int64, ok bool) {
	for row := zone * ZoneRows; row < min(len(c.rows), (zone+1)*ZoneRows); row++ {
		for _, v := range c.rows[row] {
			if !ok {
				lo, hi, ok = v, v, true
			}
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi, ok
}

func (c *memNumbers) Load(zone int, dst *NumberVec) {
	dst.V, dst.Start = c.load(zone, dst.V, dst.Start, &dst.Has)
}

type memOrdinals struct {
	memRows[uint32]
	index  map[string]uint32
	values []string
	counts []int
}

func (c *memOrdinals) add(row int, value []byte) {
	ord, ok := c.index[string(value)]
	if !ok {
		ord = uint32(len(c.values))
		c.index[string(value)] = ord
		c.values = append(c.values, string(value))
		c.counts = append(c.counts, 0)
	}
	if !slices.Contains(c.of(row), ord) {
		c.counts[ord]++
	}
	c.memRows.add(row, ord)
}

func (c *memOrdinals) Len() int                { return len(c.values) }
func (c *memOrdinals) Value(ord uint32) []byte { return []byte(c.values[ord]) }
func (c *memOrdinals) Sorted() bool            { return false }
func (c *memOrdinals) Count(ord uint32) int    { return c.counts[ord] }

func (c *memOrdinals) Find(value []byte) (uint32, bool) {
	ord, ok := c.index[string(value)]
	return ord, ok
}

func (c *memOrdinals) Select(zone int, set *OrdSet, sel *Selection) {
	for row := zone * ZoneRows; row < min(len(c.rows), (zone+1)*ZoneRows); row++ {
		for _, ord := range c.rows[row] {
			if set.Has(ord) {
				sel.Set(row % ZoneRows)
			}
		}
	}
}

func (c *memOrdinals) Load(zone int, dst *OrdVec) {
	dst.V, dst.Start = c.load(zone, dst.V, dst.Start, &dst.Has)
}

type memText struct {
	memRows[[]byte]
	analyzer *analysis.Analyzer
	terms    map[string][]int // rows, ascending
	words    int64
}

// Words is the number of words of all texts.
func (c *memText) Words() int64 { return c.words }

func (c *memText) add(row int, text []byte) {
	c.memRows.add(row, text)
	c.analyzer.Tokens(text, func(tok analysis.Token) {
		c.words++
		rows := c.terms[string(tok.Term)]
		if n := len(rows); n == 0 || rows[n-1] != row {
			c.terms[string(tok.Term)] = append(rows, row)
		}
	})
}

func (c *memText) Term(token []byte) int { return len(c.terms[string(token)]) }

func (c *memText) SelectTerm(zone int, token []byte, sel *Selection) {
	for _, row := range c.terms[string(token)] {
		if row/ZoneRows == zone {
			sel.Set(row % ZoneRows)
		}
	}
}

func (c *memText) Terms(prefix []byte, f func(token []byte, rows int) bool) {
	for t, rows := range c.terms {
		if bytes.HasPrefix([]byte(t), prefix) && !f([]byte(t), len(rows)) {
			return
		}
	}
}

func (c *memText) Each(row int, f func(text []byte)) {
	for _, t := range c.of(row) {
		f(t)
	}
}
