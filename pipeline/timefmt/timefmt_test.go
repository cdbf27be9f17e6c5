package timefmt

import (
	"testing"
	"time"

	"github.com/weirlog/weir/event"
)

func now() time.Time { return time.Date(2026, 12, 22, 10, 0, 0, 0, time.UTC) }

func TestParse(t *testing.T) {
	t.Parallel()
	seoul, err := LoadZone("Asia/Seoul")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ pattern, in, want string }{
		{"dd/MMM/yyyy:HH:mm:ss Z", "17/May/2015:10:05:03 +0000", "2015-05-17T10:05:03.000Z"},
		{"yyyy-MM-dd HH:mm:ss.SSS", "2026-11-22 23:50:01.123", "2026-11-22T14:50:01.123Z"},
		{"yyyy-MM-dd HH:mm:ss,SSSSSS", "2026-11-22 23:50:01,123456", "2026-11-22T14:50:01.123456Z"},
		{"yyyyMMddHHmmss", "20261122235001", "2026-11-22T14:50:01.000Z"},
		{"MMM  d HH:mm:ss", "Dec  2 03:04:05", "2026-12-01T18:04:05.000Z"},
		{"MMM d HH:mm:ss", "Jan 1 12:00:00", "2027-01-01T03:00:00.000Z"},
		{"EEE MMM dd HH:mm:ss yyyy", "Mon Aug 31 09:30:48 2015", "2015-08-31T00:30:48.000Z"},
		{"MMMM d, yyyy h:mm:ss a", "July 4, 2020 12:01:02 AM", "2020-07-03T15:01:02.000Z"},
		{"MMM d, yyyy h:mm:ss a", "Jul 4, 2020 3:01:02 pm", "2020-07-04T06:01:02.000Z"},
		{"yyyy-MM-dd'T'HH:mm:ssZZ", "2020-01-01T00:00:00-03:30", "2020-01-01T03:30:00.000Z"},
		{"yyyy-MM-dd'T'HH:mm:ssZ", "2020-01-01T00:00:00Z", "2020-01-01T00:00:00.000Z"},
		{"yy/MM/dd", "99/01/02", "1999-01-01T15:00:00.000Z"},
		{"yy/MM/dd", "26/01/02", "2026-01-01T15:00:00.000Z"},
		{"yyyy-DDD", "2024-366", "2024-12-30T15:00:00.000Z"},
		{"yyyy-MM-dd HH:mm z", "2020-01-01 00:00 EST", "2020-01-01T05:00:00.000Z"},
		{"yyyy-MM-dd HH:mm ZZZ", "2020-07-01 00:00 Europe/Berlin", "2020-06-30T22:00:00.000Z"},
		{"H 'o''clock', d.M.yyyy", "7 o'clock, 5.6.2021", "2021-06-04T22:00:00.000Z"},
		{"yyyy-MM-dd", "2026-13-01", ""},
		{"yyyy-MM-dd", "2025-02-29", ""},
		{"yyyy-MM-dd", "2025-02-28x", ""},
		{"HH:mm", "24:00", ""},
		{"yyyy-MM-dd HH:mm:ss.SSS", "2026-11-22 23:50:01.1234", ""},
		{"MMM", "Foo", ""},
		{"yyyy", "", ""},
	} {
		l, err := Compile(tt.pattern, Joda)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		ns, ok := l.Parse(tt.in, NewZone(seoul), now)
		got := ""
		if ok {
			got = string(event.AppendISO(nil, ns))
		}
		if got != tt.want {
			t.Errorf("%s of %q = %q, want %q", tt.pattern, tt.in, got, tt.want)
		}
	}
}

func TestAppend(t *testing.T) {
	t.Parallel()
	ns := time.Date(2021, 1, 3, 15, 4, 5, 67_000_000, time.UTC).UnixNano()
	for _, tt := range []struct {
		lang          Language
		pattern, want string
	}{
		{Joda, "yyyy.MM.dd", "2021.01.03"}, {Joda, "YYYY.MM.dd", "2021.01.03"}, {Joda, "xxxx.ww", "2020.53"}, {Joda, "e E EEEE", "7 Sun Sunday"},
		{Joda, "D DDD", "3 003"}, {Joda, "HH:mm:ss.SSS a h K k", "15:04:05.067 PM 3 3 15"}, {Joda, "MMM MMMM yy", "Jan January 21"},
		{Joda, "Z ZZ", "+0000 +00:00"}, {Java, "uuuu-MM-dd'T'HH:mm:ss.SSSX", "2021-01-03T15:04:05.067Z"}, {Java, "YYYY-'W'ww-e", "2020-W53-7"},
		{Java, "xxx Q", "+00:00 1"}, {Joda, "M d H m s", "1 3 15 4 5"},
	} {
		l, err := Compile(tt.pattern, tt.lang)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		if got := string(l.Append(nil, ns, time.UTC)); got != tt.want {
			t.Errorf("%s = %q, want %q", tt.pattern, got, tt.want)
		}
	}
	for _, p := range []string{"yyyy'x", "bb", "SSSSSSSSSS", "I"} {
		if _, err := Compile(p, Joda); err == nil {
			t.Errorf("pattern %q was taken", p)
		}
	}
}

// TestZoneRemembers compares the remembered offsets with fresh ones through both changes of a year.
func TestZoneRemembers(t *testing.T) {
	t.Parallel()
	loc, err := LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	z := NewZone(loc)
	from := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC).Unix()
	for _, start := range []int64{from, from + 210*86400} {
		for s := start; s < start+3*86400; s += 600 {
			if got, want := z.Offset(s), NewZone(loc).compute(s); got != want {
				t.Fatalf("offset at local %d = %d, want %d", s, got, want)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("dd/MMM/yyyy:HH:mm:ss Z", "17/May/2015:10:05:03 +0000")
	f.Add("yyyyMMdd'T'ZZZ", "20150101TEurope/Berlin")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		l, err := Compile(pattern, Joda)
		if err != nil {
			return
		}
		if ns, ok := l.Parse(s, NewZone(time.UTC), now); ok {
			l.Append(nil, ns, time.UTC)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	l, _ := Compile("dd/MMM/yyyy:HH:mm:ss Z", Joda)
	z := NewZone(time.UTC)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := l.Parse("17/May/2015:10:05:03 +0000", z, now); !ok {
			b.Fatal("no")
		}
	}
}
