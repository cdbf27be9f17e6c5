package mapping

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// values gives the values of one document back in order.
type values map[int][]Value

func (v values) Next(f int) (Type, int64, []byte, bool) {
	l := v[f]
	if len(l) == 0 {
		return 0, 0, nil, false
	}
	v[f] = l[1:]
	return l[0].Field.Type, l[0].Num, l[0].Bytes, true
}
func (v values) More(f int) bool { return len(v[f]) > 0 }

// scanAll scans src, extending the mapping as a store does.
func scanAll(t testing.TB, m *Mapping, lim Limits, src string) (*Mapping, *Docs, error) {
	t.Helper()
	var d Docs
	for range 50 {
		missing, err := NewScanner(m, lim).Scan([]byte(src), "1", false, &d)
		if err != nil {
			return m, nil, err
		}
		if missing == nil {
			return m, &d, nil
		}
		ext, beyond, err := m.Extend(missing, lim)
		if err != nil {
			return m, nil, err
		}
		m = ext
		if len(beyond) > 0 {
			_, err := NewScanner(m, lim).Scan([]byte(src), "1", true, &d)
			return m, &d, err
		}
	}
	t.Fatalf("%s: never ends", src)
	return nil, nil, nil
}

func printed(t testing.TB, d *Docs) string {
	t.Helper()
	doc := d.Docs[0]
	row := values{}
	for _, v := range d.Values[doc.Values[0]:doc.Values[1]] {
		row[v.Field.Num] = append(row[v.Field.Num], v)
	}
	out, ok := AppendDocument(nil, d.Shapes[doc.Shape[0]:doc.Shape[1]], d.Rest[doc.Rest[0]:doc.Rest[1]], row)
	if !ok {
		t.Fatalf("cannot print; got %s", out)
	}
	return string(out)
}

func TestPrintsAsWritten(t *testing.T) {
	t.Parallel()
	for _, src := range []string{
		`{}`,
		`{"a":1,"b":"x","c":true,"d":null,"e":[],"f":{},"g":-0,"h":1.0,"i":1e3,"j":0.25,"k":1234567890123456789}`,
		`{"@timestamp":"2025-07-01T12:13:14.567Z","t2":"2025-07-01T12:13:14Z","t3":"2025-07-01T12:13:14.567+09:00","t4":"2025-07-01","t5":"2025-07-01T12:13:14.123456Z"}`,
		`{"a":{"b":{"c":1}},"a.b.d":2,"x.y":{"z":3}}`,
		`{"a.b":1,"a":{"b":2}}`,
		`{"l":[1,2,3],"s":["x","y"],"m":[1,null],"n":[[1],[2,3]],"o":[{"p":1},{"p":2,"q":"r"}]}`,
		`{"o":[{"p":1}],"o.p":5}`,
		`{"s":"tab\tquote\"back\\slash\u0001é"}`,
		`{"k":"` + strings.Repeat("x", 300) + `"}`,
	} {
		_, d, err := scanAll(t, New(), DefaultLimits(), src)
		if err != nil {
			t.Errorf("%s: %v %v", src, err, err.(*Error).Cause)
			continue
		}
		if got := printed(t, d); got != src {
			t.Errorf("got  %s\nwant %s", got, src)
		}
	}
}

func TestNormalises(t *testing.T) {
	t.Parallel()
	src := " { \"a\" : [ 1 , 2 ] , \"b\" : \"\\u0041\\/\\ud83d\\ude00\\ud800\" , \"c\" : [ { \"x\" : \"\\u0041\" } ] } "
	_, d, err := scanAll(t, New(), DefaultLimits(), src)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := printed(t, d), "{\"a\":[1,2],\"b\":\"A/😀\uFFFD\",\"c\":[{\"x\":\"A\"}]}"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestRefuses(t *testing.T) {
	t.Parallel()
	for _, src := range []string{``, `[]`, `1`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":1}x`, `{"a":01}`, `{"a":1.}`, `{"a":"` + "\n" + `"}`, `{"a":"\x"}`,
		`{"a":tru}`, `{"a":1,"a":2}`, `{"a":{"b":1,"b":2}}`, strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), `{"":1}`} {
		if _, _, err := scanAll(t, New(), DefaultLimits(), src); err == nil {
			t.Errorf("%.40s: taken", src)
		}
	}
}

