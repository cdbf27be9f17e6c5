package kafka

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Topic tells of a topic.
type Topic struct {
	Name       string     `json:"name"`
	ID         string     `json:"id,omitempty"` // base64, as Kafka's tools write it
	Internal   bool       `json:"internal,omitempty"`
	Partitions int        `json:"partitions"`
	Replicas   int        `json:"replicas"`
	Records    int64      `json:"records"`          // offsets between start and end
	Bytes      int64      `json:"bytes"`            // on disk of one copy; -1 when the cluster does not say
	Oldest     *time.Time `json:"oldest,omitempty"` // time of the first record kept
	Newest     *time.Time `json:"newest,omitempty"` // greatest time of a record
	Groups     []TopicLag `json:"groups"`
	Error      string     `json:"error,omitempty"`
}

// TopicLag is a group's part of a topic.
type TopicLag struct {
	Group   string `json:"group"`
	State   string `json:"state"`
	Members int    `json:"members"`
	Lag     int64  `json:"lag"`    // records
	LagMs   int64  `json:"lag_ms"` // age of the oldest record that is not read
}

// TopicDetail is a topic with its partitions and settings.
type TopicDetail struct {
	Topic
	Parts   []Partition `json:"parts"`
	Configs []Setting   `json:"configs"`
}

// Partition tells of a partition. Low is the first offset kept, High the next one to be written.
type Partition struct {
	ID       int32   `json:"id"`
	Leader   int32   `json:"leader"`
	Replicas []int32 `json:"replicas"`
	Low      int64   `json:"low"`
	High     int64   `json:"high"`
	Bytes    int64   `json:"bytes"`
	Error    string  `json:"error,omitempty"`
}

// Setting is one configuration of a topic.
type Setting struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	Default string `json:"default,omitempty"`
	Source  string `json:"source"` // topic, broker or default
}

// NewTopic is what a topic is to be.
type NewTopic struct {
	Name       string            `json:"name"`
	Partitions int32             `json:"partitions"` // 0: the cluster's default
	Replicas   int16             `json:"replicas"`   // 0: the cluster's default
	Configs    map[string]string `json:"configs"`
}

// Topics tells of all topics, by name.
func (a *Admin) Topics(ctx context.Context) ([]Topic, error) {
	details, err := a.topics(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]Topic, len(details))
	for i := range details {
		out[i] = details[i].Topic
	}
	return out, nil
}

// Topic tells of one topic; queue.ErrUnknownTopic when there is none.
func (a *Admin) Topic(ctx context.Context, name string) (TopicDetail, error) {
	details, err := a.topics(ctx, name)
	if err != nil {
		return TopicDetail{}, err
	}
	t := details[0]
	configs, err := a.adm.DescribeTopicConfigs(ctx, name)
	if err == nil && len(configs) > 0 {
		err = configs[0].Err
	}
	if err != nil {
		return t, fmt.Errorf("settings of topic %s: %w", name, translate(err))
	}
	for _, c := range configs[0].Configs {
		s := Setting{Name: c.Key, Value: c.MaybeValue(), Source: sourceWord(c.Source)}
		for _, syn := range c.Synonyms {
			if syn.Source != kmsg.ConfigSourceDynamicTopicConfig && syn.Value != nil {
				s.Default = *syn.Value
				break
			}
		}
		t.Configs = append(t.Configs, s)
	}
	slices.SortFunc(t.Configs, func(a, b Setting) int { return cmp.Compare(a.Name, b.Name) })
	return t, nil
}

func sourceWord(s kmsg.ConfigSource) string {
	switch s {
	case kmsg.ConfigSourceDynamicTopicConfig:
		return "topic"
	case kmsg.ConfigSourceDefaultConfig:
		return "default"
	}
	return "broker"
}

