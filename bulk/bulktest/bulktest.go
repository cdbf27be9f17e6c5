// Package bulktest is the suite that every bulk.Writer must pass.
package bulktest

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Fixture is a writer under test and a way to look at what it wrote.
type Fixture struct {
	// Writer writes for one group.
	Writer bulk.Writer
	// Messages gives the "message" of every document of an index that a search finds, in any order; nil when the index is missing.
	Messages func(t *testing.T, index string) []string
	// Reopen ends the writer as a crash would and gives one for the same group on the same data; nil: not for this kind of writer.
	Reopen func(t *testing.T) bulk.Writer
	// KeepsPositions is true for a writer that stores positions with the documents.
	KeepsPositions bool
	// StrictIndex is an index whose mapping holds {"n": long} and refuses other types; "" skips that case.
	StrictIndex string
}

// Test runs the suite; open gives a fresh fixture each time.
func Test(t *testing.T, open func(t *testing.T) *Fixture) {
	for name, f := range map[string]func(t *testing.T, fx *Fixture){
		"write":     testWrite,
		"repeats":   testRepeats,
		"positions": testPositions,
		"rejected":  testRejected,
		"split":     testManyOfOneRecord,
		"own ids":   testOwnIDs,
		"large":     testLarge,
	} {
		t.Run(name, func(t *testing.T) { f(t, open(t)) })
	}
}

var topicID = [16]byte{1, 2, 3}

func source(n byte) ledger.Source {
	s := ledger.NewSource(time.UnixMilli(1_700_000_000_000))
	s[15] = n
	return s
}

// lines makes a batch of documents n = from..to-1, one per 10 bytes of src.
func lines(index string, src ledger.Source, from, to int) bulk.Batch {
	var b bulk.Batch
	for i := from; i < to; i++ {
		b.Ops = append(b.Ops, bulk.Op{Index: index, Source: fmt.Appendf(nil, `{"@timestamp":"2026-11-22T14:02:11.318Z","message":"line %d"}`, i)})
		b.Origins = append(b.Origins, bulk.Origin{Range: ledger.Range{Source: src, From: int64(i * 10), To: int64(i*10 + 10)}, N: 1})
	}
	b.Positions = []queue.Position{{Topic: "logs", TopicID: topicID, Offset: int64(to)}}
	return b
}

func write(t *testing.T, w bulk.Writer, b bulk.Batch) []bulk.Rejected {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	rejected, err := w.Write(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	return rejected
}

func expect(t *testing.T, fx *Fixture, index string, from, to int) {
	t.Helper()
	var want []string
	for i := from; i < to; i++ {
		want = append(want, fmt.Sprintf("line %d", i))
	}
	got := fx.Messages(t, index)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Fatalf("%d documents, want %d: %v", len(got), len(want), firstDifference(got, want))
	}
}

func firstDifference(got, want []string) string {
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			return fmt.Sprintf("%q instead of %q", got[i], want[i])
		}
	}
	return "one list is longer"
}

// What is written is found.
func testWrite(t *testing.T, fx *Fixture) {
	if r := write(t, fx.Writer, lines("logs-a-default", source(1), 0, 100)); len(r) != 0 {
		t.Fatalf("rejected %+v", r)
	}
	expect(t, fx, "logs-a-default", 0, 100)
	if r := write(t, fx.Writer, bulk.Batch{}); len(r) != 0 {
		t.Fatalf("an empty batch: %+v", r)
	}
}

// A range that was indexed is not indexed again, whatever batch brings it.
func testRepeats(t *testing.T, fx *Fixture) {
	src := source(2)
	write(t, fx.Writer, lines("logs-a-default", src, 0, 50))
	write(t, fx.Writer, lines("logs-a-default", src, 30, 80))
	write(t, fx.Writer, lines("logs-a-default", src, 0, 10))
	expect(t, fx, "logs-a-default", 0, 80)
	twice := lines("logs-a-default", src, 80, 85)
	again := lines("logs-a-default", src, 82, 85)
	twice.Ops, twice.Origins = append(twice.Ops, again.Ops...), append(twice.Origins, again.Origins...)
	write(t, fx.Writer, twice)
	expect(t, fx, "logs-a-default", 0, 85)
	if fx.Reopen != nil {
		write(t, fx.Reopen(t), lines("logs-a-default", src, 70, 90))
		expect(t, fx, "logs-a-default", 0, 90)
	}
}

