package segment

import (
	"fmt"
	"math"
	"math/bits"
	"sync"

	"github.com/weirlog/weir/store/query"
)

// column is one column of an open segment.
type column struct {
	once   sync.Once
	ok     bool
	r      *Reader
	num    int
	kind   byte
	n      int // values
	codec  uint16
	pres   present
	counts *ints // starts of the values of present rows; nil: one value each
	ints   ints
	zones  []byte
	dict   *dict
	raw    *raw
	lists  *postings
	terms  *postings

	blocksOnce sync.Once
	blocks     *blocks
	refs       *refReader // nil: texts stand as they are
}

// postings is a section of lists.
type postings struct {
	addrs ints
	data  []byte
}

// column opens a column; nil when it is damaged.
func (r *Reader) column(num int) *column {
	c := &r.cols[num]
	c.once.Do(func() {
		c.r, c.num, c.kind = r, num, r.fields[num].kind
		if err := c.open(); err != nil {
			r.damage(err)
			return
		}
		c.ok = true
	})
	if !c.ok {
		return nil
	}
	return c
}

func (c *column) open() error {
	c.pres.rows = c.r.Header.Rows
	if c.r.has(secPresent, c.num) {
		b, _, err := c.r.section(secPresent, uint16(c.num))
		if err != nil {
			return err
		}
		c.pres.b = b
	}
	if c.r.has(secCounts, c.num) {
		b, e, err := c.r.section(secCounts, uint16(c.num))
		if err != nil {
			return err
		}
		x, _, ok := openInts(b, int(e.count))
		if !ok {
			return fmt.Errorf("%w: counts", ErrDamaged)
		}
		c.counts = &x
	}
	switch c.kind {
	case colInt:
		return c.openInts()
	case colDict:
		if err := c.openInts(); err != nil {
			return err
		}
		if c.r.has(secLists, c.num) {
			l, err := c.openPostings(secLists)
			if err != nil {
				return err
			}
			c.lists = l
		}
		return c.openDict(secDict)
	case colRaw:
		return c.openRaw()
	case colText:
		t, err := c.openPostings(secPostings)
		if err != nil {
			return err
		}
		c.terms = t
		c.n = int(c.r.toc[sectionKey{c.textKind(), uint16(c.num)}].count)
		if err := c.openRefs(); err != nil {
			return err
		}
		return c.openDict(secTerms)
	case colRest:
		c.n = int(c.r.toc[sectionKey{secRest, uint16(c.num)}].count)
		return nil
	}
	return fmt.Errorf("segment has a column of kind %d, which this program does not know", c.kind)
}

func (c *column) openInts() error {
	b, e, err := c.r.section(secInt, uint16(c.num))
	if err != nil {
		return err
	}
	x, _, ok := openInts(b, int(e.count))
	if !ok {
		return fmt.Errorf("%w: numbers", ErrDamaged)
	}
	c.ints, c.n, c.codec = x, int(e.count), e.codec
	if c.codec != codecPlain && (c.codec < codecDecimal || c.codec > codecDecimal+maxDecimals) {
		return fmt.Errorf("segment has numbers of codec %d, which this program does not know", c.codec)
	}
	if c.zones, _, err = c.r.section(secZones, uint16(c.num)); err != nil {
		return err
	}
	if len(c.zones) < zoneEntry*zonesOf(c.pres.rows) {
		return fmt.Errorf("%w: zones", ErrDamaged)
	}
	return nil
}

const zoneEntry = 24

func (c *column) openDict(kind uint16) error {
	b, _, err := c.r.section(kind, uint16(c.num))
	if err != nil {
		return err
	}
	if c.dict, err = openDict(b, c.r.dec); err != nil {
		return err
	}
	c.dict.load = c.r.cached(kind, c.num)
	return nil
}

func (c *column) openRaw() error {
	b, e, err := c.r.section(secRaw, uint16(c.num))
	if err != nil {
		return err
	}
	h, _, err := c.r.section(secHash, uint16(c.num))
	if err != nil {
		return err
	}
	c.n = int(e.count)
	c.raw, err = openRaw(b, h, c.n)
	return err
}

func (c *column) openPostings(kind uint16) (*postings, error) {
	b, e, err := c.r.section(kind, uint16(c.num))
	if err != nil {
		return nil, err
	}
	x, data, ok := openInts(b, int(e.count))
	if !ok {
		return nil, fmt.Errorf("%w: postings", ErrDamaged)
	}
	return &postings{x, data}, nil
}

// textKind is the section that has the column's strings.
func (c *column) textKind() uint16 {
	switch {
	case c.kind == colRest:
		return secRest
	case c.r.has(secRefBlocks, c.num):
		return secRefBlocks
	}
	return secBlocks
}

func (c *column) openRefs() error {
	if !c.r.has(secRefBlocks, c.num) {
		return nil
	}
	b, _, err := c.r.section(secRefs, uint16(c.num))
	if err != nil {
		return err
	}
	c.refs, err = openRefs(c.r, b)
	return err
}

