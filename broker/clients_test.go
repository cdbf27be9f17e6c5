package broker

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// TestFranzGo produces with every codec, consumes in a group, and uses the admin client.
func TestFranzGo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_, addr := listening(t)
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	const each = 500
	for name, codec := range codecs {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(codec))
		if err != nil {
			t.Fatal(err)
		}
		var recs []*kgo.Record
		for i := range each {
			recs = append(recs, &kgo.Record{Topic: "t", Key: []byte(name), Value: fmt.Appendf(nil, "%s %d", name, i), Headers: []kgo.RecordHeader{{Key: "n", Value: []byte{byte(i)}}}})
		}
		if err := cl.ProduceSync(ctx, recs...).FirstErr(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		cl.Close()
	}
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	next := map[string]int{}
	for n := 0; n < each*len(codecs); {
		fs := cl.PollFetches(ctx)
		if err := fs.Err(); err != nil {
			t.Fatal(err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if want := fmt.Sprintf("%s %d", r.Key, next[string(r.Key)]); string(r.Value) != want {
				t.Fatalf("got %q, want %q", r.Value, want)
			}
			next[string(r.Key)]++
			n++
		})
	}
	if err := cl.CommitUncommittedOffsets(ctx); err != nil {
		t.Fatal(err)
	}
	adminFranzGo(t, ctx, kadm.NewClient(cl))
}

func adminFranzGo(t *testing.T, ctx context.Context, adm *kadm.Client) {
	t.Helper()
	lags, err := adm.Lag(ctx, "g")
	if err != nil {
		t.Fatal(err)
	}
	if l := lags["g"]; l.Error() != nil || l.Lag.Total() != 0 || l.State != "Stable" {
		t.Errorf("lag %d, state %s, %v", l.Lag.Total(), l.State, l.Error())
	}
	if _, err := adm.CreateTopic(ctx, 3, 1, map[string]*string{"retention.ms": kadm.StringPtr("60000")}, "made"); err != nil {
		t.Fatal(err)
	}
	if r, err := adm.UpdatePartitions(ctx, 5, "made"); err != nil || r.Error() != nil {
		t.Errorf("add partitions: %v, %v", err, r.Error())
	}
	alter := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: kadm.StringPtr("2000000")}}
	if r, err := adm.AlterTopicConfigs(ctx, alter, "made"); err != nil || r[0].Err != nil {
		t.Errorf("alter config: %v, %v", err, r)
	}
	configs, err := adm.DescribeTopicConfigs(ctx, "made")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range configs[0].Configs {
		got[c.Key] = *c.Value
	}
	if got["retention.ms"] != "60000" || got["max.message.bytes"] != "2000000" || got["cleanup.policy"] != "delete" {
		t.Errorf("configs: %v", got)
	}
	topics, err := adm.ListTopics(ctx)
	if err != nil || len(topics["made"].Partitions) != 5 {
		t.Errorf("%d partitions, %v", len(topics["made"].Partitions), err)
	}
	if r, err := adm.DeleteTopic(ctx, "made"); err != nil || r.Err != nil {
		t.Errorf("delete: %v, %v", err, r.Err)
	}
	bytes := int64(0)
	dirs, err := adm.DescribeAllLogDirs(ctx, nil)
	dirs.Each(func(d kadm.DescribedLogDir) { bytes += d.Size() })
	if err != nil || bytes == 0 {
		t.Errorf("log dirs: %d bytes, %v", bytes, err)
	}
	if _, err := adm.BrokerMetadata(ctx); err != nil {
		t.Error(err)
	}
}

// TestSarama produces and consumes with the protocol versions of brokers from 0.11 to now.
func TestSarama(t *testing.T) {
	t.Parallel()
	for _, v := range []sarama.KafkaVersion{sarama.V0_11_0_0, sarama.V1_0_0_0, sarama.V2_1_0_0, sarama.V2_8_0_0, sarama.V3_9_0_0} {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			_, addr := listening(t)
			cfg := sarama.NewConfig()
			cfg.Version = v
			cfg.Producer.Return.Successes = true
			cfg.Producer.RequiredAcks = sarama.WaitForAll
			cfg.Producer.Idempotent = true
			cfg.Net.MaxOpenRequests = 1
			cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
			cl, err := sarama.NewClient([]string{addr}, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			produceSarama(t, cl)
			consumeSarama(t, cl)
			adminSarama(t, cl, v)
		})
	}
}

const saramaRecords = 200

func produceSarama(t *testing.T, cl sarama.Client) {
	t.Helper()
	p, err := sarama.NewSyncProducerFromClient(cl)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i := range saramaRecords {
		msg := &sarama.ProducerMessage{Topic: "t", Key: sarama.StringEncoder("k"), Value: sarama.StringEncoder(fmt.Sprint(i))}
		if _, offset, err := p.SendMessage(msg); err != nil || offset != int64(i) {
			t.Fatalf("message %d is at offset %d, %v", i, offset, err)
		}
	}
}

// saramaHandler reads until it has everything.
type saramaHandler struct {
	t    *testing.T
	n    int
	done context.CancelFunc
}

func (h *saramaHandler) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (h *saramaHandler) Cleanup(sarama.ConsumerGroupSession) error { return nil }
func (h *saramaHandler) ConsumeClaim(s sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for msg := range claim.Messages() {
		if string(msg.Value) != fmt.Sprint(h.n) {
			h.t.Errorf("message %d is %q", h.n, msg.Value)
		}
		s.MarkMessage(msg, "")
		if h.n++; h.n == saramaRecords {
			s.Commit()
			h.done()
			return nil
		}
	}
	return nil
}

func consumeSarama(t *testing.T, cl sarama.Client) {
	t.Helper()
	g, err := sarama.NewConsumerGroupFromClient("g", cl)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	h := &saramaHandler{t: t, done: cancel}
	if err := g.Consume(ctx, []string{"t"}, h); err != nil {
		t.Fatal(err)
	}
	if h.n != saramaRecords {
		t.Errorf("consumed %d of %d", h.n, saramaRecords)
	}
}

func adminSarama(t *testing.T, cl sarama.Client, v sarama.KafkaVersion) {
	t.Helper()
	adm, err := sarama.NewClusterAdminFromClient(cl)
	if err != nil {
		t.Fatal(err)
	}
	if err := adm.CreateTopic("made", &sarama.TopicDetail{NumPartitions: 2, ReplicationFactor: 1}, false); err != nil {
		t.Error(err)
	}
	if topics, err := adm.ListTopics(); err != nil || topics["made"].NumPartitions != 2 {
		t.Errorf("topics %v, %v", topics, err)
	}
	offsets, err := adm.ListConsumerGroupOffsets("g", map[string][]int32{"t": {0, 1, 2, 3}})
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	for _, b := range offsets.Blocks["t"] {
		sum += max(0, b.Offset)
	}
	if sum != saramaRecords {
		t.Errorf("committed %d, want %d", sum, saramaRecords)
	}
	if groups, err := adm.DescribeConsumerGroups([]string{"g"}); err != nil || groups[0].GroupId != "g" {
		t.Errorf("groups %v, %v", groups, err)
	}
	if err := adm.DeleteTopic("made"); err != nil {
		t.Error(err)
	}
}
