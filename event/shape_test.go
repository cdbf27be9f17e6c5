package event

import (
	"fmt"
	"testing"
)

// alone is what a record gives in a batch of its own.
func alone(s string) string {
	b := NewBatch(true)
	e := b.New(0)
	if err := b.DecodeObject(e, s); err != nil {
		return "error: " + err.Error()
	}
	return string(e.AppendMetaJSON(e.AppendJSON(nil)))
}

// TestShape: what a batch remembers of the records before never changes what comes of one.
func TestShape(t *testing.T) {
	t.Parallel()
	recs := []string{`{"a":{"x":1},"b":"2","@metadata":{"k":1}}`, `{"a":{"x":1},"b":"2","@metadata":{"k":1}}`, `{"a":{"x":1}x,"b":"2"}`, `{"a":{"x":1,"x":2},"b":"2"}`,
		`{"a":{"x":1},"a":{"x":1}}`, `{"a" :{"x":1},"b":[1]}`, `{"a":{"x":12},"b":[1]}`, `{"a":{"x":1}`, `{"b":1,"a":2}`, `{"a":{"x":1},"b":"2","c":{"y":[]}}`, `{"\u0061":{"x":1}}`,
		`{"a":{"x":1}}`, `{"aa":{"x":1}}`, `{"a":[{"x":1}],"b":{"z":` + "\n" + `1}}`, `{"a":{"x":"\ud800"},"é":{"ü":1}}`, `{"a":{"x":1},"é":{"ü":1}}`, `{}`, `{"a":{"x":1},`}
	b := NewBatch(true)
	for round := range 40 {
		for i := range recs {
			s := recs[(i*7+round)%len(recs)]
			e := b.New(0)
			got := ""
			if err := b.DecodeObject(e, s); err != nil {
				got = "error: " + err.Error()
			} else {
				got = string(e.AppendMetaJSON(e.AppendJSON(nil)))
			}
			if want := alone(s); got != want {
				t.Fatalf("round %d: %s\n got  %s\n want %s", round, s, got, want)
			}
		}
		b.Reset()
	}
}

// TestShapeAllocates nothing once it has seen a record, also when an object is another one each time.
func TestShapeAllocates(t *testing.T) {
	b := NewBatch(false)
	var recs []string
	for i := range 50 {
		recs = append(recs, fmt.Sprintf(`{"@timestamp":"2026-01-01T00:00:00Z","agent":{"id":"abc","version":"8.9.0"},"log":{"offset":%d,"file":{"path":"/x"}},"message":"line \"%d\""}`, i*100, i))
	}
	run := func() {
		for _, s := range recs {
			e := b.New(0)
			if err := b.DecodeObject(e, s); err != nil {
				t.Fatal(err)
			}
		}
		b.Reset()
	}
	for range 3 {
		run()
	}
	if n := testing.AllocsPerRun(20, run); n > 1 {
		t.Errorf("%v allocations for %d records", n, len(recs))
	}
}

func FuzzShape(f *testing.F) {
	f.Add(`{"a":{"x":1},"b":2}`, `{"a":{"x":1},"b":[3]}`, `{"a":{"x":1}}`)
	f.Fuzz(func(t *testing.T, x, y, z string) {
		b := NewBatch(false)
		for i := range 30 {
			s := [...]string{x, y, z}[i%3]
			e := b.New(0)
			got := ""
			if err := b.DecodeObject(e, s); err != nil {
				got = "error: " + err.Error()
			} else {
				got = string(e.AppendMetaJSON(e.AppendJSON(nil)))
			}
			if want := alone(s); got != want {
				t.Fatalf("%q\n got  %s\n want %s", s, got, want)
			}
		}
	})
}