// texts opens the blocks of strings. Their pages are verified when a block is decoded.
func (c *column) texts() *blocks {
	c.blocksOnce.Do(func() {
		kind := c.textKind()
		e, ok := c.r.toc[sectionKey{kind, uint16(c.num)}]
		if !ok || e.length < 4 || !c.r.check(e.offset, 4) {
			c.r.damaged("text", c.num)
			return
		}
		b := c.r.b[e.offset : e.offset+e.length]
		if !c.r.check(e.offset, min(e.length, 4+16*uint64(le32(b, 0)))) {
			c.r.damaged("text", c.num)
			return
		}
		x, err := openBlocks(b, int(e.count), c.r.dec)
		if err != nil {
			c.r.damage(err)
			return
		}
		base := e.offset + e.length - uint64(len(x.data))
		x.check = func(from, to uint64) bool { return c.r.check(base+from, to-from) }
		x.load = c.r.cached(kind, c.num)
		c.blocks = x
	})
	return c.blocks
}

// span is the range of the values of a row.
func (c *column) span(row int) (lo, hi int) {
	rank, has, ok := c.pres.rank(row)
	if !ok {
		c.r.damaged("presence", c.num)
	}
	if !has || !ok {
		return 0, 0
	}
	if c.counts == nil {
		return rank, rank + 1
	}
	a, ok1 := c.counts.at(rank)
	b, ok2 := c.counts.at(rank + 1)
	if !ok1 || !ok2 || a < 0 || b < a || int(b) > c.n {
		c.r.damaged("counts", c.num)
		return 0, 0
	}
	return int(a), int(b)
}

// rowOf is the row of value i.
func (c *column) rowOf(i int) int {
	if c.counts != nil {
		k, ok := c.counts.search(int64(i) + 1)
		if !ok {
			c.r.damaged("counts", c.num)
		}
		i = k - 1
	}
	if c.pres.b == nil {
		return i
	}
	lo, hi := 0, zonesOf(c.pres.rows)
	var sel query.Selection
	for lo+1 < hi {
		m := (lo + hi) / 2
		if rank, _ := c.pres.zone(m, &sel); rank <= i {
			lo = m
		} else {
			hi = m
		}
	}
	rank, ok := c.pres.zone(lo, &sel)
	if !ok {
		c.r.damaged("presence", c.num)
	}
	for w := range sel {
		if n := bits.OnesCount64(sel[w]); rank+n <= i {
			rank += n
			continue
		}
		x := sel[w]
		for ; rank < i; rank++ {
			x &= x - 1
		}
		return lo*query.ZoneRows + w*64 + bits.TrailingZeros64(x)
	}
	return 0
}

// number is value i of a numbers column.
func (c *column) number(i int) (int64, bool) {
	v, ok := c.ints.at(i)
	if !ok {
		c.r.damaged("numbers", c.num)
	}
	return c.decode(v), ok
}

// powers of ten of the decimal codecs.
var powers = [maxDecimals + 1]float64{1, 10, 100, 1000, 10000}

func (c *column) decode(v int64) int64 {
	if c.codec < codecDecimal {
		return v
	}
	return query.SortableFloat(float64(v) / powers[c.codec-codecDecimal])
}

// value is value i of a column of strings or text; row is its row.
func (c *column) value(i, row int) (v []byte, ok bool) {
	switch c.kind {
	case colDict:
		var ord int64
		if ord, ok = c.ints.at(i); ok && ord >= 0 && ord <= math.MaxUint32 {
			v, ok = c.dict.value(uint32(ord))
		}
	case colRaw:
		v, ok = c.raw.append(nil, i)
	case colText, colRest:
		if x := c.texts(); x != nil {
			v, ok = x.at(i)
		}
		if ok && c.refs != nil {
			v, ok = c.refs.expand(v, row)
		}
	}
	if !ok {
		c.r.damaged("a value", c.num)
	}
	return v, ok
}

// storedText is text i with its references.
func (c *column) storedText(i int) []byte {
	if x := c.texts(); x != nil {
		if v, ok := x.at(i); ok {
			return v
		}
	}
	c.r.damaged("a text", c.num)
	return nil
}

// each calls f for each value of a row.
func (c *column) each(row int, f func([]byte)) {
	lo, hi := c.span(row)
	for i := lo; i < hi; i++ {
		if v, ok := c.value(i, row); ok {
			f(v)
		}
	}
}

// rows are the rows of list i, which has n.
func (p *postings) rows(i, n, limit int) ([]uint32, bool) {
	if n == 0 {
		return nil, true
	}
	a, ok := p.addrs.at(i)
	if !ok || a < 0 {
		return nil, false
	}
	if n == 1 {
		return []uint32{uint32(a)}, int(a) < limit
	}
	if a > int64(len(p.data)) || n > limit {
		return nil, false
	}
	return readPostings(make([]uint32, 0, n), p.data[a:], n, limit)
}