func TestTypes(t *testing.T) {
	t.Parallel()
	m, d, err := scanAll(t, New(), DefaultLimits(), `{"s":"hello","d":"2025-07-01T00:00:00Z","l":5,"f":1.5,"b":false,"o":{"x":"y"}}`)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"properties":{"b":{"type":"boolean"},"d":{"type":"date"},"f":{"type":"float"},"l":{"type":"long"},"o":{"properties":{"x":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}}},"s":{"type":"text","fields":{"keyword":{"type":"keyword","ignore_above":256}}}}}`
	if got := string(m.JSON()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var got []string
	for _, v := range d.Values {
		got = append(got, fmt.Sprintf("%s=%d%s", v.Field.Path, v.Num, v.Bytes))
	}
	want2 := []string{"s=0hello", "s.keyword=0hello", "d=1751328000000", "l=5", fmt.Sprintf("f=%d", Sortable(1.5)), "b=0", "o.x=0y", "o.x.keyword=0y"}
	if !reflect.DeepEqual(got, want2) {
		t.Errorf("values %v, want %v", got, want2)
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(`{"properties":{"n":{"type":"long"},"ip":{"type":"ip"},"o":{"properties":{"x":{"type":"long"}}},"@timestamp":{"type":"date"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	tolerant := DefaultLimits()
	tolerant.IgnoreMalformed = true
	for _, c := range []struct{ src, reason, ignored string }{
		{`{"n":"x"}`, "[1:9] failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'x'", "n"},
		{`{"n":{"a":1}}`, "[1:6] failed to parse field [n] of type [long] in document with id '1'. Preview of field's value: 'an object'", "n"},
		{`{"o":5}`, "[1:6] object mapping for [o] tried to parse field [o] as object, but found a concrete value", "o"},
		{`{"ip":["1.2.3.4","zz"]}`, "[1:22] failed to parse field [ip] of type [ip] in document with id '1'. Preview of field's value: 'zz'", "ip"},
		{`{"@timestamp":"never"}`, "[1:22] failed to parse field [@timestamp] of type [date] in document with id '1'. Preview of field's value: 'never'", ""},
	} {
		if _, _, err := scanAll(t, m, DefaultLimits(), c.src); err == nil || err.(*Error).Reason != c.reason {
			t.Errorf("%s: %v, want %s", c.src, err, c.reason)
		}
		_, d, err := scanAll(t, m, tolerant, c.src)
		if c.ignored == "" {
			if err == nil {
				t.Errorf("%s: taken", c.src)
			}
			continue
		}
		if err != nil || len(d.Ignored) != 1 || d.Ignored[0] != c.ignored {
			t.Errorf("%s: %v, ignored %v", c.src, err, d)
			continue
		}
		if got := printed(t, d); got != c.src {
			t.Errorf("got %s, want %s", got, c.src)
		}
	}
}

func TestFieldLimit(t *testing.T) {
	t.Parallel()
	lim := DefaultLimits()
	lim.TotalFields = 3
	src := `{"a":1,"b":2,"c":3,"d":4}`
	if _, _, err := scanAll(t, New(), lim, src); err == nil || !strings.Contains(err.Error(), "Limit of total fields [3] has been exceeded") {
		t.Errorf("error %v", err)
	}
	lim.IgnoreBeyond = true
	m, d, err := scanAll(t, New(), lim, src)
	if err != nil || m.Field("d") != nil || len(d.Ignored) != 1 || d.Ignored[0] != "d" || printed(t, d) != src {
		t.Errorf("%v %+v", err, d)
	}
}

func TestLogsMapping(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(Logs))
	if err != nil {
		t.Fatal(err)
	}
	lim := DefaultLimits()
	lim.IgnoreMalformed, lim.IgnoreBeyond = true, true
	m, _, err = scanAll(t, m, lim, `{"@timestamp":"2025-07-01T00:00:00Z","message":"m","source":{"ip":"1.2.3.4"},"http":{"response":{"status_code":200}},"x":1.5,"d":"2025-07-01","event":{"original":"o"}}`)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Type{"message": MatchOnlyText, "source.ip": IP, "http.response.status_code": Long, "x": Double, "d": Keyword, "@timestamp": Date} {
		if f := m.Field(path); f == nil || f.Type != want {
			t.Errorf("%s is %v, want %s", path, f, want)
		}
	}
}

// FuzzScan compares what a document prints as with what encoding/json makes of the original.
func FuzzScan(f *testing.F) {
	f.Add(`{"a":{"b":[1,2,{"c":"x"}]},"a.d":1.50,"t":"2025-07-01T12:13:14.567Z"}`)
	f.Add(`{"a.b":1,"a":{"b":2},"s":"\ud800\u00e9"}`)
	f.Fuzz(func(t *testing.T, src string) {
		lim := DefaultLimits()
		lim.IgnoreMalformed, lim.IgnoreBeyond = true, true
		_, d, err := scanAll(t, New(), lim, src)
		if err != nil {
			return
		}
		out := printed(t, d)
		var a, b any
		da, db := json.NewDecoder(strings.NewReader(src)), json.NewDecoder(strings.NewReader(out))
		da.UseNumber()
		db.UseNumber()
		if err := da.Decode(&a); err != nil {
			t.Fatalf("taken, but encoding/json says %v: %q", err, src)
		}
		if err := db.Decode(&b); err != nil {
			t.Fatalf("printed %q: %v", out, err)
		}
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("%q printed as %q", src, out)
		}
	})
}

const sample = `{"@timestamp":"2025-07-01T12:13:14.567Z","log":{"level":"INFO","file":{"path":"/var/log/mvc/app.log"},"offset":123456},"host":{"name":"web-12","ip":"10.0.3.7"},"agent":{"name":"web-12","type":"filebeat","version":"8.19.0","id":"0d9e1f5a-1111-4222-8333-444455556666"},"service":{"name":"orders"},"process":{"pid":4711,"thread":{"name":"http-nio-8080-exec-7"}},"message":"Received block blk_3587508140051953248 of size 67108864 from /10.251.42.84 in 12 ms","trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"},"http":{"request":{"method":"GET"},"response":{"status_code":200,"bytes":5123}},"url":{"path":"/api/v1/orders/17"},"source":{"ip":"192.168.17.4"},"user_agent":{"original":"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"},"event":{"duration":1234567}}`

func BenchmarkScan(b *testing.B) {
	m, err := Parse([]byte(Logs))
	if err != nil {
		b.Fatal(err)
	}
	lim := DefaultLimits()
	m, _, err = scanAll(b, m, lim, sample)
	if err != nil {
		b.Fatal(err)
	}
	s := NewScanner(m, lim)
	var d Docs
	src := []byte(sample)
	b.SetBytes(int64(len(sample)))
	b.ReportAllocs()
	for b.Loop() {
		d.Reset()
		if _, err := s.Scan(src, "", false, &d); err != nil {
			b.Fatal(err)
		}
	}
}
