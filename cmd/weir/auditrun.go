package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// Bounds of one audit.
const (
	auditPage      = 10_000
	auditManifests = 2_000_000
	auditWithin    = 2 * time.Minute
)

// auditReport is the answer of GET /weir/audit: one account per group that writes to the store of this process.
type auditReport struct {
	Time   time.Time    `json:"time"`
	Groups []groupAudit `json:"groups"`
	// Malformed are records of the topic weir-ledger that are no manifests.
	Malformed int `json:"malformed"`
}

// groupAudit is the account of one group.
type groupAudit struct {
	Group string      `json:"group"`
	Total ledger.Line `json:"total"`
	// Until is when everything that had been announced by then has its fate.
	Until   time.Time     `json:"complete_until"`
	Sources []ledger.Line `json:"sources"`
}

// audit compares what agents announced since a time with what the store has. source narrows it to one.
func (n *node) audit(ctx context.Context, since time.Time, source string) (*auditReport, error) {
	ctx, cancel := context.WithTimeout(ctx, auditWithin)
	defer cancel()
	if n.store == nil || n.queue == nil {
		return nil, errors.New("an audit needs the pipelines and the store in this process")
	}
	audits := map[string]*ledger.Audit{}
	for _, group := range n.groups.list() { // positions first: what the store has, read later, can only be more
		positions, err := n.store.For(group).Positions(ctx)
		if err != nil {
			return nil, err
		}
		at := map[[2]string]int64{}
		for _, p := range positions {
			at[[2]string{p.Topic, fmt.Sprint(p.Partition)}] = p.Offset
		}
		audits[group] = ledger.NewAudit(func(p ledger.Place) bool { return p.Offset <= at[[2]string{p.Topic, fmt.Sprint(p.Partition)}] })
	}
	report := &auditReport{Time: time.Now().UTC(), Groups: []groupAudit{}}
	err := n.manifests(ctx, func(m kafka.Message) {
		parsed, err := ledger.ParseManifest([]byte(m.Value))
		switch {
		case err != nil:
			report.Malformed++
		case source == "" || parsed.Source.String() == source:
			for _, a := range audits {
				a.Add(parsed)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	for _, group := range slices.Sorted(maps.Keys(audits)) {
		kept := n.store.Ledger(group)
		report.Groups = append(report.Groups, sumUp(group, audits[group].Report(func(s ledger.Source) *ledger.Kept { return kept[s] }), since))
	}
	return report, nil
}

// manifests reads the topic weir-ledger from its beginning to its end.
func (n *node) manifests(ctx context.Context, each func(kafka.Message)) error {
	admin, err := n.queueAdmin()
	if err != nil {
		return err
	}
	q := kafka.Browse{Topic: ledger.Topic, From: "oldest", Limit: auditPage, ValueBytes: 1 << 20}
	for read := 0; read < auditManifests; {
		page, err := admin.Browse(ctx, q)
		if errors.Is(err, queue.ErrUnknownTopic) {
			return nil // no agent announced anything
		}
		if err != nil {
			return fmt.Errorf("read topic %s: %w", ledger.Topic, err)
		}
		for _, m := range page.Messages {
			each(m)
		}
		read += len(page.Messages)
		if page.End {
			return nil
		}
		q.At = page.Next
	}
	return fmt.Errorf("topic %s holds more than %d manifests", ledger.Topic, auditManifests)
}

// sumUp adds the lines of sources that were read since a time.
func sumUp(group string, lines []ledger.Line, since time.Time) groupAudit {
	g := groupAudit{Group: group, Sources: []ledger.Line{}, Total: ledger.Line{Rules: map[string]int64{}}}
	for _, l := range lines {
		if l.Time < since.UnixMilli() {
			continue
		}
		g.Sources = append(g.Sources, l)
		g.Total.Add(l)
		at := l.Time
		if l.Flight+l.Missing > 0 {
			at = l.Due
		}
		if until := time.UnixMilli(at).UTC(); g.Until.IsZero() || l.Flight+l.Missing > 0 && until.Before(g.Until) {
			g.Until = until
		}
	}
	return g
}

// serveAudit answers GET /weir/audit?since=1h&source=ID.
func (n *node) serveAudit(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	var since time.Time
	if text := r.FormValue("since"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			auditFails(w, http.StatusBadRequest, fmt.Errorf("since %q is not a duration such as 90m or 24h", text))
			return
		}
		since = time.Now().Add(-d)
	}
	report, err := n.audit(r.Context(), since, r.FormValue("source"))
	if err != nil {
		auditFails(w, http.StatusServiceUnavailable, err)
		return
	}
	json.NewEncoder(w).Encode(report)
}

func auditFails(w http.ResponseWriter, status int, err error) {
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"error": map[string]any{"status": status, "type": "audit", "reason": err.Error()}})
}
