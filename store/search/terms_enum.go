package search

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// TermsRequest asks for the values of a field that begin with a text.
type TermsRequest struct {
	Field   string
	Prefix  string
	Fold    bool // case_insensitive
	After   string
	Size    int
	Timeout time.Duration
	Filter  query.Query // nil: none
	Now     time.Time
}

// scanEvery is how many rows of a column without a dictionary are read between two looks at the clock.
const scanEvery = 4096

// TermsEnum gives the first values in order; complete is false when the time was not enough.
func TermsEnum(ctx context.Context, indices []Index, req TermsRequest) (terms []string, complete bool, err error) {
	if req.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, req.Timeout)
		defer cancel()
	}
	found := map[string]bool{}
	for i := range indices {
		ix := &indices[i]
		if req.Filter != nil {
			if ok, err := hasMatch(ctx, ix, CapsRequest{Filter: req.Filter, Now: req.Now}); err != nil || !ok {
				if err != nil {
					return nil, false, err
				}
				continue
			}
		}
		fd := ix.Mapping.Field(req.Field)
		if fd == nil {
			continue
		}
		if fd.Type == mapping.ConstantKeyword && fd.Constant != nil {
			req.offer(found, fd, fd.Constant)
			continue
		}
		for _, src := range ix.Sources {
			if ctx.Err() != nil {
				break
			}
			var serr error
			if err := guarded(func() { serr = req.scan(ctx, src, fd, found) }); err != nil || serr != nil {
				return nil, false, cmpOr(err, serr)
			}
		}
	}
	for t := range found {
		terms = append(terms, t)
	}
	slices.Sort(terms)
	return terms[:min(len(terms), req.Size)], ctx.Err() == nil, nil
}

func cmpOr(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// scan offers the values of one source.
func (r *TermsRequest) scan(ctx context.Context, src query.Source, fd *mapping.Field, found map[string]bool) error {
	switch col := src.Field(fd.Column()).(type) {
	case query.Ordinals:
		live := src.Deleted() == 0
		for ord := range uint32(col.Len()) {
			if ord%scanEvery == 0 && ctx.Err() != nil {
				return nil
			}
			if v := col.Value(ord); (live || col.Count(ord) > 0) && r.offer(found, fd, v) {
				r.cut(found)
			}
		}
	case query.Strings:
		for row := range src.Rows() {
			if row%scanEvery == 0 && ctx.Err() != nil {
				return nil
			}
			col.Each(row, func(v []byte) {
				if r.offer(found, fd, v) {
					r.cut(found)
				}
			})
		}
	case nil:
	default:
		return query.Badf("field [%s] of type [%s] is not supported by _terms_enum", r.Field, fd.TypeName)
	}
	return src.Err()
}

// offer takes a value that fits; it tells whether it was new.
func (r *TermsRequest) offer(found map[string]bool, fd *mapping.Field, v []byte) bool {
	if fd.Type == mapping.IP {
		v = []byte(fd.TermText(v))
	}
	fits := bytes.HasPrefix(v, []byte(r.Prefix))
	if r.Fold {
		fits = strings.HasPrefix(strings.ToLower(string(v)), strings.ToLower(r.Prefix))
	}
	if !fits || r.After != "" && string(v) <= r.After || found[string(v)] {
		return false
	}
	found[string(v)] = true
	return true
}

// cut keeps what is gathered small: the first values only.
func (r *TermsRequest) cut(found map[string]bool) {
	if len(found) < 2*r.Size+1024 {
		return
	}
	terms := make([]string, 0, len(found))
	for t := range found {
		terms = append(terms, t)
	}
	slices.Sort(terms)
	for _, t := range terms[r.Size:] {
		delete(found, t)
	}
}
