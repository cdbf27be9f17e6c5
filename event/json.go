package event

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
	"unsafe"
)

// Bounds of JSON that comes in. A string may be as long as the longest message an agent ships.
const (
	MaxDepth  = 64
	MaxKeys   = 10_000
	MaxString = 10 << 20
)

// SyntaxError says at which byte a text stops being JSON.
type SyntaxError struct {
	Offset int
	Why    string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("JSON at byte %d: %s", e.Offset, e.Why) }

// ErrNotObject is returned by DecodeObject for JSON that is no object.
var ErrNotObject = errors.New("JSON is not an object")

// Bytes is s as bytes that must not be written to.
func Bytes(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }

// ParseJSON reads one JSON value. s must live as long as the batch.
func (b *Batch) ParseJSON(s string) (Value, error) {
	sc := scanner{b: b, p: Bytes(s)}
	sc.bom()
	v, err := sc.value()
	if err != nil {
		return Value{}, err
	}
	return v, sc.end()
}

// DecodeObject adds the fields of a JSON object to e. "@metadata" becomes the event's metadata, a readable "@timestamp" its time;
// an unreadable one stays a field, which TakeField finds.
func (b *Batch) DecodeObject(e *Event, s string) error {
	sc := scanner{b: b, p: Bytes(s)}
	sc.bom()
	if sc.i >= len(sc.p) || sc.p[sc.i] != '{' {
		if _, err := b.ParseJSON(s); err != nil {
			return err
		}
		return ErrNotObject
	}
	sc.top = e
	from := len(e.fields)
	err := sc.object(&e.fields)
	if err == nil {
		err = sc.end()
	}
	if err != nil {
		e.fields = e.fields[:from]
		return err
	}
	for i := from; i < len(e.fields); i++ {
		e.mask |= e.fields[i].key.bit()
	}
	return nil
}

// take puts a top-level member where events keep it; false leaves it a field.
func (e *Event) take(name string, v Value) bool {
	switch name {
	case "@timestamp":
		if v.kind == StringKind {
			if ns, ok := ParseISO(v.s); ok {
				e.ts = ns
				return true
			}
		}
	case "@metadata":
		if v.Kind() == MapKind {
			e.meta, e.metaText = e.meta[:0], v
			return true
		}
	}
	return false
}

// TakeField removes the top-level field of this very name, also one that paths reach elsewhere (@timestamp, @metadata).
func (e *Event) TakeField(name string) (Value, bool) {
	k := MakeKey(name)
	return e.b.cut(&e.fields, &k)
}

// AddField appends a top-level field without looking whether it exists. For decoders that know.
func (e *Event) AddField(name string, v Value) { *e.addTop(MakeKey(name)) = v }

// scanner walks over JSON text. Values it returns alias p.
type scanner struct {
	b     *Batch
	p     []byte
	i     int
	depth int
	keys  int
	top   *Event // set while the members of an event are read
	dirty bool   // the container just skipped holds line breaks between tokens, or a key twice
	high  bool   // and bytes above 127
}

func (s *scanner) fail(why string) error { return &SyntaxError{s.i, why} }

func (s *scanner) str(from, to int) string { return unsafe.String(&s.p[from], to-from) }

// bom steps over a byte order mark and white space.
func (s *scanner) bom() {
	if len(s.p) >= 3 && s.p[0] == 0xEF && s.p[1] == 0xBB && s.p[2] == 0xBF {
		s.i = 3
	}
	s.space()
}

// space steps over white space; compact JSON has none, so the first byte decides.
func (s *scanner) space() {
	if s.i < len(s.p) && s.p[s.i] <= ' ' {
		s.skipSpace()
	}
}

func (s *scanner) skipSpace() {
	for s.i < len(s.p) {
		switch s.p[s.i] {
		case '\n', '\r':
			s.dirty = true
		case ' ', '\t':
		default:
			return
		}
		s.i++
	}
}

func (s *scanner) end() error {
	s.space()
	if s.i < len(s.p) {
		return s.fail("text behind the value")
	}
	return nil
}

// value reads the value at i; containers stay text when they can.
func (s *scanner) value() (Value, error) {
	s.space()
	if s.i >= len(s.p) {
		return Value{}, s.fail("value missing")
	}
	from := s.i
	switch s.p[s.i] {
	case '"':
		return s.stringValue()
	case '{', '[':
		return s.container()
	case 't':
		return Bool(true), s.word("true")
	case 'f':
		return Bool(false), s.word("false")
	case 'n':
		return Value{}, s.word("null")
	}
	if err := s.number(); err != nil {
		return Value{}, err
	}
	return Value{kind: raw, s: s.str(from, s.i)}, nil
}

