package syslog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// show is a message in one line, without what is empty.
func show(m *Message) string {
	s := ""
	add := func(name string, v any, is bool) {
		if is {
			s += fmt.Sprintf("%s=%v ", name, v)
		}
	}
	add("pri", fmt.Sprintf("%d/%d", m.Facility(), m.Severity()), m.Priority >= 0)
	add("v", m.Version, m.Version > 0)
	add("seq", m.Sequence, m.Sequence >= 0)
	add("t", m.Time.Format(time.RFC3339Nano), !m.Time.IsZero())
	add("host", string(m.Hostname), len(m.Hostname) > 0)
	add("app", string(m.App), len(m.App) > 0)
	add("pid", string(m.PID), len(m.PID) > 0)
	add("msgid", string(m.MsgID), len(m.MsgID) > 0)
	for _, p := range m.Data {
		s += fmt.Sprintf("[%s %s=%q] ", p.ID, p.Name, p.Value)
	}
	return s + fmt.Sprintf("%q", m.Text)
}

func TestParse(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)
	tests := []struct {
		in, want string
		err      error
	}{
		{"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", `pri=4/2 t=2025-10-11T22:14:15Z host=mymachine app=su "'su root' failed"`, nil},
		{"<13>Jan  4 03:04:05 h prog[77]: x\n", `pri=1/5 t=2026-01-04T03:04:05Z host=h app=prog pid=77 "x"`, nil},
		{"<13>Jan 04 03:04:05 h prog[77]: x", `pri=1/5 t=2026-01-04T03:04:05Z host=h app=prog pid=77 "x"`, nil},
		{"<13>Jan 4 03:04:05 h prog: x", `pri=1/5 t=2026-01-04T03:04:05Z host=h app=prog "x"`, nil},
		{"<13>Dec 31 23:59:59 h p: old year", `pri=1/5 t=2025-12-31T23:59:59Z host=h app=p "old year"`, nil},
		{"<13>Feb 29 00:00:00 h p: leap", `pri=1/5 t=2026-03-01T00:00:00Z host=h app=p "leap"`, nil},
		{"<13>Oct 11 22:14:15.123 h p: x", `pri=1/5 t=2025-10-11T22:14:15.123Z host=h app=p "x"`, nil},
		{"<13>Oct 11 2024 22:14:15 h p: x", `pri=1/5 t=2024-10-11T22:14:15Z host=h app=p "x"`, nil},
		{"<13>Oct 11 22:14:15 2024 h p: x", `pri=1/5 t=2024-10-11T22:14:15Z host=h app=p "x"`, nil},
		{"<189>2655: *Oct 11 22:14:15.5: %LINK-3-UPDOWN: Interface up", `pri=23/5 seq=2655 t=2025-10-11T22:14:15.5Z app=%LINK-3-UPDOWN "Interface up"`, nil},
		{"<13>2026-11-22T21:34:10.888+09:00 vm tag: msg", `pri=1/5 t=2026-11-22T21:34:10.888+09:00 host=vm app=tag "msg"`, nil},
		{"<30>Oct 11 22:14:15 vm systemd[1]: Started x.", `pri=3/6 t=2025-10-11T22:14:15Z host=vm app=systemd pid=1 "Started x."`, nil},
		{"<22>Oct 11 22:14:15 vm postfix/smtpd[9]: a: b", `pri=2/6 t=2025-10-11T22:14:15Z host=vm app=postfix/smtpd pid=9 "a: b"`, nil},
		{"<13>Oct 11 22:14:15 logger: from a socket", `pri=1/5 t=2025-10-11T22:14:15Z app=logger "from a socket"`, nil},
		{"<13>Oct 11 22:14:15 fe80::1 p: x", `pri=1/5 t=2025-10-11T22:14:15Z host=fe80::1 app=p "x"`, nil},
		{"<13>Oct 11 22:14:15 h no tag here", `pri=1/5 t=2025-10-11T22:14:15Z host=h "no tag here"`, nil},
		{"<13>Oct 11 22:14:15 h 한글 메시지", `pri=1/5 t=2025-10-11T22:14:15Z host=h "한글 메시지"`, nil},
		{"Oct 11 22:14:15 ]: odd", `t=2025-10-11T22:14:15Z app=] "odd"`, nil},
		{"Oct 11 22:14:15 h p: no priority", `t=2025-10-11T22:14:15Z host=h app=p "no priority"`, nil},
		{"<13>just text", `pri=1/5 "just text"`, ErrTime},
		{"<13>Oct 41 22:14:15 h p: x", `pri=1/5 "Oct 41 22:14:15 h p: x"`, ErrTime},
		{"<1024>Oct 11 22:14:15 h p: x", `""`, ErrPriority},
		{"<>x", `""`, ErrPriority},
		{"<13", `""`, ErrPriority},
		{"", `""`, ErrTime},
		{"plain", `"plain"`, ErrTime},

		{`<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - ` + "\ufeff" + `'su root' failed`, `pri=4/2 v=1 t=2003-10-11T22:14:15.003Z host=mymachine.example.com app=su msgid=ID47 "'su root' failed"`, nil},
		{`<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% time`, `pri=20/5 v=1 t=2003-08-24T05:14:15.000003-07:00 host=192.0.2.1 app=myproc pid=8710 "%% time"`, nil},
		{`<165>1 - - - - - [a@1 x="1" y="q\"b\\c\]d\e"][b@2] text`, `pri=20/5 v=1 [a@1 x="1"] [a@1 y="q\"b\\c]d\\e"] [b@2 =""] "text"`, nil},
		{`<165>1 - - - - - [a@1 x=""]`, `pri=20/5 v=1 [a@1 x=""] ""`, nil},
		{`<165>1 - - - - - -`, `pri=20/5 v=1 ""`, nil},
		{`<165>1 - - - - -`, `pri=20/5 v=1 ""`, ErrHeader},
		{`<165>1 - h a`, `pri=20/5 v=1 host=h app=a ""`, ErrHeader},
		{`<165>1 - - - - - [a`, `pri=20/5 v=1 ""`, ErrData},
		{`<165>1 - - - - - [a x=1]`, `pri=20/5 v=1 ""`, ErrData},
		{`<165>1 - - - - - [a x="1"]z`, `pri=20/5 v=1 [a x="1"] ""`, ErrData},
		{`<165>1 2003-13-24T05:14:15Z h a p m - x`, `pri=20/5 v=1 ""`, ErrTime},
	}
	for _, tc := range tests {
		var m Message
		err := Parse(&m, []byte(tc.in), Options{Now: now, Zone: time.UTC})
		if got := show(&m); got != tc.want || !errors.Is(err, tc.err) {
			t.Errorf("%s\n got %s %v\nwant %s %v", tc.in, got, err, tc.want, tc.err)
		}
	}
}

