package contexts

import (
	"context"

	"github.com/weirlog/weir/store/search"
)

// Next answers the next page of a scroll. The total stays that of the first page, and aggregations are on the first only.
func (k *Keeper) Next(ctx context.Context, s *Scroll) (*search.Response, search.Encoding, error) {
	s.turn.Lock()
	defer s.turn.Unlock()
	k.mu.Lock()
	if s.gone {
		k.mu.Unlock()
		return nil, s.enc, Missing(s.ID)
	}
	s.use()
	k.mu.Unlock()
	defer k.leave(s.view)
	req := s.req
	if s.begun {
		req.Aggs, req.TrackTotal = nil, 0
	}
	if s.begun && s.after == nil { // the page before was the last
		req.Size = 0
	}
	resp, err := k.s.SearchView(ctx, s.view.view, &req, s.after)
	if err != nil {
		return nil, s.enc, err
	}
	s.after = resp.Last
	if !s.begun {
		s.total, s.rel, s.begun = resp.Total, resp.Relation, true
	}
	resp.Total, resp.Relation = s.total, s.rel
	return resp, s.enc, nil
}
