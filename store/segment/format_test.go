package segment

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

var update = flag.Bool("update", false, "write the golden segment anew")

const goldenFile = "testdata/segment-1.0.seg"

// sample writes a small segment with every kind of column: 200 rows, an explicit id on every tenth.
func sample(t testing.TB, fsys vfs.FS, path string) {
	t.Helper()
	const rows = 200
	b, err := Create(fsys, path, Header{Index: [16]byte{7}, ID: 1, Rows: rows, Created: 5}, Meta{MinSeq: 10, MaxSeq: 10 + rows - 1, MinTime: 1, MaxTime: rows, Timed: true})
	if err != nil {
		t.Fatal(err)
	}
	var seqs, nums, multi []int64
	var ords, idRows, idOrds, multiRows, traceRows, traceOrds []uint32
	var ids, traces [][]byte
	for i := range rows {
		seqs = append(seqs, int64(10+i))
		nums = append(nums, mapping.Sortable(float64(i)/4))
		ords = append(ords, uint32(i%3))
		if i%10 == 0 {
			idRows, idOrds = append(idRows, uint32(i)), append(idOrds, uint32(len(ids)))
			ids = append(ids, fmt.Appendf(nil, "id-%03d", i))
			multiRows = append(multiRows, uint32(i), uint32(i))
			multi = append(multi, int64(i), 5)
		}
		if i%4 == 0 {
			traceRows, traceOrds = append(traceRows, uint32(i)), append(traceOrds, uint32(len(traces)))
			traces = append(traces, fmt.Appendf(nil, "%032x", i*7919))
		}
	}
	b.Numbers(FieldSeq, mapping.Other, nil, seqs)
	b.Values(FieldID, mapping.Other, idRows, idOrds, ids)
	f := b.Numbers("f", mapping.Double, nil, nums)
	l := b.Values("level", mapping.Keyword, nil, ords, [][]byte{[]byte("ERROR"), []byte("INFO"), []byte("WARN")})
	b.Numbers("multi", mapping.Long, multiRows, multi)
	b.Values("trace.id", mapping.Keyword, traceRows, traceOrds, traces)
	var terms [][]byte
	for i := range 90 {
		terms = append(terms, fmt.Appendf(nil, "w%02d", i))
	}
	m := b.Text("message", mapping.MatchOnlyText, Text{N: rows, At: func(i int) []byte { return fmt.Appendf(nil, "w%02d w%02d of a line", i%90, i%7) }, Terms: terms,
		Postings: func(term int) (out []uint32) {
			for i := range rows {
				if i%90 == term || i%7 == term {
					out = append(out, uint32(i))
				}
			}
			return out
		}})
	shape := appendKey([]byte{mapping.ShapeOpen}, "f")
	shape = mapping.AppendShape(shape, mapping.ShapeItem{Code: mapping.ShapeLeaf, Field: f})
	shape = mapping.AppendShape(appendKey(shape, "level"), mapping.ShapeItem{Code: mapping.ShapeLeaf, Field: l})
	shape = mapping.AppendShape(appendKey(shape, "message"), mapping.ShapeItem{Code: mapping.ShapeLeaf, Field: m})
	plain := append(slices.Clone(shape), mapping.ShapeClose)
	rest := append(appendKey(slices.Clone(shape), "x"), mapping.ShapeVerbatim, mapping.ShapeClose)
	var which, restRows []uint32
	for i := range rows {
		which = append(which, uint32(i%2))
		if i%2 == 1 {
			restRows = append(restRows, uint32(i))
		}
	}
	b.Documents([][]byte{plain, rest}, which, restRows, func(i int) []byte { return append([]byte{7}, fmt.Sprintf(`{"y":%d}`, i%10)...) })
	if _, err := b.Finish(); err != nil {
		t.Fatal(err)
	}
}

func appendKey(b []byte, k string) []byte {
	return mapping.AppendShape(b, mapping.ShapeItem{Code: mapping.ShapeKey, Key: []byte(k)})
}

