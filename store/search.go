package store

import (
	"context"
	"strings"
	"time"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// searchDeadline ends a search that asks for no timeout of its own.
const searchDeadline = 30 * time.Second

// Search answers a request over the indices that an expression names. Errors are *Error or *query.Error; the request's timeout gives
// what was found so far, the deadline of all searches likewise.
func (s *Store) Search(ctx context.Context, expr string, opts ResolveOptions, req *query.Request) (*search.Response, error) {
	v, err := s.View(expr, opts)
	if err != nil {
		return nil, err
	}
	defer v.Release()
	return s.searchViews(ctx, v.Snapshot, v.filters, req, nil)
}

// View is a snapshot of what an expression names, with the filters of the aliases it went through. The caller releases it.
type View struct {
	*Snapshot
	filters map[string]query.Query
}

// View opens a view: what scrolls and points in time keep.
func (s *Store) View(expr string, opts ResolveOptions) (*View, error) {
	refs, err := s.Resolve(expr, opts)
	if err != nil {
		return nil, err
	}
	filters, err := aliasFilters(refs)
	if err != nil {
		return nil, err
	}
	m := s.meta.Load()
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.Name
		if ix := m.indices[r.Name]; ix != nil {
			if err := ix.info().readable(); err != nil {
				return nil, err
			}
		}
	}
	return &View{s.Snapshot(names), filters}, nil
}

// SearchView answers a request over a view. after, the Response's Last of the page before, continues there; nil begins.
func (s *Store) SearchView(ctx context.Context, v *View, req *query.Request, after *search.Cursor) (*search.Response, error) {
	return s.searchViews(ctx, v.Snapshot, v.filters, req, after)
}

// SearchSnapshot answers a request over all indices of a snapshot, which the caller keeps.
func (s *Store) SearchSnapshot(ctx context.Context, snap *Snapshot, req *query.Request) (*search.Response, error) {
	return s.searchViews(ctx, snap, nil, req, nil)
}

// Count counts the documents that a query matches: the Response's Total.
func (s *Store) Count(ctx context.Context, expr string, opts ResolveOptions, q query.Query) (*search.Response, error) {
	req := query.NewRequest()
	req.Size, req.TrackTotal = 0, query.CountAll
	if q != nil {
		req.Query = q
	}
	return s.Search(ctx, expr, opts, req)
}

// FieldCaps tells what the fields of the indices that an expression names can do, as the JSON of _field_caps.
func (s *Store) FieldCaps(ctx context.Context, expr string, opts ResolveOptions, req search.CapsRequest) ([]byte, error) {
	refs, err := s.Resolve(expr, opts)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.Name
	}
	snap := s.Snapshot(names)
	defer snap.Release()
	req.Now = s.cfg.Now()
	return search.FieldCaps(ctx, searchIndices(snap, nil), req)
}

func (s *Store) searchViews(ctx context.Context, snap *Snapshot, filters map[string]query.Query, req *query.Request, after *search.Cursor) (*search.Response, error) {
	if req.Timeout == 0 || req.Timeout > searchDeadline {
		r := *req
		r.Timeout = searchDeadline
		req = &r
	}
	return search.Run(ctx, searchIndices(snap, filters), req, search.Options{Now: s.cfg.Now(), After: after, Memory: s.searching})
}

// searchIndices is a snapshot as package search sees it; filters are by index name.
func searchIndices(snap *Snapshot, filters map[string]query.Query) []search.Index {
	out := make([]search.Index, len(snap.Indices))
	for i, v := range snap.Indices {
		out[i] = search.Index{Name: v.Name, Mapping: v.Mapping, Filter: filters[v.Name], Sources: v.Sources, Analyzers: v.Analyzers,
			Shards: v.Settings.Int("number_of_shards", 1)}
		if f, ok := v.Settings.Get("query.default_field"); ok && f != "" && f != "*" {
			out[i].DefaultFields = strings.Split(f, ",")
		}
	}
	return out
}

// aliasFilters are the filters of the aliases that indices were reached by.
func aliasFilters(refs []IndexRef) (map[string]query.Query, error) {
	filters := map[string]query.Query{}
	for _, r := range refs {
		var any []query.Query
		for _, f := range r.Filters {
			q, err := query.ParseText(string(f))
			if err != nil {
				return nil, err
			}
			any = append(any, q)
		}
		if len(any) > 0 {
			filters[r.Name] = query.AnyOf(any...)
		}
	}
	return filters, nil
}

// CheckQuery tells whether a query fits the mapping of a concrete index.
func (s *Store) CheckQuery(index string, q query.Query) error {
	ix := s.meta.Load().indices[index]
	if ix == nil {
		return noSuchIndex(index)
	}
	_, err := query.NewPlan(q, query.Context{Index: index, Mapping: ix.info().Mapping, Now: s.cfg.Now()})
	return err
}

// TermsEnum lists values of a field that begin with a text.
func (s *Store) TermsEnum(ctx context.Context, expr string, opts ResolveOptions, req search.TermsRequest) ([]string, bool, error) {
	v, err := s.View(expr, opts)
	if err != nil {
		return nil, false, err
	}
	defer v.Release()
	req.Now = s.cfg.Now()
	return search.TermsEnum(ctx, searchIndices(v.Snapshot, v.filters), req)
}