func TestParseFormat(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	var m Message
	if err := Parse(&m, []byte("<13>Oct 11 22:14:15 h p: x"), Options{Format: RFC5424, Now: now}); !errors.Is(err, ErrVersion) {
		t.Errorf("RFC 3164 as RFC 5424: %v", err)
	}
	if err := Parse(&m, []byte("<13>1 - - - - - - x"), Options{Format: RFC3164, Now: now}); !errors.Is(err, ErrTime) {
		t.Errorf("RFC 5424 as RFC 3164: %v", err)
	}
	zone := time.FixedZone("", 9*3600)
	if err := Parse(&m, []byte("<13>Oct 11 22:14:15 h p: x"), Options{Zone: zone, Now: now}); err != nil || m.Time.UTC().Hour() != 13 {
		t.Errorf("in a zone: %v %v", m.Time, err)
	}
	if _, err := FindFormat("ietf"); err == nil {
		t.Error("format ietf is taken")
	}
	if _, err := FindFraming("lf"); err == nil {
		t.Error("framing lf is taken")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	m := Message{Priority: 165}
	if a, b := FacilityName(m.Facility()), SeverityName(m.Severity()); a != "local4" || b != "Notice" {
		t.Error(a, b)
	}
	if FacilityName(24) != "" || SeverityName(-1) != "" {
		t.Error("names out of range")
	}
}

func TestFramer(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		kind     Framing
		delim    string
		want     []string // "+n" for n bytes cut, "!" for a message without end
		err      error
	}{
		{"lines", "a\nbb\r\n\nc", Delimiter, "", []string{"a", "bb", "", "c!"}, io.EOF},
		{"nul", "a\x00b\nc\x00", Delimiter, "\x00", []string{"a", "b\nc"}, io.EOF},
		{"two bytes", "a;b;;c;;;", Delimiter, ";;", []string{"a;b", "c", ";!"}, io.EOF},
		{"too long", "0123456789abcdef\nx\n", Delimiter, "", []string{"01234567+8", "x"}, io.EOF},
		{"just fits", "01234567\r\nx\n", Delimiter, "", []string{"01234567", "x"}, io.EOF},
		{"counted", "3 a\nb2 cd", RFC6587, "", []string{"a\nb", "cd"}, io.EOF},
		{"counted and lines", "3 abc<1>x\n2 yz", RFC6587, "", []string{"abc", "<1>x", "yz"}, io.EOF},
		{"counted too long", "12 0123456789ab1 x", RFC6587, "", []string{"01234567+4", "x"}, io.EOF},
		{"no length", "3a", RFC6587, "", nil, ErrLength},
		{"much too long", "9999999999 x", RFC6587, "", nil, ErrLength},
		{"counted, cut", "5 abc", RFC6587, "", nil, io.ErrUnexpectedEOF},
		{"nothing", "", RFC6587, "", nil, io.EOF},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []io.Reader{strings.NewReader(tc.in), iotest.OneByteReader(strings.NewReader(tc.in))} {
				got, err := frames(r, tc.kind, tc.delim, 8)
				if !slices.Equal(got, tc.want) || !errors.Is(err, tc.err) {
					t.Errorf("%q %v, want %q %v", got, err, tc.want, tc.err)
				}
			}
		})
	}
}

