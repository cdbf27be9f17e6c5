package grok

import "testing"

func TestList(t *testing.T) {
	t.Parallel()
	var l []*Pattern
	for _, text := range []string{`^%{COMMONAPACHELOG}$`, `user=%{WORD:user} failed`, `user=%{WORD:user}`, `%{INT:n}`, `%{GREEDYDATA:rest}`} {
		p, err := Stock(false).Compile(text, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		l = append(l, p)
	}
	m := NewList(l).NewMatcher()
	for _, c := range []struct {
		line string
		want []int
	}{
		{"user=bob failed 3 times", []int{1, 2, 3, 4}},
		{"user=bob", []int{2, 4}},
		{"7", []int{3, 4}},
		{"", []int{4}},
		{`1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 1`, []int{0, 3, 4}},
	} {
		from := 0
		for _, want := range c.want {
			got, err := m.Match([]byte(c.line), from)
			if err != nil || got != want {
				t.Fatalf("%q from %d: got %d %v, want %d", c.line, from, got, err, want)
			}
			from = got + 1
		}
		if got, _ := m.Match([]byte(c.line), from); got != -1 {
			t.Errorf("%q: pattern %d matches too", c.line, got)
		}
	}
	if got, _ := m.Match([]byte("user=eve"), 0); got != 2 {
		t.Fatalf("got %d", got)
	}
	if from, to, ok := m.Matcher(2).Group(0); !ok || from != 5 || to != 8 {
		t.Errorf("got %d %d %v", from, to, ok)
	}
}

func BenchmarkListMiss(b *testing.B) {
	var l []*Pattern
	for _, text := range []string{"%{COMBINEDAPACHELOG}", spring, `user=%{WORD:u}`, `user=%{WORD:u} id=%{INT:i}`, `\[audit\] %{WORD:a}`, `took %{INT:ms}ms`, `^%{IP:ip} `, `GC pause %{NUMBER:s}`, `%{UUID:id}`, `x-%{WORD:w}`} {
		p, err := Stock(false).Compile(text, DefaultOptions())
		if err != nil {
			b.Fatal(err)
		}
		l = append(l, p)
	}
	m := NewList(l).NewMatcher()
	lines := syslogLines(100)
	b.SetBytes(int64(len(lines[0])))
	i := 0
	for b.Loop() {
		_, _ = m.Match(lines[i], 0)
		if i++; i == len(lines) {
			i = 0
		}
	}
}
