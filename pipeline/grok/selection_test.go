package grok

import (
	"strings"
	"testing"
)

// TestFromSelection marks parts with «» and checks the pattern, and that it gives the parts back.
func TestFromSelection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"user «42» logged in from «10.0.0.1» after 3 tries", `user %{NUMBER:number:int} logged in from %{IP:ip} %{GREEDYDATA}`},
		{"«2026-11-22T14:02:11.318Z» [main-7]   «ERROR» took=«1.5» done", `%{TIMESTAMP_ISO8601:timestamp} \[%{DATA}\]\s+%{LOGLEVEL:level} took=%{NUMBER:took:float} %{GREEDYDATA}`},
		{"결제 «실패»: «주문 12»", `결제 %{NOTSPACE:field}: %{DATA:field2}`},
		{`"«GET» /x"`, `"%{WORD:word} /%{GREEDYDATA}`},
	} {
		line, spans := "", []Span(nil)
		for i, piece := range strings.FieldsFunc(strings.ReplaceAll(c.line, "«", "»«"), func(r rune) bool { return r == '»' }) {
			if strings.HasPrefix(piece, "«") {
				spans = append(spans, Span{len(line), len(line) + len(piece) - len("«")})
			}
			line += strings.TrimPrefix(piece, "«")
			_ = i
		}
		got := Stock(true).FromSelection(line, spans)
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.line, got, c.want)
		}
		p, err := Stock(true).Compile(`\A(?:`+got+`)\z`, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		tried := p.Try(line)
		if !tried.Matched || len(tried.Fields) != len(spans) {
			t.Errorf("%s: %+v", got, tried)
			continue
		}
		for i, f := range tried.Fields {
			if f.From != spans[i].From || f.To != spans[i].To {
				t.Errorf("%s: field %d is %q", got, i, line[f.From:f.To])
			}
		}
	}
}