// answers reads a segment in every way there is.
func answers(r *Reader) (string, error) {
	var b strings.Builder
	v := NewView(r, roaring.New())
	for row := range r.Rows() {
		doc, err := v.AppendSource(nil, row)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "%s %s %d\n", v.ID(row), doc, v.Version(row))
	}
	row, ok := v.FindID("id-050")
	fmt.Fprintln(&b, row, ok, v.Paths())
	for _, path := range append(v.Paths(), FieldSeq, FieldID) {
		for zone := range zonesOf(r.Rows()) {
			answersOf(&b, v.Field(path), path, zone, r.Rows())
		}
	}
	return b.String(), r.Err()
}

func answersOf(b *strings.Builder, f query.Field, path string, zone, rows int) {
	var sel query.Selection
	switch c := f.(type) {
	case query.Numbers:
		var v query.NumberVec
		c.Load(zone, &v)
		lo, hi, ok := c.Bounds(zone)
		fmt.Fprintln(b, path, v.Has, len(v.Start), lo, hi, ok)
		for i := range rows {
			if v.Has[i/64]>>(i%64)&1 == 1 && v.Start == nil {
				fmt.Fprint(b, v.V[i], " ")
			} else if v.Start != nil {
				fmt.Fprint(b, v.V[v.Start[i]:v.Start[i+1]], " ")
			}
		}
	case query.Ordinals:
		set := query.NewOrdSet(c.Len())
		for o := range uint32(c.Len()) {
			fmt.Fprintln(b, path, string(c.Value(o)), c.Count(o))
			if o != 1 {
				set.Add(o)
			}
		}
		c.Select(zone, set, &sel)
		fmt.Fprintln(b, sel)
	case query.Strings:
		for i := range rows {
			c.Each(i, func(v []byte) {
				c.SelectValue(zone, v, &sel)
				fmt.Fprintln(b, path, i, string(v))
			})
		}
		fmt.Fprintln(b, sel)
	case query.Text:
		c.Terms([]byte("w"), func(tok []byte, n int) bool {
			var sel query.Selection
			c.SelectTerm(zone, tok, &sel)
			fmt.Fprintln(b, path, string(tok), n, c.Term(tok), sel)
			return true
		})
		for i := range rows {
			c.Each(i, func(v []byte) { fmt.Fprintln(b, i, string(v)) })
		}
	}
}

func TestGoldenSegment(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.MkdirAll(filepath.Dir(goldenFile), 0o755); err != nil {
			t.Fatal(err)
		}
		sample(t, vfs.OS(), goldenFile)
	}
	mem := vfs.NewMem()
	sample(t, mem, "/s.seg")
	fresh, err := Open(mem, "/s.seg", nil)
	if err != nil {
		t.Fatal(err)
	}
	golden, err := Open(vfs.OS(), goldenFile, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	want, err := answers(fresh)
	if err != nil {
		t.Fatal(err)
	}
	got, err := answers(golden)
	if err != nil || got != want {
		t.Fatalf("the golden segment reads differently (%v)", err)
	}
	if !strings.Contains(want, `id-050 {"f":12.5,"level":"WARN","message":"w50 w01 of a line"} 1`) || !strings.Contains(want, `"x":{"y":`) {
		t.Fatalf("unexpected answers:\n%.2000s", want)
	}
	if err := Verify(vfs.OS(), goldenFile); err != nil {
		t.Fatal(err)
	}
}

// TestFlippedByte flips each byte of a segment: opening or reading fails, or the answers are the same.
func TestFlippedByte(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	sample(t, mem, "/s.seg")
	r, err := Open(mem, "/s.seg", nil)
	if err != nil {
		t.Fatal(err)
	}
	want, err := answers(r)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := vfs.ReadFile(mem, "/s.seg")
	if err != nil {
		t.Fatal(err)
	}
	step := max(1, len(whole)/1500)
	for i := 0; i < len(whole); i += step {
		b := bytes.Clone(whole)
		b[i] ^= 1 << (i % 8)
		if got, err := readBytes(t, b); err == nil && got != want {
			t.Fatalf("byte %d flipped: other answers without an error", i)
		}
	}
	for _, n := range []int{0, 10, 100, len(whole) / 2, len(whole) - 1} {
		if _, err := readBytes(t, whole[:n]); err == nil {
			t.Fatalf("cut at %d: opens", n)
		}
	}
}

