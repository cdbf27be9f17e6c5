package agg

import "github.com/weirlog/weir/store/query"

// batch is rows of one zone, each in a bucket of the aggregation above. A row may come several times, in different buckets.
type batch struct {
	zone    int
	rows    []uint16
	buckets []uint32         // parallel to rows; nil: all in bucket only
	only    uint32           // the bucket of all rows
	below   bool             // only is a bucket of an aggregation, not the root: others may follow
	sel     *query.Selection // the rows, when buckets is nil
}

// set makes a batch of the root from a selection.
func (b *batch) set(zone int, sel *query.Selection) {
	b.zone, b.sel, b.buckets = zone, sel, nil
	b.rows = sel.Rows(b.rows[:0])
}

// top tells that the rows are the root's: there is one bucket, and it gets no rows in another way.
func (b *batch) top() bool { return b.buckets == nil && !b.below }

// bucket is the bucket of the i-th row.
func (b *batch) bucket(i int) uint32 {
	if b.buckets == nil {
		return b.only
	}
	return b.buckets[i]
}

// reset empties a batch that is filled by add.
func (b *batch) reset(zone int) {
	b.zone, b.sel = zone, nil
	b.rows = b.rows[:0]
	if b.buckets == nil {
		b.buckets = make([]uint32, 0, query.ZoneRows)
	}
	b.buckets = b.buckets[:0]
}

func (b *batch) add(row uint16, bucket uint32) {
	b.rows = append(b.rows, row)
	b.buckets = append(b.buckets, bucket)
}

// slot is a bucket below a bucket.
type slot struct {
	parent uint32
	key    int64
}

// tree numbers the buckets that a bucket aggregation makes below those of its parent, counts their rows and feeds the aggregations
// in them. Keys are int64: numbers, ordinals, or indices.
type tree struct {
	subs   []collector
	mem    *query.Reservation
	index  map[slot]uint32
	slots  []slot
	counts []int64
	kids   map[uint32][]uint32 // buckets by parent, in order of appearance
	batch  batch
	whole  batch // of zones that are in one bucket
	recent [recentSlots]recentSlot
	direct [][]uint32 // by parent and key: bucket + 1, 0 none; for keys from 0 to width-1
	width  int        // 0: no direct tables
	room   int        // entries that direct may still grow by
}

// Bounds of direct tables, which find a bucket by two looks into arrays.
const (
	maxDirect   = 4096    // keys below one parent
	directTotal = 1 << 20 // entries of one collector
)

// narrow says that keys are from 0 to n-1.
func (t *tree) narrow(n int) {
	if n <= maxDirect {
		t.width, t.room = n, directTotal
	}
}

// row is the direct table of a parent, nil when there is none (yet).
func (t *tree) row(parent uint32) []uint32 {
	if int(parent) < len(t.direct) {
		return t.direct[parent]
	}
	return nil
}

// ordinal is bucket for a key of a narrow range.
func (t *tree) ordinal(parent, key uint32) uint32 {
	if int(parent) < len(t.direct) {
		if d := t.direct[parent]; int(key) < len(d) && d[key] != 0 {
			return d[key] - 1
		}
	}
	n := t.bucket(parent, int64(key))
	if int(key) >= t.width {
		return n
	}
	for int(parent) >= len(t.direct) {
		t.direct = append(t.direct, nil)
	}
	if t.direct[parent] == nil && t.room >= t.width {
		t.room -= t.width
		t.direct[parent] = make([]uint32, t.width)
	}
	if d := t.direct[parent]; d != nil {
		d[key] = n + 1
	}
	return n
}

// What a bucket takes, estimated: its entries here and in the answer, and what each aggregation below begins with.
const (
	bucketBytes = 160
	subBytes    = 96
)

// recentSlots is a power of two: buckets met lately are found without hashing.
const recentSlots = 512

// recentSlot is a slot and its bucket plus one; 0: none.
type recentSlot struct {
	slot
	n uint32
}

func newTree(o *opener) *tree {
	return &tree{subs: o.children(), mem: o.mem, index: map[slot]uint32{}, kids: map[uint32][]uint32{}}
}

// bucket is the number of the bucket of key below parent.
func (t *tree) bucket(parent uint32, key int64) uint32 {
	s := slot{parent, key}
	r := &t.recent[(uint64(key)*0x9E3779B97F4A7C15>>32^uint64(parent)*0x85EBCA6B)&(recentSlots-1)]
	if r.n != 0 && r.slot == s {
		return r.n - 1
	}
	n, ok := t.index[s]
	if !ok {
		n = uint32(len(t.slots))
		t.mem.Take(bucketBytes + int64(len(t.subs))*subBytes)
		t.index[s] = n
		t.slots = append(t.slots, s)
		t.counts = append(t.counts, 0)
		t.kids[parent] = append(t.kids[parent], n)
	}
	*r = recentSlot{s, n + 1}
	return n
}

// begin starts a zone.
func (t *tree) begin(zone int) { t.batch.reset(zone) }

// add counts a row in a bucket.
func (t *tree) add(row uint16, bucket uint32) {
	t.counts[bucket]++
	if len(t.subs) > 0 {
		t.batch.add(row, bucket)
	}
}

// end feeds the aggregations below with the rows of the zone.
func (t *tree) end() error {
	if len(t.subs) == 0 || len(t.batch.rows) == 0 {
		return nil
	}
	for _, c := range t.subs {
		if err := c.collect(&t.batch); err != nil {
			return err
		}
	}
	return nil
}

// endWhole feeds the aggregations below with rows that are all in one bucket.
func (t *tree) endWhole(zone int, sel *query.Selection, bucket uint32) error {
	if len(t.subs) == 0 {
		return nil
	}
	t.whole.set(zone, sel)
	t.whole.only, t.whole.below = bucket, true
	for _, c := range t.subs {
		if err := c.collect(&t.whole); err != nil {
			return err
		}
	}
	return nil
}

// bucketPart is one bucket of one source.
type bucketPart struct {
	key   bucketKey
	count int64
	subs  []partial
}

// bucketKey is a bucket's key in the form that is the same in all sources.
type bucketKey struct {
	n int64
	s string
}

// finish lists the buckets below parent.
func (t *tree) finish(parent int, key func(k int64) bucketKey) []bucketPart {
	kids := t.kids[uint32(parent)]
	out := make([]bucketPart, len(kids))
	for i, n := range kids {
		out[i] = bucketPart{key(t.slots[n].key), t.counts[n], finishAll(t.subs, int(n))}
	}
	return out
}

func numberKey(k int64) bucketKey { return bucketKey{n: k} }