// Positions come back as they were written with the documents, the newest of each partition.
func testPositions(t *testing.T, fx *Fixture) {
	get := func(w bulk.Writer) []queue.Position {
		p, err := w.Positions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := get(fx.Writer); len(p) != 0 {
		t.Fatalf("positions before the first write: %+v", p)
	}
	write(t, fx.Writer, lines("logs-a-default", source(3), 0, 10))
	write(t, fx.Writer, lines("logs-a-default", source(3), 10, 20))
	write(t, fx.Writer, bulk.Batch{Positions: []queue.Position{{Topic: "logs", TopicID: topicID, Partition: 1, Offset: 7}}})
	want := []queue.Position{{Topic: "logs", TopicID: topicID, Offset: 20}, {Topic: "logs", TopicID: topicID, Partition: 1, Offset: 7}}
	if !fx.KeepsPositions {
		want = nil
	}
	check := func(w bulk.Writer) {
		t.Helper()
		got := get(w)
		slices.SortFunc(got, func(a, b queue.Position) int { return int(a.Partition - b.Partition) })
		if !slices.Equal(got, want) {
			t.Fatalf("positions %+v, want %+v", got, want)
		}
	}
	check(fx.Writer)
	if fx.Reopen != nil {
		check(fx.Reopen(t))
	}
}

// A refused document comes back with its place; its neighbours are written; the positions of the batch are not kept.
func testRejected(t *testing.T, fx *Fixture) {
	if fx.StrictIndex == "" {
		t.Skip("no index with a strict mapping")
	}
	b := lines(fx.StrictIndex, source(4), 0, 3)
	b.Ops[0].Source = []byte(`{"n":1,"message":"line 0"}`)
	b.Ops[1].Source = []byte(`{"n":"not a number","message":"line 1"}`)
	b.Ops[2].Source = []byte(`{"n":3,"message":"line 2"}`)
	r := write(t, fx.Writer, b)
	if len(r) != 1 || r[0].Op != 1 || r[0].Status != 400 || r[0].Type == "" || r[0].Reason == "" {
		t.Fatalf("rejected %+v, want operation 1 with status 400", r)
	}
	got := fx.Messages(t, fx.StrictIndex)
	slices.Sort(got)
	if !slices.Equal(got, []string{"line 0", "line 2"}) {
		t.Fatalf("documents %v", got)
	}
	if p, _ := fx.Writer.Positions(t.Context()); len(p) != 0 {
		t.Fatalf("positions %+v were kept with a rejected document", p)
	}
}

// The documents of one record share its range and are all kept.
func testManyOfOneRecord(t *testing.T, fx *Fixture) {
	b := lines("logs-a-default", source(5), 0, 3)
	for i := range b.Origins {
		b.Origins[i] = bulk.Origin{Range: ledger.Range{Source: source(5), From: 0, To: 30}, K: uint16(i), N: 3}
	}
	b.Origins[1].Range.Source, b.Origins[2].Range.Source = b.Origins[0].Range.Source, b.Origins[0].Range.Source
	write(t, fx.Writer, b)
	write(t, fx.Writer, b)
	expect(t, fx, "logs-a-default", 0, 3)
}

// A user's own id: index replaces, create keeps the first, delete removes.
func testOwnIDs(t *testing.T, fx *Fixture) {
	op := func(a bulk.Action, id, message string) bulk.Batch {
		o := bulk.Op{Action: a, Index: "plain", ID: id}
		if a != bulk.Delete {
			o.Source = fmt.Appendf(nil, `{"message":%q}`, message)
		}
		return bulk.Batch{Ops: []bulk.Op{o}}
	}
	write(t, fx.Writer, op(bulk.Index, "1", "first"))
	write(t, fx.Writer, op(bulk.Index, "1", "second"))
	write(t, fx.Writer, op(bulk.Create, "2", "third"))
	write(t, fx.Writer, op(bulk.Index, "3", "fourth"))
	write(t, fx.Writer, op(bulk.Delete, "3", ""))
	got := fx.Messages(t, "plain")
	slices.Sort(got)
	if !slices.Equal(got, []string{"second", "third"}) {
		t.Fatalf("documents %v", got)
	}
}

// A batch larger than one request is written whole.
func testLarge(t *testing.T, fx *Fixture) {
	write(t, fx.Writer, lines("logs-a-default", source(6), 0, 5000))
	if got := fx.Messages(t, "logs-a-default"); len(got) != 5000 {
		t.Fatalf("%d documents, want 5000", len(got))
	}
}
