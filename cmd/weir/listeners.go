package main

import (
	"context"
	"log/slog"
	"slices"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// prepareListeners gives the agent's inputs what only the process knows: which may be open to the network, and how a cluster is
// reached.
func (n *node) prepareListeners(cfg *agent.Config) {
	for i := range cfg.Inputs {
		in := &cfg.Inputs[i]
		if p, ok := in.Listen.(interface{ Permit() }); ok && (n.ports.insecure || slices.Contains(n.cfg.Plaintext, in.Type)) {
			p.Permit()
		}
		if k, ok := in.Listen.(*input.KafkaConfig); ok {
			k.Connect = connectKafka
		}
	}
}

// connectKafka opens the cluster of a kafka input.
func connectKafka(c *input.KafkaConfig, log *slog.Logger) (queue.Queue, func() error, error) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers, cfg.ClientID, cfg.User, cfg.Password, cfg.Mechanism = c.Hosts, c.ClientID, c.User, c.Password, c.Mechanism
	cfg.Newest, cfg.Log = c.InitialOffset == "newest", log
	if c.TLS != nil {
		t, err := c.TLS.Dialer("") // the client knows each broker's name
		if err != nil {
			return nil, nil, err
		}
		cfg.TLS = t
	}
	q, err := kafka.Open(context.Background(), cfg)
	if err != nil {
		return nil, nil, err
	}
	return q, q.Close, nil
}
