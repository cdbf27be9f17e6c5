package main

import (
	"fmt"
	"path/filepath"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/queue/kafka"
)

// brokerConfig is the embedded queue as the configuration has it, without listeners and log.
func brokerConfig(w config.Weir) (broker.Config, error) {
	c := w.Broker
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Advertise = filepath.Join(w.Data, "queue"), c.Advertise
	cfg.Partitions, cfg.AutoCreate = int32(c.Partitions), c.AutoCreate
	cfg.TopicDefaults = map[string]string{
		"retention.ms":    fmt.Sprint(c.RetentionAge.Milliseconds()),
		"retention.bytes": fmt.Sprint(c.RetentionBytes),
		"segment.bytes":   fmt.Sprint(c.SegmentBytes),
	}
	cfg.Pins, cfg.DiskBudget, cfg.DiskFloor, cfg.DropOldest = c.Pins, c.DiskBudget, c.DiskFloor, c.WhenFull == "drop-oldest"
	if c.TLS != nil {
		t, err := c.TLS.Server()
		if err != nil {
			return cfg, usage("broker.tls: %w", err)
		}
		cfg.TLS = t
	}
	for _, u := range c.Users {
		cfg.Users = append(cfg.Users, broker.User{Name: u.Name, Password: u.Password})
	}
	cfg.Authorize, cfg.SuperUsers, cfg.AllowUnlisted = len(c.Users) > 0, c.SuperUsers, c.AllowUnlisted
	for _, t := range c.Topics {
		cfg.Topics = append(cfg.Topics, broker.Topic{Name: t.Name, Partitions: int32(t.Partitions), Configs: t.Configs})
	}
	return cfg, nil
}

// kafkaConfig is a client of a cluster at kafka://host:port,host:port.
func kafkaConfig(addr string, login config.QueueLogin) (kafka.Config, error) {
	cfg := kafka.DefaultConfig()
	cfg.Brokers = kafkaSeeds(addr)
	cfg.User, cfg.Password = login.User, login.Password
	if login.Mechanism != "" {
		cfg.Mechanism = login.Mechanism
	}
	if login.TLS != nil {
		t, err := login.TLS.Dialer("") // the client knows each broker's name
		if err != nil {
			return cfg, usage("queue.tls: %w", err)
		}
		cfg.TLS = t
	}
	return cfg, nil
}
