package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/agent/output"
	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/bulk/elastic"
	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// The outputs of a filebeat.yml that are no queue, made into the half of one that an agent uses: Produce.

var errNoConsumers = errors.New("this output keeps no records to read back")

// lineQueue writes one JSON object a line: output.console and output.discard.
type lineQueue struct {
	mu     sync.Mutex
	w      io.Writer // nil discards
	pretty bool
}

func (q *lineQueue) Produce(_ context.Context, recs []queue.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.w == nil {
		return nil
	}
	var buf bytes.Buffer
	for i := range recs {
		if q.pretty {
			if err := json.Indent(&buf, recs[i].Value, "", "  "); err != nil {
				buf.Write(recs[i].Value)
			}
		} else {
			buf.Write(recs[i].Value)
		}
		buf.WriteByte('\n')
	}
	if _, err := q.w.Write(buf.Bytes()); err != nil {
		failed := make([]int, len(recs))
		for i := range failed {
			failed[i] = i
		}
		return &queue.ProduceError{Failed: failed, Err: err}
	}
	return nil
}

func (q *lineQueue) Join(context.Context, string, ...string) (queue.Member, error) {
	return nil, errNoConsumers
}

// bulkQueue writes records straight into Elasticsearch, as a Filebeat without Kafka does.
type bulkQueue struct {
	mu    sync.Mutex // a bulk.Writer has one user at a time
	w     bulk.Writer
	index string
	dead  *journal.Journal // what the cluster refuses for good
	log   *slog.Logger
}

func (q *bulkQueue) Produce(ctx context.Context, recs []queue.Record) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	var p fastjson.Parser
	b := bulk.Batch{Ops: make([]bulk.Op, len(recs)), Origins: make([]bulk.Origin, len(recs))}
	for i := range recs {
		b.Ops[i], b.Origins[i] = q.op(&p, recs[i].Value), bulk.Origin{Range: recs[i].Origin, N: 1}
	}
	rejected, err := q.w.Write(ctx, b)
	if err != nil {
		failed := make([]int, len(recs))
		for i := range failed {
			failed[i] = i
		}
		return &queue.ProduceError{Failed: failed, Err: err}
	}
	return q.bury(&b, rejected)
}

// deadDocument is a refused document as the folder dead/ keeps it.
type deadDocument struct {
	Index  string          `json:"index"`
	Status int             `json:"status"`
	Type   string          `json:"type"`
	Reason string          `json:"reason"`
	Source json.RawMessage `json:"source"`
}

// bury makes refused documents durable, so that the agent can go on without losing them.
func (q *bulkQueue) bury(b *bulk.Batch, rejected []bulk.Rejected) error {
	if len(rejected) == 0 {
		return nil
	}
	var mark journal.Mark
	for i := range rejected {
		r := &rejected[i]
		text, err := json.Marshal(deadDocument{b.Ops[r.Op].Index, r.Status, r.Type, r.Reason, b.Ops[r.Op].Source})
		if err == nil {
			mark, err = q.dead.AppendPayload(text)
		}
		if err != nil {
			return fmt.Errorf("keep a refused document: %w", err)
		}
	}
	if err := q.dead.Sync(mark); err != nil {
		return fmt.Errorf("keep a refused document: %w", err)
	}
	q.log.Error("documents refused for good; they are kept in the folder dead", "documents", len(rejected), "first", rejected[0].Error())
	return nil
}

// op is a record as an operation: @metadata says index and id, and is not part of the document.
func (q *bulkQueue) op(p *fastjson.Parser, value []byte) bulk.Op {
	op := bulk.Op{Index: q.index, Source: value}
	v, err := p.ParseBytes(value)
	if err != nil {
		return op
	}
	if raw := v.GetStringBytes("@metadata", "raw_index"); raw != nil {
		op.Index = string(raw)
	}
	if id := v.GetStringBytes("@metadata", "_id"); id != nil {
		op.ID = string(id)
	}
	v.Del("@metadata")
	op.Source = v.MarshalTo(nil)
	return op
}

func (q *bulkQueue) Join(context.Context, string, ...string) (queue.Member, error) {
	return nil, errNoConsumers
}

// bulkTimeout bounds a request to a cluster that is reached by settings of TLS.
const bulkTimeout = 90 * time.Second

// produceOnly is an output that keeps no records.
type produceOnly struct{ agent.Producer }

func (produceOnly) Join(context.Context, string, ...string) (queue.Member, error) {
	return nil, errNoConsumers
}

// openOutput makes the queue of an output section.
func (n *node) openOutput(out config.Output, stdout io.Writer) (queue.Queue, error) {
	switch out.Kind {
	case "console":
		return &lineQueue{w: stdout, pretty: out.Pretty}, nil
	case "discard":
		return &lineQueue{}, nil
	case "file":
		f, err := output.OpenFile(out.File)
		if err != nil {
			return nil, err
		}
		n.onClose(f.Close)
		return produceOnly{f}, nil
	}
	if out.Kind == "logstash" {
		cfg := out.Logstash
		cfg.Log = n.log.With("part", "logstash")
		l, err := output.OpenLogstash(cfg)
		if err != nil {
			return nil, usage("output.%v", err)
		}
		n.onClose(l.Close)
		return produceOnly{l}, nil
	}
	hosts := make([]string, len(out.Hosts))
	for i, h := range out.Hosts {
		if hosts[i] = h; !strings.Contains(h, "://") {
			hosts[i] = out.Protocol + "://" + h
		}
	}
	cfg := elastic.Config{Hosts: hosts, Username: out.Username, Password: out.Password, APIKey: out.APIKey, Log: n.log.With("part", "elasticsearch")}
	if out.TLS != nil {
		t, err := out.TLS.Dialer("")
		if err != nil {
			return nil, usage("output.elasticsearch: %v", err)
		}
		cfg.Client = &http.Client{Timeout: bulkTimeout, Transport: &http.Transport{TLSClientConfig: t, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4}}
	}
	w, err := elastic.New(cfg)
	if err != nil {
		return nil, err
	}
	index := out.Index
	if index == "" {
		index = fmt.Sprintf("filebeat-%d", n.cfg.Agent.Compat)
	}
	dead, err := journal.Open(journal.Config{FS: vfs.OS(), Dir: filepath.Join(n.cfg.Data, "dead"), Log: n.log, Own: true})
	if err != nil {
		return nil, err
	}
	n.onClose(dead.Close)
	return &bulkQueue{w: w, index: index, dead: dead, log: n.log}, nil
}
