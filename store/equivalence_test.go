package store

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

// randomDoc is a document with fields of every kind of column, some missing, some with several values.
func randomDoc(rng *rand.Rand, i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, `{"@timestamp":"2025-07-01T%02d:%02d:%02d.%03dZ"`, i/3600%24, i/60%60, i%60, rng.IntN(1000))
	fmt.Fprintf(&b, `,"message":"%s took %d ms for user %s"`, []string{"GET /a", "POST /b", "Failed login", "Received block"}[rng.IntN(4)], rng.IntN(500), fmt.Sprintf("u%d", rng.IntN(50)))
	fmt.Fprintf(&b, `,"level":"%s"`, []string{"INFO", "INFO", "INFO", "WARN", "ERROR"}[rng.IntN(5)])
	if rng.IntN(3) == 0 {
		fmt.Fprintf(&b, `,"status":%d`, 200+rng.IntN(4)*100)
	}
	if rng.IntN(4) == 0 {
		fmt.Fprintf(&b, `,"trace":{"id":"%032x"}`, rng.Uint64())
	}
	if rng.IntN(5) == 0 {
		fmt.Fprintf(&b, `,"tags":["t%d","t%d"]`, rng.IntN(3), rng.IntN(3))
	}
	if rng.IntN(6) == 0 {
		fmt.Fprintf(&b, `,"nums":[%d,%d,%d],"f":%d.%d`, rng.IntN(9), rng.IntN(9), rng.IntN(9), rng.IntN(10), 1+rng.IntN(9))
	}
	if rng.IntN(10) == 0 {
		fmt.Fprintf(&b, `,"o":[{"x":%d},{"x":"%d"}],"status2":"not a number %d"`, rng.IntN(5), rng.IntN(5), rng.IntN(5))
	}
	if rng.IntN(7) == 0 {
		fmt.Fprintf(&b, `,"source":{"ip":"10.0.%d.%d"},"ok":%v`, rng.IntN(3), rng.IntN(200), rng.IntN(2) == 0)
	}
	return b.String() + "}"
}

// facts is what an index answers: every document, the rows of each token, keyword, number and string, as text.
func facts(t *testing.T, s *Store, name string) []string {
	t.Helper()
	snap := s.Snapshot([]string{name})
	defer snap.Release()
	var out []string
	for _, src := range snap.Indices[0].Sources {
		ids := map[int]string{}
		eachLive(src, func(row int) {
			ids[row] = src.ID(row)
			b, err := src.AppendSource(nil, row)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, src.ID(row)+" = "+string(b))
		})
		for _, path := range append(src.Paths(), colSeq, colVersion, colIgnored) {
			out = append(out, fieldFacts(t, src, path, ids)...)
		}
		if err := src.Err(); err != nil {
			t.Fatal(err)
		}
	}
	slices.Sort(out)
	return out
}

// fieldFacts reads one column in every way its kind has.
func fieldFacts(t *testing.T, src query.Source, path string, ids map[int]string) (out []string) {
	t.Helper()
	note := func(row int, what string) {
		if id, live := ids[row]; live {
			out = append(out, id+" "+path+" "+what)
		}
	}
	fld := src.Field(path)
	if fld == nil {
		return nil
	}
	zones := (src.Rows() + query.ZoneRows - 1) / query.ZoneRows
	each := func(sel *query.Selection, zone int, f func(row int)) {
		for i := range query.ZoneRows {
			if sel[i/64]>>(i%64)&1 == 1 {
				f(zone*query.ZoneRows + i)
			}
		}
	}
	for zone := range zones {
		var present query.Selection
		for i := range present {
			present[i] = ^uint64(0)
		}
		fld.Present(zone, &present)
		each(&present, zone, func(row int) { note(row, "present") })
		switch c := fld.(type) {
		case query.Numbers:
			var v query.NumberVec
			c.Load(zone, &v)
			lo, hi, ok := c.Bounds(zone)
			each(&v.Has, zone, func(row int) {
				vals := v.V
				if r := row % query.ZoneRows; v.Start != nil {
					vals = vals[v.Start[r]:v.Start[r+1]]
				} else {
					vals = vals[r : r+1]
				}
				for _, n := range vals {
					if !ok || n < lo || n > hi {
						t.Errorf("%s: %d outside [%d,%d]", path, n, lo, hi)
					}
				}
				note(row, fmt.Sprint(vals))
			})
		case query.Ordinals:
			out = append(out, ordinalFacts(t, c, path, zone, ids)...)
		case query.Strings:
			for r := zone * query.ZoneRows; r < min((zone+1)*query.ZoneRows, src.Rows()); r++ {
				var vals []string
				c.Each(r, func(v []byte) {
					vals = append(vals, string(v))
					var sel query.Selection
					c.SelectValue(zone, v, &sel)
					if i := r % query.ZoneRows; sel[i/64]>>(i%64)&1 == 0 {
						t.Errorf("%s: SelectValue(%s) misses row %d", path, v, r)
					}
				})
				if len(vals) > 0 {
					note(r, fmt.Sprint(vals))
				}
			}
		case query.Text:
			for r := zone * query.ZoneRows; r < min((zone+1)*query.ZoneRows, src.Rows()); r++ {
				c.Each(r, func(v []byte) { note(r, string(v)) })
			}
			c.Terms(nil, func(tok []byte, _ int) bool {
				var sel query.Selection
				c.SelectTerm(zone, tok, &sel)
				each(&sel, zone, func(row int) { note(row, "token "+string(tok)) })
				return true
			})
		}
	}
	return out
}