// topics gathers what Topics and Topic say. Offsets, sizes and groups that cannot be had leave their fields empty; the topic stays.
func (a *Admin) topics(ctx context.Context, names ...string) ([]TopicDetail, error) {
	meta, err := a.adm.ListTopicsWithInternal(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", translate(err))
	}
	if len(names) == 1 {
		if err := meta[names[0]].Err; err != nil {
			return nil, fmt.Errorf("topic %s: %w", names[0], translate(err))
		}
	}
	starts, _ := a.adm.ListStartOffsets(ctx, names...)
	ends, _ := a.adm.ListEndOffsets(ctx, names...)
	oldest, _ := a.adm.ListOffsetsAfterMilli(ctx, 0, names...)
	newest, _ := a.adm.ListMaxTimestampOffsets(ctx, names...)
	sizes := a.sizes(ctx, names)
	lags, err := a.topicLags(ctx)
	if err != nil {
		a.log.Debug("lags not known", "error", err)
	}
	var out []TopicDetail
	for _, m := range meta.Sorted() {
		t := TopicDetail{Topic: Topic{Name: m.Topic, Internal: m.IsInternal, Partitions: len(m.Partitions), Bytes: -1, Groups: lags[m.Topic]}, Parts: []Partition{}}
		if m.ID != (kadm.TopicID{}) {
			t.ID = m.ID.String()
		}
		if m.Err != nil {
			t.Error = m.Err.Error()
		}
		if t.Groups == nil {
			t.Groups = []TopicLag{}
		}
		for _, p := range m.Partitions.Sorted() {
			part := Partition{ID: p.Partition, Leader: p.Leader, Replicas: p.Replicas, Low: offsetOf(starts, p), High: offsetOf(ends, p), Bytes: -1}
			if p.Err != nil {
				part.Error = p.Err.Error()
			}
			if n, ok := sizes[tp{m.Topic, p.Partition}]; ok {
				part.Bytes, t.Bytes = n, max(t.Bytes, 0)+n
			}
			t.Replicas = max(t.Replicas, len(p.Replicas))
			t.Records += max(0, part.High-part.Low)
			t.Oldest = earlier(t.Oldest, timeOf(oldest, p))
			t.Newest = later(t.Newest, timeOf(newest, p))
			t.Parts = append(t.Parts, part)
		}
		out = append(out, t)
	}
	return out, nil
}

// tp is a partition.
type tp struct {
	topic     string
	partition int32
}

func offsetOf(l kadm.ListedOffsets, p kadm.PartitionDetail) int64 {
	o, ok := l.Lookup(p.Topic, p.Partition)
	if !ok || o.Err != nil {
		return -1
	}
	return o.Offset
}

func timeOf(l kadm.ListedOffsets, p kadm.PartitionDetail) *time.Time {
	o, ok := l.Lookup(p.Topic, p.Partition)
	if !ok || o.Err != nil || o.Offset < 0 || o.Timestamp < 0 {
		return nil
	}
	at := time.UnixMilli(o.Timestamp).UTC()
	return &at
}

func earlier(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.Before(*a) {
		return b
	}
	return a
}

func later(a, b *time.Time) *time.Time {
	if a == nil || b != nil && b.After(*a) {
		return b
	}
	return a
}

// sizes is the bytes of each partition's largest copy.
func (a *Admin) sizes(ctx context.Context, names []string) map[tp]int64 {
	var set kadm.TopicsSet
	for _, n := range names {
		if set == nil {
			set = kadm.TopicsSet{}
		}
		set[n] = map[int32]struct{}{}
	}
	out := map[tp]int64{}
	if len(names) > 0 {
		meta, err := a.adm.ListTopicsWithInternal(ctx, names...)
		if err != nil {
			return out
		}
		set = meta.TopicsSet()
	}
	dirs, err := a.adm.DescribeAllLogDirs(ctx, set)
	if err != nil {
		a.log.Debug("sizes not known", "error", err)
	}
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			k := tp{p.Topic, p.Partition}
			out[k] = max(out[k], p.Size)
		})
	})
	return out
}