func frames(r io.Reader, kind Framing, delim string, most int) (got []string, err error) {
	f := NewFramer(r, kind, delim, most)
	for at := int64(0); ; {
		ready := f.Ready()
		m, err := f.Next()
		if ready && err != nil && !errors.Is(err, ErrLength) {
			return got, fmt.Errorf("ready, and %w", err)
		}
		if err != nil {
			return got, err
		}
		s := string(m.Bytes)
		if m.Cut > 0 {
			s += fmt.Sprintf("+%d", m.Cut)
		}
		if m.Last {
			s += "!"
		}
		got = append(got, s)
		if m.From != at || m.To <= m.From || len(m.Bytes) > most {
			return got, fmt.Errorf("frame %+v begins at %d", m, at)
		}
		at = m.To
	}
}

// FuzzParse: any bytes end in a message whose parts lie within them.
func FuzzParse(f *testing.F) {
	f.Add([]byte("<34>Oct 11 22:14:15 mymachine su[1]: 'su root' failed"))
	f.Add([]byte(`<165>1 2003-10-11T22:14:15.003Z h a p m [a x="\]"] text`))
	f.Add([]byte("<189>2655: *Oct 11 2024 22:14:15.5: %LINK-3-UPDOWN: Interface up"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, format := range []Format{Auto, RFC3164, RFC5424} {
			var m Message
			err := Parse(&m, b, Options{Format: format, Now: time.Unix(1.8e9, 0), Zone: time.UTC})
			if err == nil && format == RFC3164 && m.Time.IsZero() {
				t.Error("no time and no error")
			}
			for _, p := range [][]byte{m.Hostname, m.App, m.PID, m.MsgID, m.Text, m.TimeText, m.RawData} {
				if !bytes.Contains(b, p) {
					t.Errorf("%q is not in %q", p, b)
				}
			}
		}
	})
}

// FuzzFramer: what comes out does not depend on how the bytes arrive.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("3 abc<1>x\n2 yz"), uint8(1), "")
	f.Add([]byte("a;b;;c;;;"), uint8(0), ";;")
	f.Fuzz(func(t *testing.T, b []byte, kind uint8, delim string) {
		whole, err := frames(bytes.NewReader(b), Framing(kind%2), delim, 8)
		slow, _ := frames(iotest.OneByteReader(bytes.NewReader(b)), Framing(kind%2), delim, 8)
		if !slices.Equal(whole, slow) {
			t.Errorf("%q at once (%v), %q byte by byte", whole, err, slow)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{
		"rfc3164": "<30>Oct 11 22:14:15 web-01 nginx[2113]: 10.1.2.3 - - \"GET /index.html HTTP/1.1\" 200 5316 \"-\" \"curl/8.5\"",
		"rfc5424": `<30>1 2026-10-11T22:14:15.003Z web-01 nginx 2113 access [origin ip="10.1.2.3"] "GET /index.html HTTP/1.1" 200 5316 "-" "curl/8.5"`,
	} {
		b.Run(name, func(b *testing.B) {
			var m Message
			in := []byte(s)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			o := Options{Now: time.Now(), Zone: time.UTC}
			for b.Loop() {
				if err := Parse(&m, in, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