func ordinalFacts(t *testing.T, c query.Ordinals, path string, zone int, ids map[int]string) (out []string) {
	t.Helper()
	var v query.OrdVec
	c.Load(zone, &v)
	byOrd := map[uint32][]int{}
	for i := range query.ZoneRows {
		if v.Has[i/64]>>(i%64)&1 == 0 {
			continue
		}
		ords := v.V
		if v.Start != nil {
			ords = ords[v.Start[i]:v.Start[i+1]]
		} else {
			ords = ords[i : i+1]
		}
		var vals []string
		for _, o := range ords {
			vals = append(vals, string(c.Value(o)))
			if l := byOrd[o]; len(l) == 0 || l[len(l)-1] != i {
				byOrd[o] = append(l, i)
			}
			if f, ok := c.Find(c.Value(o)); !ok || f != o {
				t.Errorf("%s: Find(%s) = %d %v, want %d", path, c.Value(o), f, ok, o)
			}
		}
		if id, live := ids[zone*query.ZoneRows+i]; live {
			out = append(out, fmt.Sprint(id, " ", path, " ", vals))
		}
	}
	for o, rows := range byOrd {
		set := query.NewOrdSet(c.Len())
		set.Add(o)
		var sel query.Selection
		c.Select(zone, set, &sel)
		var got []int
		for i := range query.ZoneRows {
			if sel[i/64]>>(i%64)&1 == 1 {
				got = append(got, i)
			}
		}
		if !slices.Equal(got, rows) {
			t.Errorf("%s: Select(%s) finds %d rows, want %d", path, c.Value(o), len(got), len(rows))
		}
	}
	return out
}

// naive is the facts of documents as a reader of JSON sees them: documents, and the tokens of their messages.
func naive(docs map[string]string) []string {
	var out []string
	for id, d := range docs {
		out = append(out, id+" = "+d)
		var m map[string]any
		json.Unmarshal([]byte(d), &m)
		seen := map[string]bool{}
		for _, tok := range analysis.Standard().Terms(m["message"].(string)) {
			if !seen[tok] {
				seen[tok] = true
				out = append(out, id+" message token "+tok)
			}
		}
		out = append(out, fmt.Sprint(id, " level [", m["level"], "]"))
	}
	slices.Sort(out)
	return out
}

