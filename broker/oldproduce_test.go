package broker

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/journal"
)

// oldMessage lays out a message set of one message.
func oldMessage(magic, attributes byte, ms int64, key, value string) []byte {
	b := []byte{0, 0, 0, 0, magic, attributes}
	if magic == 1 {
		b = binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	for _, f := range []string{key, value} {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	binary.BigEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return append(binary.BigEndian.AppendUint32(make([]byte, 8), uint32(len(b))), b...)
}

// TestMessageSets: what old clients send comes out as batches, whatever the codec.
func TestMessageSets(t *testing.T) {
	t.Parallel()
	b := memBroker(t)
	tp := create(t, b, "t", 1)
	w := dial(t, b)
	set := append(oldMessage(0, 0, 0, "k", "a"), oldMessage(1, 0, 5000, "k", "b")...)
	inner := string(append(oldMessage(0, 0, 0, "k", "c"), oldMessage(0, 0, 0, "k", "d")...))
	snappy := oldMessage(0, journal.CodecSnappy, 0, "", string(snappyBlock(inner)))
	for v, records := range [][]byte{set, snappy, set} {
		r := ask[*kmsg.ProduceResponse](w, produceReq(int16(v), "t", 0, records)).Topics[0].Partitions[0]
		if r.ErrorCode != errNone || r.BaseOffset != int64(2*v) {
			t.Fatalf("version %d: code %d, offset %d", v, r.ErrorCode, r.BaseOffset)
		}
	}
	if got := valuesOf(t, w.fetch("t", 0).RecordBatches); !slices.Equal(got, []string{"a", "b", "c", "d", "a", "b"}) {
		t.Errorf("records %q", got)
	}
	if offset, at, err := tp.partition(0).j.OffsetForTime(0); err != nil || offset != 1 || at != 5000 {
		t.Errorf("first time is %d at offset %d, %v", at, offset, err)
	}
	bad := slices.Clone(set)
	bad[len(bad)-1] ^= 1
	for name, records := range map[string][]byte{"flipped": bad, "cut": set[:len(set)-1], "none": {}, "a batch": batchOf("x")} {
		if r := ask[*kmsg.ProduceResponse](w, produceReq(2, "t", 0, records)).Topics[0].Partitions[0]; r.ErrorCode == errNone {
			t.Errorf("%s: taken", name)
		}
	}
}

func snappyBlock(s string) []byte { // one literal of less than 60 bytes, or of less than 256
	b := binary.AppendUvarint(nil, uint64(len(s)))
	return append(append(b, 60<<2, byte(len(s)-1)), s...)
}

// TestOldSarama: a client of the time of Kafka 0.8 produces with every codec it has.
func TestOldSarama(t *testing.T) {
	t.Parallel()
	for _, version := range []sarama.KafkaVersion{sarama.V0_8_2_0, sarama.V0_10_0_0} {
		_, addr := listening(t)
		for _, codec := range []sarama.CompressionCodec{sarama.CompressionNone, sarama.CompressionGZIP, sarama.CompressionSnappy, sarama.CompressionLZ4} {
			if codec == sarama.CompressionLZ4 && version == sarama.V0_8_2_0 {
				continue // came with 0.10
			}
			cfg := sarama.NewConfig()
			cfg.Version, cfg.Producer.Compression, cfg.Producer.Return.Successes, cfg.ApiVersionsRequest = version, codec, true, false
			p, err := sarama.NewSyncProducer([]string{addr}, cfg)
			if err != nil {
				t.Fatalf("%s %v: %v", version, codec, err)
			}
			for range 3 {
				if _, _, err := p.SendMessage(&sarama.ProducerMessage{Topic: "t-" + codec.String(), Value: sarama.StringEncoder("hello hello hello hello hello")}); err != nil {
					t.Errorf("%s %v: %v", version, codec, err)
				}
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
