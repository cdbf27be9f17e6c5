package search

import (
	"math"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/weirlog/weir/store/agg"
	"github.com/weirlog/weir/store/query"
)

// Response is the answer to a search.
type Response struct {
	Took     time.Duration
	TimedOut bool
	Early    bool // terminate_after was reached
	asked    bool // terminate_after was given
	Shards   Shards
	Total    int64
	Relation string // "eq", "gte", or "" when no total was asked for
	MaxScore *float32
	Hits     []Hit
	Aggs     *agg.Result // nil: none were asked for
	Last     *Cursor     // behind the last hit; nil without hits
}

// Shards counts logical shards.
type Shards struct {
	Total, Successful, Skipped, Failed int
	Failures                           []Failure
}

// Hit is one document of an answer.
type Hit struct {
	Index, ID string
	Score     *float32 // nil prints null
	Version   int64    // 0: not asked for
	SeqNo     int64    // -1: not asked for
	Ignored   []string
	Routing   string // "" when it has none
	Source    []byte // JSON, nil: not asked for
	Fields    []byte // JSON object, nil: none
	Ignores   []byte // JSON object: values of Fields that the mapping ignored
	Highlight []byte // JSON object, nil: none
	Sort      []byte // JSON array, nil: sorted by score
	NoID      bool
}

// response makes the answer from the ranked hits.
func (r *run) response(hits []hit, parts []*agg.Partial) (*Response, error) {
	res := &Response{TimedOut: r.timedOut.Load(), Early: r.early.Load(), asked: r.req.TerminateAfter > 0, Shards: r.shards()}
	r.totals(res)
	if r.scores() && r.k > 0 {
		for _, h := range hits {
			if res.MaxScore == nil || h.score > *res.MaxScore {
				s := h.score
				res.MaxScore = &s
			}
		}
	}
	if len(r.req.Sort) > 0 && !r.req.TrackScores && r.req.Sort[0].Field != "_score" {
		res.MaxScore = nil
	}
	hits = hits[min(r.req.From, len(hits)):]
	if len(hits) > 0 {
		res.Last = &Cursor{hits[len(hits)-1]}
	}
	var err error
	if res.Hits, err = r.fetch(hits); err != nil {
		return nil, err
	}
	if r.aggs != nil && len(r.indices) > 0 {
		if res.Aggs, err = r.aggs.Reduce(parts, newFetcher(r).docs); err == nil {
			err = r.memory.Err()
		}
		if err != nil {
			return nil, err
		}
	}
	return res, nil
}

// fetchShare is how many documents make another goroutine worth its start.
const fetchShare = 32

