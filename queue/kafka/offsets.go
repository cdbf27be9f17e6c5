package kafka

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Trim removes the records of a partition below an offset.
func (q *Queue) Trim(ctx context.Context, topic string, partition int32, before int64) error {
	offsets := kadm.Offsets{}
	offsets.Add(kadm.Offset{Topic: topic, Partition: partition, At: before})
	resp, err := q.adm.DeleteRecords(ctx, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return fmt.Errorf("trim %s-%d at %d: %w", topic, partition, before, err)
	}
	return nil
}

// startOffset asks where a partition begins.
func (q *Queue) startOffset(ctx context.Context, topic string, partition int32) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout)
	defer cancel()
	offsets, err := q.adm.ListStartOffsets(ctx, topic)
	if err != nil {
		return 0, err
	}
	o, ok := offsets.Lookup(topic, partition)
	if !ok {
		return 0, kerr.UnknownTopicOrPartition
	}
	return o.Offset, o.Err
}

// idOf is the id of a fetched topic: told with the records by newer clusters, asked for once with others. The caller holds the lock
// of its member, not the queue's.
func (q *Queue) idOf(t kgo.FetchTopic) [16]byte {
	if t.TopicID != [16]byte{} {
		return t.TopicID
	}
	return q.info(context.Background(), t.Topic).id
}

// commitError is the first error of a commit.
func commitError(resp *kmsg.OffsetCommitResponse, err error) error {
	if err != nil {
		return err
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return fmt.Errorf("commit %s-%d: %w", t.Topic, p.Partition, err)
			}
		}
	}
	return nil
}
