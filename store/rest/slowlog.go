package rest

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/weirlog/weir/store/search"
	"github.com/weirlog/weir/store/tasks"
)

// slowDefault is from when on a search is told in the log, for indices that say nothing.
const slowDefault = 5 * time.Second

// slowLevels are the thresholds of index.search.slowlog, the highest first.
var slowLevels = [...]struct {
	name  string
	level slog.Level
}{{"warn", slog.LevelWarn}, {"info", slog.LevelInfo}, {"debug", slog.LevelDebug}, {"trace", slog.LevelDebug}}

// slow tells the log of a search that took longer than a threshold of one of its indices.
func (s *Server) slow(sg *searching, resp *search.Response, t *tasks.Task) {
	if resp.Took < time.Millisecond {
		return
	}
	level, hit := slog.LevelWarn, resp.Took >= slowDefault
	refs, err := s.store.Resolve(sg.expr, sg.opts)
	if err == nil && sg.pit == "" {
		for _, r := range refs {
			if l, ok := s.threshold(r.Name, resp.Took); ok && (!hit || l > level) {
				level, hit = l, true
			}
		}
	}
	if !hit {
		return
	}
	const most = 1000
	s.log.Log(context.Background(), level, "slow search", "took", resp.Took.Round(time.Millisecond), "indices", sg.expr, "shards", resp.Shards.Total, "hits", resp.Total,
		"source", strings.TrimSpace(string(sg.body[:min(len(sg.body), most)])), "opaque_id", t.OpaqueID)
}

// threshold is the level at which an index wants to be told of a search that took so long.
func (s *Server) threshold(index string, took time.Duration) (slog.Level, bool) {
	set, ok := s.store.SettingsOf(index)
	if !ok {
		return 0, false
	}
	for _, l := range slowLevels {
		v, ok := set.Get("search.slowlog.threshold.query." + l.name)
		if !ok {
			continue
		}
		if d, err := parseTime("threshold", v); err == nil && d >= 0 && took >= d {
			return l.level, true
		}
	}
	return 0, false
}
