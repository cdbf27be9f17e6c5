package event

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func decode(t testing.TB, s string) *Event {
	t.Helper()
	b := NewBatch(true)
	e := b.New(0)
	if err := b.DecodeObject(e, s); err != nil {
		t.Fatalf("decode %s: %v", s, err)
	}
	return e
}

func TestJSONInOut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, out string }{
		{"untouched numbers keep their digits", `{"a":1.10,"b":1e5,"c":123456789012345678901234567890}`, ``},
		{"nested stays text", `{"a":{"b":[1, 2,{"c":null}]},"d":"x"}`, ``},
		{"line breaks between tokens go", "{\"a\":{\"b\":\n1}}", `{"a":{"b":1}}`},
		{"byte order mark and white space", "\ufeff \n{\"a\":true }\n", `{"a":true}`},
		{"double key: last value, first place", `{"a":1,"b":2,"a":3}`, `{"a":3,"b":2}`},
		{"double key below", `{"x":{"a":1,"b":2,"a":3}}`, `{"x":{"a":3,"b":2}}`},
		{"version first", `{"a":1,"@version":"1"}`, `{"@version":"1","a":1}`},
		{"invalid utf-8", "{\"a\":\"x\xff\",\"b\":{\"c\":\"\xfe\"}}", `{"a":"x` + "\uFFFD" + `","b":{"c":"` + "\uFFFD" + `"}}`},
		{"escapes untouched", `{"a":"\u00e9\n\/"}`, ``},
		{"separators are not escaped", "{\"a\":\"\u2028/\"}", ``},
		{"escaped name", `{"a\u0062":1}`, `{"ab":1}`},
		{"empty containers", `{"a":{},"b":[],"":""}`, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.out == "" {
				tt.out = tt.in
			}
			if got := string(decode(t, tt.in).AppendJSON(nil)); got != tt.out {
				t.Errorf("got  %s\nwant %s", got, tt.out)
			}
		})
	}
}

func TestJSONRefused(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		``, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":01}`, `{"a":1.}`, `{"a":NaN}`, `{"a":Infinity}`, `{"a":"\x"}`, `{"a":"` + "\n" + `"}`,
		`{"a":1}x`, `{"a":{"b":tru}}`, `{"a":[1,]}`, `{"a":"\u12"}`, `[1]`, `"s"`,
		`{"a":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`,
	} {
		b := NewBatch(true)
		e := b.New(0)
		if err := b.DecodeObject(e, s); err == nil {
			t.Errorf("%s was taken", s)
		}
		if len(e.fields) != 0 {
			t.Errorf("%s left fields behind", s)
		}
	}
}

func TestPaths(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"a": "a", "a.b": "a.b", "[a]": "a", "[a][b]": "a b", "[[a][b]]": "a b", "[a][0]": "a 0", "[a.b][c-d]": "a.b c-d",
	} {
		p, err := ParsePath(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
			continue
		}
		var got []string
		for _, k := range p.keys {
			got = append(got, k.s)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s = %q, want %q", s, got, want)
		}
	}
	for _, s := range []string{"", "foo[bar]", "[a]b", "[]", "[a", "[a][", "a]", "[a][]", "[@timestamp][x]"} {
		if p, err := ParsePath(s); err == nil {
			t.Errorf("%q was taken as %v", s, p.keys)
		}
	}
}

