package search

import "github.com/weirlog/weir/store/query"

// highlighter marks the words of one index's plan.
type highlighter struct{}

// mark fills out.Highlight.
func (f *fetcher) mark(it *item, doc flat, h *query.Highlight, out *Hit) error {
	return query.Badf("[highlight] is not supported")
}
