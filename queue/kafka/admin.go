package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Admin looks at and changes a cluster for people: topics, groups, single messages. It speaks Kafka only, so the embedded broker and a
// real cluster look alike. It is safe for concurrent use.
type Admin struct {
	cfg Config
	log *slog.Logger
	cl  *kgo.Client
	adm *kadm.Client
}

// adminRetry is how long one request may be repeated before its error is told.
const adminRetry = 5 * time.Second

// OpenAdmin makes a client. It does not connect before the first call.
func OpenAdmin(cfg Config) (*Admin, error) {
	if errs := cfg.Validate(); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	a := &Admin{cfg: cfg, log: cfg.Log}
	opts, err := cfg.options(cfg.Log)
	if err != nil {
		return nil, err
	}
	a.cl, err = kgo.NewClient(append(opts, kgo.RetryTimeout(adminRetry), kgo.RecordPartitioner(partitioner()))...)
	if err != nil {
		return nil, fmt.Errorf("open kafka client: %w", err)
	}
	a.adm = kadm.NewClient(a.cl)
	a.adm.SetTimeoutMillis(int32(adminTimeout.Milliseconds()))
	return a, nil
}

// Close ends the connections.
func (a *Admin) Close() { a.cl.Close() }

// Ping asks for the brokers, to tell whether anybody answers.
func (a *Admin) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	if err := a.cl.Ping(ctx); err != nil {
		return fmt.Errorf("ask %v: %w", a.cfg.Brokers, translate(err))
	}
	return nil
}