func TestGetSetDelete(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, path string
		set            Value
		out            string // "" when Set must fail
	}{
		{"new field", `{}`, "a", Int(1), `{"a":1}`},
		{"maps on the way", `{}`, "[a][b][c]", Bool(true), `{"a":{"b":{"c":true}}}`},
		{"maps, never lists", `{}`, "[x][0]", Int(1), `{"x":{"0":1}}`},
		{"into text", `{"a":{"b":1,"c":{"d":2}}}`, "[a][c][e]", Float(1), `{"a":{"b":1,"c":{"d":2,"e":1.0}}}`},
		{"list element", `{"a":[1,2]}`, "[a][1]", Int(5), `{"a":[1,5]}`},
		{"last element", `{"a":[1,2]}`, "[a][-1]", Int(5), `{"a":[1,5]}`},
		{"padded", `{"a":[1]}`, "[a][3]", Int(5), `{"a":[1,null,null,5]}`},
		{"below nil", `{"a":null}`, "[a][b]", Int(5), `{"a":{"b":5}}`},
		{"below a scalar", `{"a":1}`, "[a][b]", Int(5), ""},
		{"list by name", `{"a":[1]}`, "[a][x]", Int(5), ""},
		{"timestamp from text", `{}`, "@timestamp", String("x"), ""},
		{"timestamp", `{}`, "@timestamp", Time(1_000_000), `{"@timestamp":"1970-01-01T00:00:00.001Z"}`},
		{"metadata stays inside", `{}`, "[@metadata][x]", Int(1), `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			e, p := decode(t, tt.in), MustPath(tt.path)
			err := e.Set(p, tt.set)
			if tt.out == "" {
				if err == nil {
					t.Fatalf("Set gave %s", e.AppendJSON(nil))
				}
				return
			}
			if got := string(e.AppendJSON(nil)); err != nil || got != tt.out {
				t.Fatalf("got %s, %v; want %s", got, err, tt.out)
			}
			if v, ok := e.Get(p); !ok || !reflect.DeepEqual(v, tt.set) {
				t.Fatalf("Get = %v, %v", v, ok)
			}
			if _, ok := e.Delete(p); !ok || e.Has(p) && !strings.Contains(tt.path, "-1") {
				t.Fatal("Delete left it there")
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	e := decode(t, `{"tags":"one"}`)
	e.Tag("two")
	e.Tag("two")
	e.AddTag("two")
	if got := string(e.AppendJSON(nil)); got != `{"tags":["one","two","two"]}` {
		t.Fatal(got)
	}
	e.RemoveTag("two")
	if e.HasTag("two") || !e.HasTag("one") {
		t.Fatal(string(e.AppendJSON(nil)))
	}
}

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	e := decode(t, `{"a":{"b":1},"l":[{"c":2}]}`)
	e.Set(MustPath("[a][x]"), Int(1))
	e.Set(MustPath("[l][0][x]"), Int(1))
	c := e.Batch().Clone(e)
	c.Set(MustPath("[a][x]"), Int(2))
	c.Set(MustPath("[l][0][x]"), Int(2))
	if got := string(e.AppendJSON(nil)); got != `{"a":{"b":1,"x":1},"l":[{"c":2,"x":1}]}` {
		t.Fatal(got)
	}
	other := NewBatch(true)
	i := other.ImportEvent(c, 0)
	e.Batch().Reset()
	if got := string(i.AppendJSON(nil)); got != `{"a":{"b":1,"x":2},"l":[{"c":2,"x":2}]}` {
		t.Fatal(got)
	}
}

func TestFloatAsJava(t *testing.T) {
	t.Parallel()
	for f, want := range map[float64]string{
		1: "1.0", 0: "0.0", -2.5: "-2.5", 1e20: "1.0E20", 1e-5: "1.0E-5", 0.001: "0.001", 9999999: "9999999.0", 1e7: "1.0E7",
		1.25e-7: "1.25E-7", -3e100: "-3.0E100", 123456.789: "123456.789", math.MaxFloat64: "1.7976931348623157E308",
	} {
		if got := string(AppendFloat(nil, f)); got != want {
			t.Errorf("%g = %s, want %s", f, got, want)
		}
	}
}

func TestISO(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"2026-11-22T23:50:01.5Z":           "2026-11-22T23:50:01.500Z",
		"2026-11-22 23:50":                 "2026-11-22T23:50:00.000Z",
		"2026-11-22T23:50:01,123456+09:00": "2026-11-22T14:50:01.123456Z",
		"2024-02-29T00:00:00-0330":         "2024-02-29T03:30:00.000Z",
		"1969-12-31T23:59:59.999999999Z":   "1969-12-31T23:59:59.999999999Z",
	} {
		ns, ok := ParseISO(s)
		if got := string(AppendISO(nil, ns)); !ok || got != want {
			t.Errorf("%s = %s, %v; want %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "2026-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2026-11-22T25:00:00Z", "2026-11-22T23:50:01.Z", "2026-11-22T23:50:01x"} {
		if ns, ok := ParseISO(s); ok {
			t.Errorf("%q = %d", s, ns)
		}
	}
}

func FuzzISO(f *testing.F) {
	f.Add("2026-11-22T23:50:01.5Z", int64(0))
	f.Fuzz(func(t *testing.T, s string, ns int64) {
		ParseISO(s)
		text := string(AppendISO(nil, ns))
		if want, err := time.Parse(time.RFC3339Nano, text); err != nil || want.UnixNano() != ns {
			t.Fatalf("%d prints as %s (%v)", ns, text, err)
		}
		if y := text[:4]; y > "1678" && y < "2261" {
			if got, ok := ParseISO(text); !ok || got != ns {
				t.Fatalf("%s = %d, %v; want %d", text, got, ok, ns)
			}
		}
	})
}

// FuzzJSON compares with encoding/json: what we take it takes, and the output means the same.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"b":[1,"x\u00e9",null,true]},"c":"\ud83d\ude00"}`, `{"a":1,"a":{"b":2,"b":3}}`, "{\"a\":\"\xff\"}", `{"a":-0.5e-3}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := NewBatch(false)
		e := b.New(0)
		in := strings.Clone(s)
		if b.DecodeObject(e, in) != nil {
			return
		}
		if len(*e.metadata()) > 0 || e.Has(MustPath("@version")) {
			return
		}
		trimmed := bytes.TrimPrefix([]byte(s), []byte("\ufeff"))
		var want, got any
		if err := json.Unmarshal(trimmed, &want); err != nil {
			if strings.Contains(err.Error(), "cannot unmarshal number") {
				return // past float64
			}
			t.Fatalf("%q was taken: %v", s, err)
		}
		if m, ok := want.(map[string]any); ok && m["@metadata"] != nil {
			return
		}
		touch(b, e)
		out := e.AppendJSON(nil)
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%q became %q: %v", s, out, err)
		}
		if bytes.ContainsAny(out, "\n\r") {
			t.Fatalf("%q became %q with a line break", s, out)
		}
		if strings.ToValidUTF8(s, "") == s && !strings.Contains(s, `\u`) && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q became %q", s, out)
		}
	})
}

// touch expands every second container, so that text and read values mix.
func touch(b *Batch, e *Event) {
	for i := range e.fields {
		if i%2 == 0 {
			b.expand(&e.fields[i].v)
		}
	}
}

const filebeat = `{"@timestamp":"2026-11-22T10:00:00.123Z","@metadata":{"beat":"filebeat","type":"_doc","version":"8.9.0"},"log":{"offset":1234567,"file":{"path":"/var/log/apache2/access.log"}},"message":"83.149.9.216 - - [17/May/2015:10:05:03 +0000] \"GET /presentations/logstash-monitorama-2013/images/kibana-search.png HTTP/1.1\" 200 203023 \"http://semicomplete.com/presentations/logstash-monitorama-2013/\" \"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36\"","input":{"type":"filestream"},"ecs":{"version":"8.0.0"},"host":{"name":"server-a"},"agent":{"type":"filebeat","version":"8.9.0","ephemeral_id":"8a1b9c3e-1f3a-4a40-9d5f-3d4d1c1f7a55","id":"c2f4a5b6-7d8e-4f90-a1b2-c3d4e5f60718","name":"server-a"}}`

func BenchmarkDecode(b *testing.B) {
	batch := NewBatch(false)
	b.SetBytes(int64(len(filebeat)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%125 == 0 {
			batch.Reset()
		}
		if err := batch.DecodeObject(batch.New(0), filebeat); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDecodePrint(b *testing.B) {
	batch := NewBatch(false)
	var out []byte
	p := MustPath("[log][level]")
	b.SetBytes(int64(len(filebeat)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%125 == 0 {
			batch.Reset()
		}
		e := batch.New(0)
		batch.DecodeObject(e, filebeat)
		e.Set(p, String("INFO"))
		out = e.AppendJSON(out[:0])
	}
}
