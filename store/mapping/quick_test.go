package mapping

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// scanned is everything a scan says of its document, with values by path.
type scanned struct {
	Values  []string
	Shape   string
	Rest    string
	Ignored []string
	Err     string
}

func scanOne(s *Scanner, src string) scanned {
	var d Docs
	var out scanned
	if _, err := s.Scan([]byte(src), "1", true, &d); err != nil {
		out.Err = err.Error()
		return out
	}
	doc := d.Docs[0]
	for _, v := range d.Values[doc.Values[0]:doc.Values[1]] {
		out.Values = append(out.Values, fmt.Sprintf("%s=%d %q", v.Field.Path, v.Num, v.Bytes))
	}
	out.Shape, out.Rest, out.Ignored = string(d.Shapes[doc.Shape[0]:doc.Shape[1]]), string(d.Rest), d.Ignored
	return out
}

// TestRemembersStrings scans documents in a row and each with a scanner of its own: what a scanner remembers changes nothing.
func TestRemembersStrings(t *testing.T) {
	t.Parallel()
	const props = `{"properties":{"k":{"type":"keyword"},"short":{"type":"keyword","ignore_above":3},"m":{"type":"text"},
		"multi":{"type":"keyword","fields":{"t":{"type":"text"}}},"from":{"type":"keyword","copy_to":"to"},"to":{"type":"keyword"}}}`
	m, err := Parse([]byte(props))
	if err != nil {
		t.Fatal(err)
	}
	values := []string{`"abc"`, `"abc"`, `"ab"`, `"abcd"`, `"abc`, `"abc\"`, `"ab\u0063"`, `"abc"`, `""`, `"abc" `, `"\n"`, "\"a\nb\"", "\"abc\x00\"", "\"\xff\"", "\"\xff\"", `"äöü"`, `"äöüx"`,
		`"äöüx"`, `1`, `true`, `null`, `["abc","abc"]`, `{"x":1}`, `"abc","k":"abc"`, `"` + strings.Repeat("x", 500) + `"`, `"` + strings.Repeat("x", 128) + `"`}
	var docs []string
	for _, field := range []string{"k", "short", "m", "multi", "from", "to"} {
		for _, a := range values {
			for _, b := range values {
				docs = append(docs, `{"`+field+`":`+a+`}`, `{"`+field+`":`+b+`}`)
			}
		}
		for i := range 2 * quickRetry {
			docs = append(docs, fmt.Sprintf(`{%q:"id-%d"}`, field, i))
		}
		docs = append(docs, `{"from":"abc","to":"abc","k":"abc"}`, `{"k":"abc","k":"abc"}`)
	}
	long := NewScanner(m, Limits{})
	for _, src := range docs {
		if got, want := scanOne(long, src), scanOne(NewScanner(m, Limits{}), src); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s:\n got %+v\nwant %+v", src, got, want)
		}
	}
}

// TestQuickIsGeneral scans strings the short way and the general way.
func TestQuickIsGeneral(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(`{"properties":{"k":{"type":"keyword","ignore_above":4},"m":{"type":"match_only_text"},"w":{"type":"wildcard"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []string{"k", "m", "w"} {
		quick, general := NewScanner(m, Limits{}), NewScanner(m, Limits{})
		scanOne(general, `{"`+field+`":"x"}`) // makes the slot
		general.root.slots[0].quick = nil
		if scanOne(quick, `{"`+field+`":"x"}`); quick.root.slots[0].quick == nil {
			t.Fatalf("%s has no short way", field)
		}
		for _, v := range []string{`"a"`, `"a"`, `"abcd"`, `"abcde"`, `"abcde"`, `"\ud83d\ude00a"`, `"😀😀"`, `"😀😀x"`, `"a\tb"`, `""`, `"a\x"`, "\"\xc3\x28\"", `"a`} {
			src := `{"` + field + `":` + v + `}`
			if got, want := scanOne(quick, src), scanOne(general, src); !reflect.DeepEqual(got, want) {
				t.Errorf("%s:\n got %+v\nwant %+v", src, got, want)
			}
		}
	}
}