func TestEquivalence(t *testing.T) {
	t.Parallel()
	for _, n := range []int{30, 5000} {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		rng := rand.New(rand.NewPCG(seed, 7))
		fsys := vfs.NewMem()
		cfg := testConfig(fsys)
		s := mustOpen(t, cfg)
		if err := s.PutTemplate(IndexTemplate, "eq", []byte(`{"index_patterns":["weir-eq"],"priority":200,"template":{"mappings":`+eqMapping+`,"settings":{"index.mapping.ignore_malformed":true}}}`), false); err != nil {
			t.Fatal(err)
		}
		want := map[string]string{}
		fill := func(from, to int) {
			for from < to {
				var ops []Op
				for range min(500, to-from) {
					d := randomDoc(rng, from)
					id := ""
					if from%10 == 0 {
						id = fmt.Sprintf("id-%d", rng.IntN(n))
					}
					ops = append(ops, put("weir-eq", id, d))
					from++
				}
				for i, r := range apply(t, s, ops...) {
					if r.Err != nil {
						t.Fatal(r.Err, r.Err.Cause)
					}
					want[r.ID] = string(ops[i].Source)
				}
			}
		}
		deleteSome := func(k int) {
			ids := slices.Sorted(maps.Keys(want))
			for range k {
				id := ids[rng.IntN(len(ids))]
				apply(t, s, NewOp(bulk.Op{Action: bulk.Delete, Index: "weir-eq", ID: id}))
				delete(want, id)
			}
		}
		var last []string
		check := func(when string) {
			t.Helper()
			got := facts(t, s, "weir-eq")
			for _, f := range naive(want) {
				if _, ok := slices.BinarySearch(got, f); !ok {
					t.Fatalf("%s, seed %d: lacks %s", when, seed, f)
				}
			}
			docs := 0
			for _, f := range got {
				if strings.Contains(f, " = {") {
					docs++
				}
			}
			if docs != len(want) {
				t.Fatalf("%s, seed %d: %d documents, want %d", when, seed, docs, len(want))
			}
			if last != nil && !slices.Equal(got, last) {
				for i := range got {
					if i >= len(last) || got[i] != last[i] {
						t.Fatalf("%s, seed %d: fact %d is %q, was %q", when, seed, i, got[i], last[min(i, len(last)-1)])
					}
				}
				t.Fatalf("%s, seed %d: %d facts, were %d", when, seed, len(got), len(last))
			}
			last = got
		}
		reopen := func() {
			s.Close()
			s = mustOpen(t, cfg)
		}
		fill(0, n/2)
		deleteSome(n / 20)
		check("one head")
		reopen()
		check("replayed head")
		if err := s.Flush(nil); err != nil {
			t.Fatal(err)
		}
		check("one segment")
		last = nil
		fill(n/2, n)
		deleteSome(n / 20)
		check("segment and head")
		reopen()
		check("segment and replayed head")
		for range 3 {
			if err := s.Flush(nil); err != nil {
				t.Fatal(err)
			}
		}
		check("two segments")
		reopen()
		check("two segments, reopened")
		if err := s.ForceMerge(context.Background(), nil, 1); err != nil {
			t.Fatal(err)
		}
		check("merged")
		reopen()
		check("merged, reopened")
		if err := s.Verify(); err != nil {
			t.Fatal(err)
		}
	}
}

const eqMapping = `{"dynamic_templates":[{"s":{"match_mapping_type":"string","mapping":{"type":"keyword"}}}],"date_detection":false,` +
	`"properties":{"@timestamp":{"type":"date"},"message":{"type":"text"},"source":{"properties":{"ip":{"type":"ip"}}},"status2":{"type":"long"}}}`

// TestCrash kills a store at random instants and looks for what was acknowledged.
func TestCrash(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		crashOnce(t, seed)
	}
}

func crashOnce(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 9))
	mem := vfs.NewMem()
	acked := map[string]string{}
	next := int64(0)
	for range 3 {
		s, err := Open(testConfig(mem))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		src := [16]byte{1, 2, 3}
		w := s.For("p")
		pos, err := w.Positions(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		from := int64(0)
		if len(pos) > 0 {
			from = pos[0].Offset
		}
		if from < next {
			t.Fatalf("seed %d: positions went back from %d to %d", seed, next, from)
		}
		for range 1 + rng.IntN(6) {
			switch rng.IntN(6) {
			case 0:
				if err := s.Flush(nil); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			case 1:
				if err := s.ForceMerge(context.Background(), nil, 1); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
			case 2:
				id := fmt.Sprint(rng.IntN(5))
				doc := fmt.Sprintf(`{"v":%d}`, rng.IntN(1000))
				apply(t, s, put("kv", id, doc))
				acked["kv/"+id] = doc
			default:
				n := 1 + rng.IntN(20)
				back := min(from, int64(rng.IntN(3))*10) // a repeat of what is in
				if _, err := w.Write(context.Background(), batch(1, from-back, n, src)); err != nil {
					t.Fatalf("seed %d: %v", seed, err)
				}
				from = from - back + int64(n)*10
				next = max(next, from)
			}
		}
		mem = mem.CrashClone(rng)
	}
	s := mustOpen(t, testConfig(mem))
	got := everything(t, s, "logs-*")
	seen := map[float64]int{}
	for _, d := range got {
		var m map[string]any
		if err := json.Unmarshal([]byte(d), &m); err != nil {
			t.Fatal(err)
		}
		seen[m["n"].(float64)]++
	}
	for at := int64(0); at < next; at += 10 {
		if seen[float64(at)] != 1 {
			t.Fatalf("seed %d: line at %d is there %d times", seed, at, seen[float64(at)])
		}
	}
	if len(acked) > 0 {
		kv := everything(t, s, "kv")
		for id, d := range acked {
			if kv[id] != d {
				t.Fatalf("seed %d: %s is %s, want %s", seed, id, kv[id], d)
			}
		}
	}
}