func readBytes(t testing.TB, b []byte) (string, error) {
	mem := vfs.NewMem()
	if err := vfs.WriteFileAtomic(mem, "/s.seg", b); err != nil {
		t.Fatal(err)
	}
	r, err := Open(mem, "/s.seg", nil)
	if err != nil {
		return "", err
	}
	defer r.Close()
	return answers(r)
}

func TestDeletesRoundTrip(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	dead := roaring.BitmapOf(1, 5, 77)
	if err := WriteDeletes(mem, "/x.del", 9, 2, dead); err != nil {
		t.Fatal(err)
	}
	got, err := ReadDeletes(mem, "/x.del", 9, 2, 100)
	if err != nil || !got.Equals(dead) {
		t.Fatal(got, err)
	}
	for _, bad := range [][3]int{{8, 2, 100}, {9, 3, 100}, {9, 2, 50}} {
		if _, err := ReadDeletes(mem, "/x.del", uint64(bad[0]), bad[1], bad[2]); err == nil {
			t.Errorf("%v: taken", bad)
		}
	}
	b, _ := vfs.ReadFile(mem, "/x.del")
	for i := range b {
		c := bytes.Clone(b)
		c[i] ^= 4
		if _, err := parseDeletes(c, 9, 2, 100); err == nil {
			t.Errorf("byte %d flipped: taken", i)
		}
	}
}

func TestAutoID(t *testing.T) {
	t.Parallel()
	u := [16]byte{1, 2, 3, 4, 5}
	seen := map[string]bool{}
	for _, seq := range []int64{0, 1, 2, 1 << 40, 1<<62 - 1} {
		id := AutoID(u, seq)
		if got, ok := ParseAutoID(u, id); !ok || got != seq || seen[id] || len(id) != AutoIDLen {
			t.Errorf("AutoID(%d) = %s, back %d %v", seq, id, got, ok)
		}
		seen[id] = true
		if _, ok := ParseAutoID([16]byte{9}, id); ok {
			t.Errorf("%s belongs to another index too", id)
		}
	}
	if _, ok := ParseAutoID(u, "AAAAAAAAAAAAAAAAAAAA"); ok {
		t.Error("any text of that length is taken")
	}
}

// FuzzReader opens arbitrary bytes as the sections of a segment whose checksums are right.
func FuzzReader(f *testing.F) {
	mem := vfs.NewMem()
	sample(f, mem, "/s.seg")
	whole, err := vfs.ReadFile(mem, "/s.seg")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(300, []byte{1, 2, 3})
	f.Add(2000, []byte{0xFF, 0xFF})
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		b := bytes.Clone(whole)
		if at < headerLen || at+len(patch) > len(b)-footerLen {
			return
		}
		copy(b[at:], patch)
		reseal(b)
		if _, err := readBytes(t, b); err != nil {
			return
		}
	})
}

// reseal makes the checksums of a patched file right again.
func reseal(b []byte) {
	f := b[len(b)-footerLen:]
	sumsAt, pages := int(le64(f, 16)), int(le32(f, 24))
	tocAt := int(le64(f, 0))
	if sumsAt+4*pages+4 != len(b)-footerLen {
		return
	}
	for p := range pages {
		put32(b, sumsAt+4*p, crcOf(b[p*pageLen:min((p+1)*pageLen, sumsAt)]))
	}
	put32(b, sumsAt+4*pages, crcOf(b[sumsAt:sumsAt+4*pages]))
	put32(f, 12, crcOf(b[tocAt:sumsAt]))
	put32(f, 56, crcOf(f[:56]))
}

func le64(b []byte, at int) uint64 { return uint64(le32(b, at)) | uint64(le32(b, at+4))<<32 }

func put32(b []byte, at int, v uint32) {
	b[at], b[at+1], b[at+2], b[at+3] = byte(v), byte(v>>8), byte(v>>16), byte(v>>24)
}
