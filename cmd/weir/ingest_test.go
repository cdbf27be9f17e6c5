package main

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/weirlog/weir/store/ingest"
	"github.com/weirlog/weir/store/painless"
)

// TestIngestFilters: the pipeline's grok and regular expressions inside ingest pipelines.
func TestIngestFilters(t *testing.T) {
	t.Parallel()
	s := ingest.New(func(string) (json.RawMessage, bool) { return nil, false }, ingestFilters())
	for _, c := range []struct{ processor, doc, want string }{
		{`{"grok":{"field":"m","patterns":["%{WORD:verb} %{NUMBER:n:int}$","%{IP:source.ip} %{MINE:rest}"],"pattern_definitions":{"MINE":"x+"}}}`, `{"m":"10.0.0.1 xxx"}`, `{"m":"10.0.0.1 xxx","source":{"ip":"10.0.0.1"},"rest":"xxx"}`},
		{`{"grok":{"field":"m","patterns":["%{WORD:verb} %{NUMBER:n:int}"]}}`, `{"m":"GET 42"}`, `{"m":"GET 42","verb":"GET","n":42}`},
		{`{"gsub":{"field":"m","pattern":"(\\w)-(\\w)","replacement":"$2$1\\$"}}`, `{"m":"a-b c-d"}`, `{"m":"ba$ dc$"}`},
		{`{"user_agent":{"field":"m"}}`, `{"m":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0"}`,
			`{"m":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0","user_agent":{"name":"Firefox","original":"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:115.0) Gecko/20100101 Firefox/115.0","version":"115.0","os":{"name":"Windows","version":"10","full":"Windows 10"},"device":{"name":"Other"}}}`},
		{`{"split":{"field":"m","separator":"\\s*,\\s*"}}`, `{"m":"a , b,c"}`, `{"m":["a","b","c"]}`},
	} {
		p, err := s.Compile("p", []byte(`{"processors":[`+c.processor+`]}`))
		if err != nil {
			t.Fatal(err)
		}
		d, err := ingest.NewDocument("i", "", "", []byte(c.doc), time.Now())
		if err == nil {
			err = s.RunPipeline(p, d, nil)
		}
		if got := string(painless.AppendJSON(nil, d.Source)); err != nil || got != c.want {
			t.Errorf("%s: %s %v, want %s", c.processor, got, err, c.want)
		}
	}
	if _, err := s.Compile("p", []byte(`{"processors":[{"grok":{"field":"m","patterns":["%{NOTHING:x}"]}}]}`)); err == nil {
		t.Error("an unknown pattern compiles")
	}
	re, err := ingestRegexp("x*")
	if err != nil {
		t.Fatal(err)
	}
	if got, err := re.Split("axxb"); err != nil || !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("%q %v", got, err)
	}
	if n := len(grokPatterns(true)); n < 100 {
		t.Errorf("%d stock patterns", n)
	}
}
