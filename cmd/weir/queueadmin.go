package main

import (
	"errors"

	"github.com/weirlog/weir/queue/kafka"
)

// queueAdmin looks at topics, groups and messages of the queue in use: the broker of this process by a pipe, a real cluster by its
// addresses. The client is made at the first call and lives as long as the node.
func (n *node) queueAdmin() (*kafka.Admin, error) {
	n.adminMu.Lock()
	defer n.adminMu.Unlock()
	if n.admin != nil {
		return n.admin, nil
	}
	cfg, err := kafkaConfig(n.cfg.Queue, n.cfg.QueueLogin)
	if err != nil {
		return nil, err
	}
	cfg.Log = n.log.With("part", "kafka")
	switch {
	case n.broker != nil:
		cfg.Brokers, cfg.Dial = []string{"embedded:9092"}, n.broker.Dial
	case n.queue != nil && !outputKinds[n.cfg.Queue]:
	default:
		return nil, errors.New("this process has no queue to look at")
	}
	a, err := kafka.OpenAdmin(cfg)
	if err != nil {
		return nil, err
	}
	n.admin = a
	return a, nil
}

// closeAdmin ends the client before the broker it talks to.
func (n *node) closeAdmin() {
	n.adminMu.Lock()
	defer n.adminMu.Unlock()
	if n.admin != nil {
		n.admin.Close()
		n.admin = nil
	}
}
