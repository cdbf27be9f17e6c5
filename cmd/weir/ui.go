package main

import (
	"context"
	"net/http"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/rest"
	"github.com/weirlog/weir/web"
)

// openUI serves the pages over the store's REST API.
func (n *node) openUI(context.Context) error {
	cfg := web.Config{
		Store: n.rest, Version: buildVersion(), Demo: n.demo, Insecure: exposed(n.cfg.Listen), Log: n.log.With("part", "ui"),
		Embedded: n.store != nil, Journey: n.journey, Check: func(name string, text []byte) (string, any, error) { return checkText(name, text) },
		Flow: func() any { return n.picture() }, Audit: http.HandlerFunc(n.serveAudit),
	}
	if n.store == nil {
		cfg.KQL = http.HandlerFunc(rest.ServeKQL) // a real cluster does not know KQL
	}
	if n.store != nil || len(n.cfg.Pipelines) > 0 {
		cfg.Live = n.hub
		cfg.Match = matchKQL
		n.add("live", n.hub.Run)
	}
	if len(n.cfg.Pipelines) > 0 {
		cfg.Pipelines = pipelineAPI{n}.handler()
	}
	if n.broker != nil || n.queue != nil && !outputKinds[n.cfg.Queue] {
		cfg.Queue, cfg.Kept, cfg.Dead = n.queueAdmin, n.keptPlaces, deadAPI{n}.handler()
	}
	s, err := web.New(cfg)
	if err != nil {
		return err
	}
	n.add("alerts", s.Run)
	return n.serve("ui", n.cfg.Listen.UI, s, &n.ready.UI)
}

// matchKQL compiles a query to the test that live tail asks of each document: would a search find it.
func matchKQL(kql string) (func(doc []byte) bool, error) {
	q, err := query.KQLQuery(kql)
	if err != nil {
		return nil, err
	}
	p, err := query.NewPredicate(q, nil)
	if err != nil {
		return nil, err
	}
	return p.Match, nil
}