// fetch reads the documents of hits, with as many goroutines as the search has workers.
func (r *run) fetch(hits []hit) ([]Hit, error) {
	out := make([]Hit, len(hits))
	n := min(r.opt.Workers, 1+len(hits)/fetchShare)
	errs := make([]error, n)
	var wg sync.WaitGroup
	for w := range n {
		wg.Go(func() {
			f := newFetcher(r)
			for i := w * len(hits) / n; i < (w+1)*len(hits)/n && errs[w] == nil; i++ {
				if err := guarded(func() { out[i], errs[w] = f.hit(&hits[i]) }); err != nil {
					errs[w] = err
				}
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (r *run) totals(res *Response) {
	if r.req.TrackTotal == 0 {
		return
	}
	res.Total, res.Relation = r.total.Load(), "eq"
	if limit := int64(r.req.TrackTotal); limit > 0 && res.Total > limit {
		res.Total, res.Relation = limit, "gte"
	}
}

func (r *run) shards() Shards {
	var s Shards
	failed := map[string]bool{}
	for _, f := range r.failures {
		if !failed[f.Index] {
			failed[f.Index] = true
			s.Failures = append(s.Failures, f)
		}
	}
	for _, ix := range r.indices {
		s.Total += max(1, ix.Shards)
	}
	s.Failed = len(s.Failures)
	s.Successful = s.Total - s.Failed
	return s
}

// Encoding says how an answer is printed.
type Encoding struct {
	TotalAsInt bool // rest_total_hits_as_int
	TypedKeys  bool
}

// AppendJSON appends the answer in Elasticsearch's order of keys.
func (r *Response) AppendJSON(dst []byte, e Encoding) []byte {
	dst = append(dst, `{"took":`...)
	dst = strconv.AppendInt(dst, r.Took.Milliseconds(), 10)
	dst = append(dst, `,"timed_out":`...)
	dst = strconv.AppendBool(dst, r.TimedOut)
	if r.asked {
		dst = append(dst, `,"terminated_early":`...)
		dst = strconv.AppendBool(dst, r.Early)
	}
	dst = append(dst, ',')
	return append(r.AppendBody(dst, e), '}')
}

// AppendBody appends the members from "_shards" on, without braces: what scroll, PIT and asynchronous searches wrap.
func (r *Response) AppendBody(dst []byte, e Encoding) []byte {
	dst = r.Shards.appendJSON(append(dst, `"_shards":`...))
	dst = append(dst, `,"hits":{`...)
	switch {
	case e.TotalAsInt && r.Relation == "":
		dst = append(dst, `"total":-1,`...)
	case e.TotalAsInt:
		dst = append(strconv.AppendInt(append(dst, `"total":`...), r.Total, 10), ',')
	case r.Relation != "":
		dst = strconv.AppendInt(append(dst, `"total":{"value":`...), r.Total, 10)
		dst = append(append(append(dst, `,"relation":"`...), r.Relation...), `"},`...)
	}
	dst = append(dst, `"max_score":`...)
	dst = appendScoreOrNull(dst, r.MaxScore)
	dst = append(dst, `,"hits":[`...)
	for i := range r.Hits {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = r.Hits[i].AppendJSON(dst)
	}
	dst = append(dst, "]}"...)
	if r.Aggs != nil {
		dst = append(dst, `,"aggregations":`...)
		dst = r.Aggs.AppendJSON(dst, e.TypedKeys)
	}
	return dst
}

func (s *Shards) appendJSON(dst []byte) []byte {
	for i, n := range []int{s.Total, s.Successful, s.Skipped, s.Failed} {
		dst = append(dst, [...]string{`{"total":`, `,"successful":`, `,"skipped":`, `,"failed":`}[i]...)
		dst = strconv.AppendInt(dst, int64(n), 10)
	}
	if len(s.Failures) > 0 {
		dst = append(dst, `,"failures":[`...)
		for i, f := range s.Failures {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = query.AppendString(append(dst, `{"shard":0,"index":`...), f.Index)
			dst = query.AppendString(append(dst, `,"reason":{"type":"corrupt_index_exception","reason":`...), f.Err.Error())
			dst = append(dst, "}}"...)
		}
		dst = append(dst, ']')
	}
	return append(dst, '}')
}

// AppendJSON appends the hit as an object.
func (h *Hit) AppendJSON(dst []byte) []byte {
	dst = query.AppendString(append(dst, `{"_index":`...), h.Index)
	if !h.NoID {
		dst = query.AppendString(append(dst, `,"_id":`...), h.ID)
	}
	if h.Version > 0 {
		dst = strconv.AppendInt(append(dst, `,"_version":`...), h.Version, 10)
	}
	if h.SeqNo >= 0 {
		dst = strconv.AppendInt(append(dst, `,"_seq_no":`...), h.SeqNo, 10)
		dst = append(dst, `,"_primary_term":1`...)
	}
	dst = appendScoreOrNull(append(dst, `,"_score":`...), h.Score)
	if h.Routing != "" {
		dst = query.AppendString(append(dst, `,"_routing":`...), h.Routing)
	}
	if len(h.Ignored) > 0 {
		dst = append(dst, `,"_ignored":[`...)
		for i, f := range h.Ignored {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = query.AppendString(dst, f)
		}
		dst = append(dst, ']')
	}
	for _, m := range []struct {
		key  string
		json []byte
	}{{`,"_source":`, h.Source}, {`,"fields":`, h.Fields}, {`,"ignored_field_values":`, h.Ignores}, {`,"highlight":`, h.Highlight}, {`,"sort":`, h.Sort}} {
		if m.json != nil {
			dst = append(append(dst, m.key...), m.json...)
		}
	}
	return append(dst, '}')
}

func appendScoreOrNull(dst []byte, s *float32) []byte {
	if s == nil {
		return append(dst, "null"...)
	}
	return appendScore(dst, *s)
}

// appendScore prints a score with a point, as Java does.
func appendScore(dst []byte, s float32) []byte {
	if math.IsInf(float64(s), 0) || math.IsNaN(float64(s)) {
		return append(dst, "null"...)
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, float64(s), 'g', -1, 32)
	if !slices.ContainsFunc(dst[n:], func(b byte) bool { return b == '.' || b == 'e' }) {
		dst = append(dst, ".0"...)
	}
	return dst
}
