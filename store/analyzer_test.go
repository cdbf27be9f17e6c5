package store

import (
	"context"
	"strings"
	"testing"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/vfs"
)

// TestAnalyzersOfSettings indexes with an index's own analyzer, and finds with it, in a head, a segment and after a restart.
func TestAnalyzersOfSettings(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	s := mustOpen(t, testConfig(mem))
	settings := `{"analysis":{"analyzer":{"paths":{"type":"custom","tokenizer":"path_hierarchy","filter":["lowercase"]},"default":{"type":"whitespace"}},
		"tokenizer":{"csv":{"type":"char_group","tokenize_on_chars":[",",";"]}}}}`
	if err := s.CreateIndex("files", CreateRequest{Settings: []byte(settings), Mappings: []byte(`{"properties":{"p":{"type":"text","analyzer":"paths","search_analyzer":"keyword"},"d":{"type":"text"}}}`)}); err != nil {
		t.Fatal(err)
	}
	apply(t, s, put("files", "1", `{"p":"/Var/Log/app","d":"A-b c"}`), put("files", "2", `{"p":"/etc/passwd","d":"a-b"}`))
	check := func(s *Store, when string) {
		t.Helper()
		for body, want := range map[string]int{
			`{"query":{"match":{"p":"/var/log"}}}`: 1, `{"query":{"match":{"p":"/var"}}}`: 1, `{"query":{"match":{"p":"var"}}}`: 0,
			`{"query":{"match":{"d":"A-b"}}}`: 1, `{"query":{"match":{"d":"b"}}}`: 0, `{"query":{"match_phrase":{"d":"A-b c"}}}`: 1,
		} {
			req, err := query.ParseRequest(body)
			if err != nil {
				t.Fatal(err)
			}
			res, err := s.Search(context.Background(), "files", ResolveOptions{}, req)
			if err != nil || len(res.Hits) != want {
				t.Errorf("%s %s: %d hits, want %d (%v)", when, body, len(res.Hits), want, err)
			}
		}
	}
	check(s, "head")
	if err := s.Flush(nil); err != nil {
		t.Fatal(err)
	}
	check(s, "segment")
	check(mustOpen(t, testConfig(mem.CrashClone(nil))), "restart")
	for _, c := range []struct{ settings, mappings, want string }{
		{"", `{"properties":{"p":{"type":"text","analyzer":"mine"}}}`, "analyzer [mine] has not been configured"},
		{`{"analysis":{"analyzer":{"mine":{"tokenizer":"nori_tokenizer"}}}}`, "", "failed to find tokenizer under name [nori_tokenizer]"},
	} {
		if err := s.CreateIndex("other", CreateRequest{Settings: []byte(c.settings), Mappings: []byte(c.mappings)}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v", c.settings, c.mappings, err)
		}
	}
}
