package agent

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"

	"github.com/weirlog/weir/queue"
)

// Bounds of what an agent says of itself.
const (
	reportEvery   = 10 * time.Second
	reportSources = 200 // files of one report: those with the most unread bytes
	reportWait    = 5 * time.Second
)

// Report is a record of the topic Config.Flow: what an agent in any process says of itself. The key is the agent's id.
type Report struct {
	Time       int64  `json:"time"`        // Unix ms
	ConfigHash string `json:"config_hash"` // of inputs and processors: agents that should be alike have the same
	Unread     int64  `json:"unread"`      // bytes of all files that are not acknowledged
	OldestMs   int64  `json:"oldest_ms"`   // age of the oldest of them
	Files      int    `json:"files"`       // all; Sources holds at most 200
	Stopping   bool   `json:"stopping,omitempty"`
	Status
}

// report is the agent as it stands.
func (a *Agent) report() Report {
	st := a.Status()
	r := Report{Time: time.Now().UnixMilli(), ConfigHash: a.hash, Files: len(st.Sources), Status: st}
	for i := range st.Sources {
		r.Unread += st.Sources[i].Unread
		r.OldestMs = max(r.OldestMs, st.Sources[i].OldestMs)
	}
	if len(r.Sources) > reportSources {
		slices.SortStableFunc(r.Sources, func(x, y SourceStatus) int { return cmp.Compare(y.Unread, x.Unread) })
		r.Sources = r.Sources[:reportSources]
	}
	return r
}

// configHash names what an agent is told to do.
func configHash(c *Config) string {
	b, err := json.Marshal(struct {
		Inputs, Processors, Topic any
	}{c.Inputs, c.Processors, c.Topic})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// runReports tells of the agent now and then until ctx ends. What the queue does not take is not kept: the next report says more.
func (a *Agent) runReports(ctx context.Context) {
	if a.cfg.Flow == "" {
		return
	}
	for {
		a.sendReport(ctx, false)
		if !sleep(ctx, reportEvery) {
			a.sendReport(context.WithoutCancel(ctx), true)
			return
		}
	}
}

func (a *Agent) sendReport(ctx context.Context, stopping bool) {
	if a.cfg.timing.kill {
		return
	}
	r := a.report()
	r.Stopping = stopping
	value, err := json.Marshal(r)
	if err != nil {
		a.log.Error("report not rendered", "error", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, reportWait)
	defer cancel()
	rec := queue.Record{Topic: a.cfg.Flow, Time: time.UnixMilli(r.Time), Key: []byte(r.ID), Value: value}
	if err := a.cfg.Queue.Produce(ctx, []queue.Record{rec}); err != nil {
		a.log.Debug("report not taken", "topic", a.cfg.Flow, "error", err)
	}
}
