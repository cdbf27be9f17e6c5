package dissect

import (
	"fmt"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ pattern, text, want string }{
		{"%{a} %{b}", "1 2 3", "a=1|b=2 3"},
		{"<%{pri}>%{ts} %{+ts} %{+ts} %{host} %{}: %{msg}", "<30>Nov 22 23:50:01 web sshd: hello", "pri=30|ts=Nov 22 23:50:01|host=web|msg=hello"},
		{"%{+t/2} %{+t/1}: %{m}", "b a: x", "t=a b|m=x"},
		{"%{a->} %{b}", "1    2", "a=1|b=2"},
		{"%{?k}=%{&k};%{rest}", "size=5;x", "rest=x|size=5"},
		{"%{a},%{},%{b}", "1,2,3", "a=1|b=3"},
		{"%{a}]", "x]", "a=x"},
		{"[%{a}] %{b}", "x [1] 2", "no"},
		{"%{a} - %{b}", "1 2", "no"},
		{"%{a}|%{b}", "|", "a=|b="},
		{"%{a} %{a}", "1 2", "a=2"},
	} {
		p, err := Compile(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		got := "no"
		if pieces, ok := p.Match(nil, tt.text); ok {
			var l []string
			p.Each(tt.text, pieces, func(k, v string) { l = append(l, k+"="+v) })
			got = strings.Join(l, "|")
		}
		if got != tt.want {
			t.Errorf("%s of %q = %s, want %s", tt.pattern, tt.text, got, tt.want)
		}
	}
	for _, s := range []string{"", "text", "%{a}%{b}", "%{a", "%{&a} %{b}", "%{+a/x}", "%{?}"} {
		if _, err := Compile(s); err == nil {
			t.Errorf("pattern %q was taken", s)
		}
	}
}

// FuzzMatch: the pieces and the delimiters give the text back, unless padding was skipped.
func FuzzMatch(f *testing.F) {
	f.Add("%{a} - [%{+a/1}] %{?b}=%{&b}", "1 - [2] x=y")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		p, err := Compile(pattern)
		if err != nil {
			return
		}
		pieces, ok := p.Match(nil, text)
		if !ok {
			return
		}
		p.Each(text, pieces, func(string, string) {})
		var b strings.Builder
		b.WriteString(p.prefix)
		for i, s := range pieces {
			if p.fields[i].Pad {
				return
			}
			fmt.Fprint(&b, text[s.From:s.To], p.fields[i].Delim)
		}
		if !strings.HasPrefix(text, b.String()) {
			t.Fatalf("%q of %q gives %q", pattern, text, b.String())
		}
	})
}

func BenchmarkMatch(b *testing.B) {
	p, _ := Compile(`%{clientip} %{ident} %{auth} [%{timestamp}] "%{verb} %{request} HTTP/%{httpversion}" %{response} %{bytes} %{rest}`)
	const line = `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /presentations/images/search.png HTTP/1.1" 200 203023 "http://semicomplete.com/" "Mozilla/5.0"`
	var spans []Span
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		var ok bool
		if spans, ok = p.Match(spans[:0], line); !ok {
			b.Fatal("no match")
		}
	}
}
