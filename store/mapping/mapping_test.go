package mapping

import (
	"testing"
	"time"
)

func TestParsePrintMerge(t *testing.T) {
	t.Parallel()
	m, err := Parse([]byte(`{"dynamic":"strict","properties":{"a":{"type":"long"},"b.c":{"type":"text","fields":{"raw":{"type":"keyword","ignore_above":10}}},"d":{"type":"alias","path":"a"},"lab":{"type":"flattened"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"dynamic":"strict","properties":{"a":{"type":"long"},"b":{"properties":{"c":{"type":"text","fields":{"raw":{"type":"keyword","ignore_above":10}}}}},"d":{"type":"alias","path":"a"},"lab":{"type":"flattened"}}}`
	if got := string(m.JSON()); got != want {
		t.Errorf("JSON = %s\nwant   %s", got, want)
	}
	if f := m.Field("d"); f == nil || f.Path != "a" {
		t.Errorf("alias resolves to %v", f)
	}
	if f := m.Field("b.c.raw"); f == nil || f.Type != Keyword || f.IgnoreAbove != 10 || f.Parent != "b.c" || f.Name() != "raw" {
		t.Errorf("multi-field %+v", f)
	}
	if f := m.Field("lab.x.y"); f == nil || f.Key != "x.y" || f.Column() != "lab._keyed" {
		t.Errorf("flattened key %+v", f)
	}
	again, err := Parse(m.JSON())
	if err != nil || string(again.JSON()) != want {
		t.Errorf("does not read its own output: %v %s", err, again.JSON())
	}
	more, _ := Parse([]byte(`{"properties":{"a":{"type":"long"},"b":{"properties":{"z":{"type":"ip"}}}}}`))
	mm, err := m.Merge(more)
	if err != nil || mm.Field("b.z") == nil || mm.Field("a").Num != m.Field("a").Num || m.Field("b.z") != nil {
		t.Errorf("merge: %v", err)
	}
}

func TestMergeErrors(t *testing.T) {
	t.Parallel()
	cases := []struct{ have, in, want string }{
		{`{"f":{"type":"long"}}`, `{"f":{"type":"keyword"}}`, "mapper [f] cannot be changed from type [long] to [keyword]"},
		{`{"f":{"type":"long"}}`, `{"f":{"properties":{"x":{"type":"long"}}}}`, "can't merge a non object mapping [f] with an object mapping"},
		{`{"f":{"type":"text"}}`, `{"f":{"type":"text","analyzer":"simple"}}`, "Mapper for [f] conflicts with existing mapper:\n\tCannot update parameter [analyzer] from [default] to [simple]"},
		{`{"f":{"type":"keyword"}}`, `{"f":{"type":"keyword","ignore_above":5}}`, ""},
		{`{"f":{"type":"keyword","index":true}}`, `{"f":{"type":"keyword"}}`, ""},
	}
	for _, c := range cases {
		a, err := Parse([]byte(`{"properties":` + c.have + `}`))
		if err != nil {
			t.Fatal(err)
		}
		b, err := Parse([]byte(`{"properties":` + c.in + `}`))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if _, err = a.Merge(b); err != nil {
			got = err.(*Error).Reason
		}
		if got != c.want {
			t.Errorf("%s + %s: %q, want %q", c.have, c.in, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	seoul, err := time.LoadLocation("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		format, in string
		up         bool
		loc        *time.Location
		want       string // RFC 3339; "" means refused
	}{
		{"strict_date_optional_time||epoch_millis", "2025-07-01T12:13:14.567Z", false, nil, "2025-07-01T12:13:14.567Z"},
		{"strict_date_optional_time||epoch_millis", "2025-07-01T12:13:14.567+09:00", false, nil, "2025-07-01T03:13:14.567Z"},
		{"strict_date_optional_time||epoch_millis", "2025-07", true, nil, "2025-07-31T23:59:59.999999999Z"},
		{"strict_date_optional_time||epoch_millis", "2025-07-01", false, seoul, "2025-06-30T15:00:00Z"},
		{"strict_date_optional_time||epoch_millis", "2025-7-1", false, nil, ""},
		{"strict_date_optional_time||epoch_millis", "2025-02-30", false, nil, ""},
		{"date_optional_time", "2025-7-1", false, nil, "2025-07-01T00:00:00Z"},
		{"strict_date_optional_time||epoch_millis", "1751371994567", false, nil, "2025-07-01T12:13:14.567Z"},
		{"epoch_second", "1751371994.5", false, nil, "2025-07-01T12:13:14.5Z"},
		{"yyyy-MM-dd HH:mm:ss,SSS", "2025-07-01 01:02:03,004", false, nil, "2025-07-01T01:02:03.004Z"},
		{"dd/MMM/yyyy:HH:mm:ss Z", "01/Jul/2025:01:02:03 +0200", false, nil, "2025-06-30T23:02:03Z"},
		{"yyyyMMdd", "20250701", true, nil, "2025-07-01T23:59:59.999999999Z"},
		{"8yyyy-MM-dd", "2025-07-01", false, nil, "2025-07-01T00:00:00Z"},
		{"yyyy-MM-dd[ HH:mm]", "2025-07-01", false, nil, "2025-07-01T00:00:00Z"},
		{"yyyy-MM-dd[ HH:mm]", "2025-07-01 10:11", false, nil, "2025-07-01T10:11:00Z"},
		{"yyyy-MM-dd h:mm a", "2025-07-01 1:11 PM", false, nil, "2025-07-01T13:11:00Z"},
		{"yyyy-DDD", "2025-182", false, nil, "2025-07-01T00:00:00Z"},
	}
	for _, c := range cases {
		f, err := ParseDateFormat(c.format)
		if err != nil {
			t.Fatal(err)
		}
		ns, err := f.Parse(c.in, c.up, c.loc)
		got := ""
		if err == nil {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s: %q = %q (%v), want %q", c.format, c.in, got, err, c.want)
		}
	}
}

func TestDateMath(t *testing.T) {
	t.Parallel()
	now := time.Date(2025, 7, 31, 12, 13, 14, 567e6, time.UTC)
	cases := []struct {
		expr string
		up   bool
		want string
	}{
		{"now-15m", false, "2025-07-31T11:58:14.567Z"},
		{"now/d", false, "2025-07-31T00:00:00Z"},
		{"now/d", true, "2025-07-31T23:59:59.999999999Z"},
		{"now-1M/M", false, "2025-06-01T00:00:00Z"},
		{"now-1M", false, "2025-06-30T12:13:14.567Z"},
		{"2025-07||/M+1d", false, "2025-07-02T00:00:00Z"},
		{"2025-07-31T00:00:00Z||+1h", false, "2025-07-31T01:00:00Z"},
		{"now+", false, ""},
		{"now/q", false, ""},
	}
	for _, c := range cases {
		ns, err := ParseDateMath(c.expr, now, DefaultDateFormat(), nil, c.up)
		got := ""
		if err == nil {
			got = time.Unix(0, ns).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%s = %q (%v), want %q", c.expr, got, err, c.want)
		}
	}
}

func TestDateFormatPrints(t *testing.T) {
	t.Parallel()
	ns := time.Date(2025, 7, 1, 3, 4, 5, 6_007_008, time.UTC).UnixNano()
	for _, c := range [][2]string{
		{"strict_date_optional_time||epoch_millis", "2025-07-01T03:04:05.006Z"},
		{"strict_date_optional_time_nanos", "2025-07-01T03:04:05.006007008Z"},
		{"epoch_millis", "1751339045006"},
		{"yyyy-MM-dd", "2025-07-01"},
		{"E, d MMM yyyy hh:mm a", "Tue, 1 Jul 2025 03:04 AM"},
		{"yyyy-MM-dd'T'HH:mm:ssZ", "2025-07-01T03:04:05+0000"},
	} {
		f, err := ParseDateFormat(c[0])
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Format(ns, nil); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
}

func TestVersionOrder(t *testing.T) {
	t.Parallel()
	order := []string{"0.9", "1.2.3-alpha", "1.2.3-alpha.1", "1.2.3-beta.2", "1.2.3-beta.11", "1.2.3", "1.2.10", "1.10.0", "2.0", "nonsense"}
	for i := range order {
		if got := VersionText(VersionKey(order[i])); got != order[i] {
			t.Errorf("VersionText(VersionKey(%q)) = %q", order[i], got)
		}
		if i > 0 && string(VersionKey(order[i-1])) >= string(VersionKey(order[i])) {
			t.Errorf("%s is not below %s", order[i-1], order[i])
		}
	}
}

func FuzzDateFormat(f *testing.F) {
	f.Add("yyyy-MM-dd[ HH:mm]", "2025-07-01 10:11")
	f.Add("strict_date_optional_time||epoch_millis", "2025-07-01T12:13:14.567Z")
	f.Fuzz(func(t *testing.T, spec, s string) {
		d, err := ParseDateFormat(spec)
		if err != nil {
			return
		}
		if ns, err := d.Parse(s, false, nil); err == nil {
			d.Format(ns, nil)
		}
		ParseDateMath(s, time.Unix(0, 0), d, nil, true)
	})
}

func FuzzParse(f *testing.F) {
	f.Add(`{"dynamic":"strict","properties":{"a":{"type":"long"},"b.c":{"type":"text","fields":{"raw":{"type":"keyword"}}}}}`)
	f.Fuzz(func(t *testing.T, s string) {
		m, err := Parse([]byte(s))
		if err != nil {
			return
		}
		js := m.JSON()
		n, err := Parse(js)
		if err != nil {
			t.Fatalf("%s -> %s: %v", s, js, err)
		}
		if string(n.JSON()) != string(js) {
			t.Fatalf("%s -> %s -> %s", s, js, n.JSON())
		}
	})
}
