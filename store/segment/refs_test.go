package segment

import (
	"fmt"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/vfs"
)

// refSegment writes a segment of texts with a column they may repeat and a number and a time each.
func refSegment(t testing.TB, fsys vfs.FS, path string, texts, keys [][]byte, nums, times []int64) {
	t.Helper()
	b, err := Create(fsys, path, Header{Index: [16]byte{9}, ID: 1, Rows: len(texts)}, Meta{})
	if err != nil {
		t.Fatal(err)
	}
	b.Numbers(FieldSeq, mapping.Other, nil, make([]int64, len(texts)))
	var cols []RefColumn
	b.Numbers("n", mapping.Long, nil, nums)
	b.Numbers("t", mapping.Date, nil, times)
	cols = append(cols, RefColumn{"n", mapping.Long, func(r uint32) ([]byte, int64, bool) { return nil, nums[r], true }},
		RefColumn{"t", mapping.Date, func(r uint32) ([]byte, int64, bool) { return nil, times[r], true }})
	var ords []uint32
	var dict [][]byte
	seen := map[string]uint32{}
	for _, k := range keys {
		if _, ok := seen[string(k)]; !ok {
			seen[string(k)] = uint32(len(dict))
			dict = append(dict, k)
		}
		ords = append(ords, seen[string(k)])
	}
	if len(dict) == 1 { // a dictionary must ascend; one value does
		b.Values("k", mapping.Keyword, nil, ords, dict)
		cols = append(cols, RefColumn{"k", mapping.Keyword, func(r uint32) ([]byte, int64, bool) { return keys[r], 0, true }})
	}
	b.Text("message", mapping.MatchOnlyText, Text{N: len(texts), At: func(i int) []byte { return texts[i] }, Refs: cols})
	b.Documents([][]byte{{mapping.ShapeOpen, mapping.ShapeClose}}, make([]uint32, len(texts)), nil, nil)
	if _, err := b.Finish(); err != nil {
		t.Fatal(err)
	}
}

// FuzzReferences: a text comes back as it was written, whatever it has in common with other columns.
func FuzzReferences(f *testing.F) {
	f.Add([]byte("GET /a 12345 at 2026-11-23T00:00:00.000Z"), []byte("/a"), int64(12345), int64(1_795_392_000_000))
	f.Add([]byte("\x01\xff\x01\x00 12345"), []byte("\x01"), int64(12345), int64(0))
	f.Add([]byte("key key key 100100"), []byte("key"), int64(100), int64(-1))
	f.Fuzz(func(t *testing.T, text, key []byte, n, at int64) {
		if at < -1e15 || at > 1e15 {
			return
		}
		var texts, keys [][]byte
		var nums, times []int64
		for i := range 5 {
			texts, keys = append(texts, fmt.Appendf(nil, "%d %s %s %d", i, text, key, n)), append(keys, key)
			nums, times = append(nums, n), append(times, at)
		}
		mem := vfs.NewMem()
		refSegment(t, mem, "/r.seg", texts, keys, nums, times)
		r, err := Open(mem, "/r.seg", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for row, want := range texts {
			for v := range r.column(r.byPath["message"]).all(row) {
				if string(v) != string(want) {
					t.Fatalf("row %d: %q, want %q", row, v, want)
				}
			}
		}
		if err := r.Err(); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Merge(mem, "/m.seg", Header{ID: 2}, []Input{{R: r}, {R: r, Drop: roaring.BitmapOf(0)}}); err != nil {
			t.Fatal(err)
		}
		m, err := Open(mem, "/m.seg", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		for row := range m.Rows() {
			want := texts[row%5]
			if row >= 5 {
				want = texts[row-4]
			}
			for v := range m.column(m.byPath["message"]).all(row) {
				if string(v) != string(want) {
					t.Fatalf("merged row %d: %q, want %q", row, v, want)
				}
			}
		}
	})
}

// all is each as an iterator.
func (c *column) all(row int) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) { c.each(row, func(v []byte) { yield(v) }) }
}