func (s *scanner) stringValue() (Value, error) {
	from := s.i
	escaped, high, err := s.scanString()
	if err != nil {
		return Value{}, err
	}
	if s.i-from == 2 {
		return Value{kind: StringKind, plain: true}, nil
	}
	text := s.str(from+1, s.i-1)
	if !escaped {
		return Value{kind: StringKind, plain: !high, s: text}, nil
	}
	if high && !utf8.ValidString(text) {
		return String(s.b.unescape(text)), nil
	}
	return Value{kind: raw, s: s.str(from, s.i)}, nil
}

func (s *scanner) container() (Value, error) {
	from := s.i
	s.dirty, s.high = false, false
	s.b.sums = s.b.sums[:0]
	if err := s.skip(); err != nil {
		return Value{}, err
	}
	v := Value{kind: raw, s: s.str(from, s.i)}
	if s.dirty || s.high && !utf8.ValidString(v.s) {
		s.b.expand(&v)
	}
	return v, nil
}

// object reads one level of the object at i. A name twice: the last value, at the place of the first.
func (s *scanner) object(fs *[]field) error {
	if err := s.open(); err != nil {
		return err
	}
	first := len(*fs)
	var mask uint64         // bits of the names so far
	var seen map[string]int // only past 32 fields
	for n := 0; ; n++ {
		done, err := s.next('}', n)
		if done || err != nil {
			return err
		}
		k, known, err := s.member(n)
		if err != nil {
			return err
		}
		v, err := s.memberValue(known)
		if err != nil {
			return err
		}
		name := k.s
		if s.top != nil && len(name) > 8 && name[0] == '@' && s.depth == 1 && s.top.take(name, v) {
			continue
		}
		var at *Value
		if n < 32 {
			if mask&k.bit() != 0 {
				at = lookup((*fs)[first:], &k)
			}
			mask |= k.bit()
		} else {
			if seen == nil {
				seen = make(map[string]int, 64)
				for i, f := range *fs {
					seen[f.key.s] = i
				}
			}
			if i, ok := seen[name]; ok && i >= first {
				at = &(*fs)[i].v
			} else {
				seen[name] = len(*fs)
			}
		}
		if at == nil {
			at = s.b.add(fs, k)
		}
		*at = v
	}
}

// list reads one level of the list at i.
func (s *scanner) list(l *[]Value) error {
	if err := s.open(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		done, err := s.next(']', n)
		if done || err != nil {
			return err
		}
		v, err := s.value()
		if err != nil {
			return err
		}
		*l = append(*l, v)
	}
}

// open steps into a container.
func (s *scanner) open() error {
	s.i++
	s.depth++
	if s.depth > MaxDepth {
		return s.fail("deeper than 64 levels")
	}
	return nil
}

// next steps to member n of a container, or over its closing bracket.
func (s *scanner) next(closing byte, n int) (done bool, err error) {
	s.space()
	if s.i >= len(s.p) {
		return false, s.fail("bracket not closed")
	}
	c := s.p[s.i]
	if c == closing {
		s.i++
		s.depth--
		return true, nil
	}
	if n == 0 {
		return false, nil
	}
	if c != ',' {
		return false, s.fail("comma or closing bracket missing")
	}
	s.i++
	s.space()
	if s.i < len(s.p) && s.p[s.i] == closing {
		return false, s.fail("comma before a closing bracket")
	}
	return false, nil
}

// key reads a name and its colon.
func (s *scanner) key() (Key, error) {
	if s.i >= len(s.p) || s.p[s.i] != '"' {
		return Key{}, s.fail("name missing")
	}
	s.keys++
	if s.keys > MaxKeys {
		return Key{}, s.fail("more than 10,000 names")
	}
	from := s.i
	escaped, high, err := s.scanString()
	if err != nil {
		return Key{}, err
	}
	s.high = s.high || high
	name := ""
	if s.i-from > 2 {
		name = s.str(from+1, s.i-1)
	}
	if escaped {
		name = s.b.unescape(name)
	}
	s.space()
	if s.i >= len(s.p) || s.p[s.i] != ':' {
		return Key{}, s.fail("colon missing")
	}
	s.i++
	if escaped {
		return MakeKey(name), nil
	}
	return makeKey(name, !high), nil
}

// skip walks over the value at i, checking it whole.
func (s *scanner) skip() error {
	s.space()
	if s.i >= len(s.p) {
		return s.fail("value missing")
	}
	switch s.p[s.i] {
	case '"':
		_, high, err := s.scanString()
		s.high = s.high || high
		return err
	case '{':
		return s.skipObject()
	case '[':
		return s.skipList()
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	case 'n':
		return s.word("null")
	}
	return s.number()
}

