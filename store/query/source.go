package query

import "math"

// ZoneRows is the number of rows of a zone, the unit of pruning, selection and vector work. Row r lies in zone r/ZoneRows.
const ZoneRows = 4096

// Selection is a set of rows of one zone: bit i of word w is row w*64+i of the zone.
type Selection [ZoneRows / 64]uint64

// Source is an immutable image of documents: a segment, or the published rows of a head. Rows are numbered from 0 in order of
// arrival. It is safe for concurrent use; slices it returns are valid until the snapshot that gave it is released.
type Source interface {
	Rows() int
	// Live clears from sel the rows of the zone that are deleted or beyond Rows.
	Live(zone int, sel *Selection)
	// Deleted is the number of deleted rows.
	Deleted() int
	// TimeRange is the smallest and largest @timestamp in epoch nanoseconds, deleted rows included; ok is false without any.
	TimeRange() (min, max int64, ok bool)
	// Field is the column of a concrete field by its full path ("log.level", "message.keyword"), nil when no row has it. The
	// metadata fields _id (Strings), _seq_no and _version (Numbers) and _ignored (Ordinals) are columns too, where they exist.
	Field(path string) Field
	// Paths lists all columns but the metadata fields.
	Paths() []string
	// AppendSource appends the document as it was written (white space and escapes normalised).
	AppendSource(dst []byte, row int) ([]byte, error)
	// ID is the document's _id.
	ID(row int) string
	// Err is the first damage met while reading; results of a damaged source are not to be used.
	Err() error
}

// Field is a column: it is one of Numbers, Ordinals, Strings, Text.
type Field interface {
	// Present clears from sel the rows without any value. It never sets a bit.
	Present(zone int, sel *Selection)
}

// Numbers is a column of integers, dates (epoch ms; date_nanos: ns), booleans (0, 1) or floats (SortableFloat of the value).
type Numbers interface {
	Field
	// Bounds are the smallest and largest value in the zone; ok is false when no row has one.
	Bounds(zone int) (min, max int64, ok bool)
	// Load decodes the zone's values into dst.
	Load(zone int, dst *NumberVec)
}

// NumberVec is one zone of a Numbers column. With Start nil every present row has one value, V[row]. Otherwise row r's values are
// V[Start[r]:Start[r+1]], in document order. V of rows without a value is undefined when Start is nil.
type NumberVec struct {
	V     []int64
	Start []uint32 // nil, or ZoneRows+1 offsets
	Has   Selection
}

// Ordinals is a dictionary column (keyword, ip as 16 bytes, version ...): each row holds ordinals of distinct values.
type Ordinals interface {
	Field
	Len() int
	// Value is the value of an ordinal, below Len.
	Value(ord uint32) []byte
	// Find is the ordinal of a value.
	Find(value []byte) (ord uint32, ok bool)
	// Sorted tells whether ordinals ascend with their values bytewise (segments: yes, heads: no).
	Sorted() bool
	// Count is the number of rows that hold the ordinal, deleted ones included.
	Count(ord uint32) int
	// Select sets in sel the rows of the zone that hold any of the ordinals for which set is true. set has Len bits.
	Select(zone int, set *OrdSet, sel *Selection)
	// Load decodes the zone's ordinals into dst.
	Load(zone int, dst *OrdVec)
}

// OrdVec is one zone of an Ordinals column, laid out as NumberVec.
type OrdVec struct {
	V     []uint32
	Start []uint32
	Has   Selection
}

// OrdSet is a set of ordinals. N is the number of members; One is the member when N is 1.
type OrdSet struct {
	Bits []uint64
	N    int
	One  uint32
}

// Add puts an ordinal into the set, which must be wide enough.
func (s *OrdSet) Add(ord uint32) {
	w, b := ord/64, uint64(1)<<(ord%64)
	if s.Bits[w]&b == 0 {
		s.Bits[w] |= b
		s.N++
		s.One = ord
	}
}

// Has reports membership.
func (s *OrdSet) Has(ord uint32) bool { return s.Bits[ord/64]&(1<<(ord%64)) != 0 }

// NewOrdSet makes an empty set for a dictionary of n values.
func NewOrdSet(n int) *OrdSet { return &OrdSet{Bits: make([]uint64, (n+63)/64)} }

// Strings is a column of mostly distinct values kept in row order (trace ids, explicit _ids).
type Strings interface {
	Field
	// SelectValue sets in sel the rows of the zone that hold value.
	SelectValue(zone int, value []byte, sel *Selection)
	// Each calls f for each value of a row, in document order. The slice is valid during the call.
	Each(row int, f func(value []byte))
}

// Text is an analysed column.
type Text interface {
	Field
	// Term is the number of rows that hold the token, exact, deleted rows included; 0: none does.
	Term(token []byte) (rows int)
	// SelectTerm sets in sel the rows of the zone that hold the token.
	SelectTerm(zone int, token []byte, sel *Selection)
	// Terms calls f for each token with the prefix until it returns false, in no order.
	Terms(prefix []byte, f func(token []byte, rows int) bool)
	// Each calls f for each value of a row, in document order: the text as it was written, for phrases and highlights.
	Each(row int, f func(text []byte))
}

// SortableFloat maps a float64 to an int64 that sorts alike.
func SortableFloat(f float64) int64 {
	b := int64(math.Float64bits(f))
	return b ^ int64(uint64(b>>63)>>1)
}

// FloatOf is the inverse of SortableFloat.
func FloatOf(v int64) float64 { return math.Float64frombits(uint64(v ^ int64(uint64(v>>63)>>1))) }
