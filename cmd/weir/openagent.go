package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/ledger"
)

// flowTopic is where agents of all processes say how they do.
const flowTopic = "weir-flow"

// openAgent opens the agent on the node's queue, or on the output of a filebeat.yml.
func (n *node) openAgent(context.Context) error {
	cfg := n.cfg.Agent
	cfg.Dir, cfg.Log, cfg.Queue = filepath.Join(n.cfg.Data, "agent"), n.log.With("part", "agent"), n.queue
	if !outputKinds[n.cfg.Queue] {
		cfg.Ledger, cfg.Flow = ledger.Topic, flowTopic
	}
	cfg.Version = "weir " + buildVersion()
	cfg.Finite = n.alone
	n.prepareListeners(&cfg)
	a, err := agent.Open(cfg)
	if err != nil {
		return &exitError{exitUsage, fmt.Errorf("agent: %w", err)}
	}
	n.agent = a
	n.add("agent", a.Run)
	n.health.Watch("agent", func() (bool, string) {
		if st := a.Status(); st.Retrying {
			return false, "the queue does not take records: " + st.LastError
		}
		return true, ""
	})
	return nil
}

// labels of the outputs that are no queue.
var outputKinds = map[string]bool{"console": true, "file": true, "discard": true, "elasticsearch": true, "logstash": true}

// outputOf opens the output of a filebeat.yml when that is what the queue setting names.
func (n *node) outputOf() (bool, error) {
	if !outputKinds[n.cfg.Queue] {
		return false, nil
	}
	q, err := n.openOutput(n.cfg.Output, os.Stdout)
	n.queue = q
	return true, err
}