func (s *scanner) skipObject() error {
	if err := s.open(); err != nil {
		return err
	}
	base := len(s.b.sums)
	var mask uint64
	for n := 0; ; n++ {
		done, err := s.next('}', n)
		if done || err != nil {
			s.b.sums = s.b.sums[:base]
			return err
		}
		k, err := s.key()
		if err != nil {
			return err
		}
		if n >= 32 {
			s.dirty = true // object finds doubles of wide ones
		} else {
			if mask&k.bit() != 0 && slices.Contains(s.b.sums[base:], k.sum) {
				s.dirty = true
			}
			mask |= k.bit()
			s.b.sums = append(s.b.sums, k.sum)
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

func (s *scanner) skipList() error {
	if err := s.open(); err != nil {
		return err
	}
	for n := 0; ; n++ {
		done, err := s.next(']', n)
		if done || err != nil {
			return err
		}
		if err := s.skip(); err != nil {
			return err
		}
	}
}

func (s *scanner) word(w string) error {
	if len(s.p)-s.i < len(w) || string(s.p[s.i:s.i+len(w)]) != w {
		return s.fail("unknown word")
	}
	s.i += len(w)
	return nil
}

func (s *scanner) number() error {
	p, i := s.p, s.i
	if i < len(p) && p[i] == '-' {
		i++
	}
	switch {
	case i < len(p) && p[i] == '0':
		i++
	case i < len(p) && p[i] >= '1' && p[i] <= '9':
		i = digits(p, i)
	default:
		return s.fail("no JSON value begins with this byte")
	}
	if i < len(p) && p[i] == '.' {
		j := digits(p, i+1)
		if j == i+1 {
			return s.fail("digits missing behind the point")
		}
		i = j
	}
	if i < len(p) && (p[i] == 'e' || p[i] == 'E') {
		i++
		if i < len(p) && (p[i] == '+' || p[i] == '-') {
			i++
		}
		j := digits(p, i)
		if j == i {
			return s.fail("digits missing in the exponent")
		}
		i = j
	}
	s.i = i
	return nil
}

func digits(p []byte, i int) int {
	for i < len(p) && p[i] >= '0' && p[i] <= '9' {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, in the high bit of each byte of x, quotes, backslashes and control characters. Only the lowest mark is exact.
func special(x uint64) uint64 {
	q := x ^ '"'*ones
	e := x ^ '\\'*ones
	return ((q-ones)&^q | (e-ones)&^e | (x-0x20*ones)&^x) & highs
}

// scanString steps over the string at i, eight bytes at a time.
func (s *scanner) scanString() (escaped, high bool, err error) {
	p, i := s.p, s.i+1
	var seen uint64
	for {
		for i+8 <= len(p) {
			x := binary.LittleEndian.Uint64(p[i:])
			m := special(x)
			if m == 0 {
				seen |= x
				i += 8
				continue
			}
			k := bits.TrailingZeros64(m) &^ 7
			seen |= x & (1<<k - 1)
			i += k / 8
			break
		}
		for i < len(p) && p[i] != '"' && p[i] != '\\' && p[i] >= 0x20 {
			seen |= uint64(p[i])
			i++
		}
		switch {
		case i >= len(p):
			return false, false, s.fail("string not closed")
		case i-s.i > MaxString:
			return false, false, s.fail("string longer than 10 MiB")
		case p[i] == '"':
			s.i = i + 1
			return escaped, seen&highs != 0, nil
		case p[i] != '\\':
			s.i = i
			return false, false, s.fail("control character in a string")
		}
		escaped = true
		n := escapeLen(p[i:])
		if n == 0 {
			s.i = i
			return false, false, s.fail("unknown escape")
		}
		i += n
	}
}

// escapeLen is the length of the escape p begins with, 0 if it is none.
func escapeLen(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	switch p[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(p) >= 6 && hex4(p[2:]) >= 0 {
			return 6
		}
	}
	return 0
}

func hex4(p []byte) rune {
	r := rune(0)
	for _, c := range p[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape decodes the inside of a valid JSON string into the arena.
func (b *Batch) unescape(s string) string {
	out := b.Buf()
	for i := 0; i < len(s); {
		n := strings.IndexByte(s[i:], '\\')
		if n < 0 {
			out = append(out, s[i:]...)
			break
		}
		out = append(out, s[i:i+n]...)
		c := s[i+n+1]
		i += n + 2
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(Bytes(s[i:]))
			i += 4
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if len(s) >= i+6 && s[i] == '\\' && s[i+1] == 'u' {
					low = hex4(Bytes(s[i+2:]))
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		}
		out = append(out, c)
	}
	return b.Keep(out)
}

// Merge sets every field of the object m at the top of e. @metadata and @timestamp become fields of that name, which TakeField
// finds.
func (b *Batch) Merge(e *Event, m Value) {
	for name, v := range b.Each(m) {
		k := MakeKey(name)
		at := e.top(&k)
		if at == nil {
			at = e.addTop(k)
		}
		*at = v
	}
}
