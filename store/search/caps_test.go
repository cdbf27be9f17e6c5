package search

import (
	"context"
	"strings"
	"testing"

	"github.com/weirlog/weir/store/query"
)

func TestFieldCaps(t *testing.T) {
	t.Parallel()
	a := index(t, "a", `{"properties":{"n":{"type":"long"},"m":{"type":"match_only_text"},"o":{"properties":{"k":{"type":"keyword"}}},"al":{"type":"alias","path":"n"}}}`, []string{`{"n":1}`}, 1)
	b := index(t, "b", `{"properties":{"n":{"type":"keyword"},"only":{"type":"keyword","doc_values":false}}}`, []string{`{"n":"x"}`}, 1)
	for _, c := range []struct {
		req  CapsRequest
		want string
	}{
		{CapsRequest{Fields: []string{"n"}}, `{"indices":["a","b"],"fields":{"n":{"keyword":{"type":"keyword","metadata_field":false,"searchable":true,"aggregatable":true,"indices":["b"]},"long":{"type":"long","metadata_field":false,"searchable":true,"aggregatable":true,"indices":["a"]}}}}`},
		{CapsRequest{Fields: []string{"m", "al"}}, `{"indices":["a","b"],"fields":{"al":{"long":{"type":"long","metadata_field":false,"searchable":true,"aggregatable":true}},"m":{"text":{"type":"text","metadata_field":false,"searchable":true,"aggregatable":false}}}}`},
		{CapsRequest{Fields: []string{"only"}, IncludeUnmapped: true}, `{"indices":["a","b"],"fields":{"only":{"keyword":{"type":"keyword","metadata_field":false,"searchable":true,"aggregatable":false,"indices":["b"]},"unmapped":{"type":"unmapped","metadata_field":false,"searchable":false,"aggregatable":false,"indices":["a"]}}}}`},
		{CapsRequest{Fields: []string{"o*"}, Filter: query.Exists("only")}, `{"indices":[],"fields":{}}`},
		{CapsRequest{Fields: []string{"o*"}}, `{"indices":["a","b"],"fields":{"o":{"object":{"type":"object","metadata_field":false,"searchable":false,"aggregatable":false}},"o.k":{"keyword":{"type":"keyword","metadata_field":false,"searchable":true,"aggregatable":true}},"only":{"keyword":{"type":"keyword","metadata_field":false,"searchable":true,"aggregatable":false}}}}`},
	} {
		got, err := FieldCaps(context.Background(), []Index{a, b}, c.req)
		if err != nil || string(got) != c.want {
			t.Errorf("%+v: %v\n got %s\nwant %s", c.req, err, got, c.want)
		}
	}
	got, err := FieldCaps(context.Background(), []Index{a}, CapsRequest{NoMetadata: true})
	if err != nil || strings.Contains(string(got), `"_id"`) || !strings.Contains(string(got), `"m":`) {
		t.Errorf("%s %v", got, err)
	}
}