// CreateTopic makes a topic.
func (a *Admin) CreateTopic(ctx context.Context, n NewTopic) error {
	partitions, replicas := n.Partitions, n.Replicas
	if partitions == 0 {
		partitions = -1
	}
	if replicas == 0 {
		replicas = -1
	}
	resp, err := a.adm.CreateTopics(ctx, partitions, replicas, pointers(n.Configs), n.Name)
	if err == nil {
		err = detailed(resp[n.Name].Err, resp[n.Name].ErrMessage)
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", n.Name, translate(err))
	}
	return nil
}

// detailed is an error with the words that came with it.
func detailed(err error, words string) error {
	if err == nil || words == "" {
		return err
	}
	return fmt.Errorf("%s (%w)", words, err)
}

func pointers(m map[string]string) map[string]*string {
	out := make(map[string]*string, len(m))
	for k, v := range m {
		out[k] = &v
	}
	return out
}

// DeleteTopic removes a topic with all its records.
func (a *Admin) DeleteTopic(ctx context.Context, name string) error {
	resp, err := a.adm.DeleteTopics(ctx, name)
	if err == nil {
		err = detailed(resp[name].Err, resp[name].ErrMessage)
	}
	if err != nil {
		return fmt.Errorf("delete topic %s: %w", name, translate(err))
	}
	return nil
}

// AddPartitions grows a topic to so many partitions. Keys move to other partitions by it.
func (a *Admin) AddPartitions(ctx context.Context, name string, to int32) error {
	resp, err := a.adm.UpdatePartitions(ctx, int(to), name)
	if err == nil {
		err = detailed(resp[name].Err, resp[name].ErrMessage)
	}
	if err != nil {
		return fmt.Errorf("add partitions to topic %s: %w", name, translate(err))
	}
	return nil
}

// SetConfigs sets and unsets single settings of a topic.
func (a *Admin) SetConfigs(ctx context.Context, topic string, set map[string]string, unset []string) error {
	var change []kadm.AlterConfig
	for _, k := range slices.Sorted(maps.Keys(set)) {
		v := set[k]
		change = append(change, kadm.AlterConfig{Op: kadm.SetConfig, Name: k, Value: &v})
	}
	for _, k := range unset {
		change = append(change, kadm.AlterConfig{Op: kadm.DeleteConfig, Name: k})
	}
	resp, err := a.adm.AlterTopicConfigs(ctx, change, topic)
	if err == nil && len(resp) > 0 {
		err = detailed(resp[0].Err, resp[0].ErrMessage)
	}
	if err != nil {
		return fmt.Errorf("settings of topic %s: %w", topic, translate(err))
	}
	return nil
}

// Trim removes the records of a topic below the given offsets, by partition; -1 is the end.
func (a *Admin) Trim(ctx context.Context, topic string, before map[int32]int64) error {
	offsets := kadm.Offsets{}
	for p, at := range before {
		offsets.Add(kadm.Offset{Topic: topic, Partition: p, At: at})
	}
	resp, err := a.adm.DeleteRecords(ctx, offsets)
	if err == nil {
		err = resp.Error()
	}
	if err != nil {
		return fmt.Errorf("trim topic %s: %w", topic, translate(err))
	}
	return nil
}

// partitionsOf lists the partitions of a topic.
func (a *Admin) partitionsOf(ctx context.Context, topic string) ([]int32, error) {
	meta, err := a.adm.ListTopicsWithInternal(ctx, topic)
	if err == nil {
		err = meta[topic].Err
	}
	if err == nil && len(meta[topic].Partitions) == 0 {
		err = kerr.UnknownTopicOrPartition
	}
	if err != nil {
		return nil, fmt.Errorf("topic %s: %w", topic, translate(err))
	}
	return meta[topic].Partitions.Numbers(), nil
}
