package kafka

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Bounds of looking up the times of records.
const (
	timesWithin   = 3 * time.Second
	timesPart     = 1 << 20 // bytes of a partition asked for: brokers give the first batch of an answer whole, others when they fit
	timesAnswer   = 8 << 20
	timesPerRound = 64 // partitions of a request
	maxTimes      = 1_000
)

// times gives the time of the first record of the batch that holds each wanted offset, as far as that can be told soon: it is what lag in
// seconds is counted from.
func (a *Admin) times(ctx context.Context, wanted map[tp]map[int64]bool) map[tp]map[int64]time.Time {
	ctx, cancel := context.WithTimeout(ctx, timesWithin)
	defer cancel()
	out := map[tp]map[int64]time.Time{}
	if len(wanted) == 0 {
		return out
	}
	var topics []string
	for k := range wanted {
		topics = append(topics, k.topic)
	}
	meta, err := a.adm.ListTopicsWithInternal(ctx, topics...)
	if err != nil {
		return out
	}
	left := map[int32][]timeWanted{} // by leader
	n := 0
	for k, offsets := range wanted {
		p, ok := meta[k.topic].Partitions[k.partition]
		if !ok || p.Err != nil {
			continue
		}
		for at := range offsets {
			if n++; n <= maxTimes {
				left[p.Leader] = append(left[p.Leader], timeWanted{k, at, meta[k.topic].ID})
			}
		}
	}
	for leader, list := range left {
		for len(list) > 0 && ctx.Err() == nil {
			list = a.timesRound(ctx, leader, list, out)
		}
	}
	return out
}

// timeWanted is one offset whose time is wanted.
type timeWanted struct {
	tp
	at int64
	id [16]byte
}

// timesRound asks a broker once and gives what is still wanted: nothing when no answer helped.
func (a *Admin) timesRound(ctx context.Context, leader int32, list []timeWanted, out map[tp]map[int64]time.Time) []timeWanted {
	req := kmsg.NewPtrFetchRequest()
	req.MaxBytes, req.MinBytes, req.MaxWaitMillis, req.SessionEpoch = timesAnswer, 1, 100, -1
	asked := map[tp]int64{}
	byTopic := map[string]*kmsg.FetchRequestTopic{}
	for _, w := range list {
		if _, twice := asked[w.tp]; twice || len(asked) >= timesPerRound {
			continue
		}
		asked[w.tp] = w.at
		t := byTopic[w.topic]
		if t == nil {
			nt := kmsg.NewFetchRequestTopic()
			nt.Topic, nt.TopicID = w.topic, w.id
			t = &nt
			byTopic[w.topic] = t
		}
		p := kmsg.NewFetchRequestTopicPartition()
		p.Partition, p.FetchOffset, p.PartitionMaxBytes, p.CurrentLeaderEpoch = w.partition, w.at, timesPart, -1
		t.Partitions = append(t.Partitions, p)
	}
	for _, name := range slices.Sorted(maps.Keys(byTopic)) {
		req.Topics = append(req.Topics, *byTopic[name])
	}
	kresp, err := a.cl.Broker(int(leader)).RetriableRequest(ctx, req)
	if err != nil {
		return nil
	}
	names := map[[16]byte]string{}
	for _, w := range list {
		names[w.id] = w.topic
	}
	progress := false
	settled := map[tp]bool{}
	for _, t := range kresp.(*kmsg.FetchResponse).Topics {
		name := t.Topic
		if name == "" {
			name = names[t.TopicID]
		}
		for _, p := range t.Partitions {
			k := tp{name, p.Partition}
			ms, ok := firstTime(p.RecordBatches)
			if ok {
				if out[k] == nil {
					out[k] = map[int64]time.Time{}
				}
				out[k][asked[k]] = time.UnixMilli(ms)
			}
			settled[k] = ok || p.ErrorCode != 0
			progress = progress || settled[k]
		}
	}
	if !progress {
		return nil
	}
	return slices.DeleteFunc(list, func(w timeWanted) bool { at, ok := asked[w.tp]; return ok && at == w.at && settled[w.tp] })
}

// firstTime is the base time of the batch that begins b, which may be cut short behind its header; message sets of old brokers say it
// elsewhere, and are not asked.
func firstTime(b []byte) (int64, bool) {
	const magicAt, timeAt, timeEnd = 16, 27, 35
	if len(b) < timeEnd || b[magicAt] != 2 {
		return 0, false
	}
	var ms int64
	for _, c := range b[timeAt:timeEnd] {
		ms = ms<<8 | int64(c)
	}
	return ms, ms >= 0
}
