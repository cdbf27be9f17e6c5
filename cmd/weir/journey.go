package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/queue/kafka"
)

// retraced is what one pipeline makes of a record now: a run of its own, with nothing written.
type retraced struct {
	Pipeline string            `json:"pipeline"`
	Traced   []pipeline.Traced `json:"traced"`
	Error    string            `json:"error,omitempty"`
}

// journey reads one record from the queue again and runs it through every pipeline of this process that reads its topic.
func (n *node) journey(ctx context.Context, topic string, partition int32, offset int64) (any, error) {
	admin, err := n.queueAdmin()
	if err != nil {
		return nil, err
	}
	recs, err := browse(ctx, admin, kafka.Browse{Topic: topic, Partitions: []int32{partition}, From: strconv.FormatInt(offset, 10), Limit: 1, ValueBytes: maxPipelineBody})
	if err != nil {
		return nil, err
	}
	if len(recs) == 0 || recs[0].Offset != offset {
		return nil, fmt.Errorf("record %s-%d@%d is no longer kept by the queue", topic, partition, offset)
	}
	out := map[string]any{"record": shown(recs)[0]}
	runs := []retraced{}
	if f, err := (pipelineAPI{n}).fleet(); err == nil {
		for _, id := range f.Pipelines() {
			if !slices.Contains(f.Running(id).Topics(), topic) {
				continue
			}
			run := retraced{Pipeline: id}
			texts, _, err := f.Texts(id)
			if err == nil {
				run.Traced, _, err = traceTexts(ctx, f, id, texts, recs, false)
			}
			if err != nil {
				run.Error = err.Error()
			}
			runs = append(runs, run)
		}
	}
	out["runs"] = runs
	return out, nil
}
