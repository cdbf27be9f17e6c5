package broker

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/queue"
)

const (
	benchValue = 200
	benchCall  = 4000
)

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// report gives records per second and CPU seconds per million records.
func report(b *testing.B, records int, start time.Time, cpu float64) {
	b.Helper()
	b.SetBytes(int64(records/b.N) * benchValue)
	b.ReportMetric(float64(records)/time.Since(start).Seconds(), "rec/s")
	b.ReportMetric((cpuSeconds()-cpu)/float64(records)*1e6, "cpu-s/M")
}

func benchRecords(n int) []queue.Record {
	value := make([]byte, benchValue)
	for i := range value {
		value[i] = byte('a' + i%26)
	}
	recs := make([]queue.Record, n)
	for i := range recs {
		recs[i] = queue.Record{Topic: "bench", Key: []byte("chain"), Value: value, Time: time.UnixMilli(1_770_000_000_000)}
	}
	return recs
}

// BenchmarkFloor is what the disk gives: the bytes of a call written and synced.
func BenchmarkFloor(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "floor"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, benchCall*(benchValue+15))
	start, cpu := time.Now(), cpuSeconds()
	for b.Loop() {
		if _, err := f.Write(buf); err != nil {
			b.Fatal(err)
		}
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			b.Fatal(err)
		}
	}
	report(b, b.N*benchCall, start, cpu)
}

// BenchmarkInProcess produces, polls and commits by direct calls, every call acknowledged after its sync.
func BenchmarkInProcess(b *testing.B) { inProcess(b, benchRecords(benchCall), "snappy") }

// BenchmarkInProcessNone is the same without compression.
func BenchmarkInProcessNone(b *testing.B) { inProcess(b, benchRecords(benchCall), "none") }

// BenchmarkInProcessNoise is the same with values that do not get smaller.
func BenchmarkInProcessNoise(b *testing.B) { inProcess(b, noiseRecords(), "snappy") }

// BenchmarkInProcessNoiseNone is its measure.
func BenchmarkInProcessNoiseNone(b *testing.B) { inProcess(b, noiseRecords(), "none") }

func noiseRecords() []queue.Record {
	recs := benchRecords(benchCall)
	values := noise(benchCall * benchValue)
	for i := range recs {
		recs[i].Value = values[i*benchValue:][:benchValue]
	}
	return recs
}

func inProcess(b *testing.B, recs []queue.Record, codec string) {
	ctx := context.Background()
	cfg := testConfig(b)
	cfg.Partitions, cfg.TopicDefaults = 1, map[string]string{"compression.own": codec}
	br := open(b, cfg)
	m, err := br.Join(ctx, "bench", "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	done := make(chan error, 1)
	want := make(chan int, 1)
	go func() { done <- drain(ctx, m, want) }()
	start, cpu := time.Now(), cpuSeconds()
	n := 0
	for b.Loop() {
		if err := br.Produce(ctx, recs); err != nil {
			b.Fatal(err)
		}
		n += len(recs)
	}
	want <- n
	if err := <-done; err != nil {
		b.Fatal(err)
	}
	report(b, n, start, cpu)
}

// drain polls and commits until as many records came as want says.
func drain(ctx context.Context, m queue.Member, want <-chan int) error {
	total, got := -1, 0
	for total < 0 || got < total {
		select {
		case total = <-want:
		default:
		}
		recs, err := m.Poll(ctx)
		if err != nil {
			return err
		}
		if len(recs) == 0 {
			continue
		}
		got += len(recs)
		last := recs[len(recs)-1]
		if err := m.Commit(ctx, []queue.Position{{Topic: last.Topic, TopicID: last.TopicID, Partition: last.Partition, Offset: last.Offset + 1}}); err != nil {
			return err
		}
	}
	return nil
}

// BenchmarkTCP produces and consumes with franz-go over loopback in the same process: the CPU is the client's and the broker's.
func BenchmarkTCP(b *testing.B) {
	ctx := context.Background()
	cfg := testConfig(b)
	cfg.Partitions, cfg.Listen = 1, []string{"127.0.0.1:0"}
	br := open(b, cfg)
	cl, err := kgo.NewClient(kgo.SeedBrokers(br.Addrs()[0].String()), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics("bench"),
		kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.ProducerBatchMaxBytes(1_000_000), kgo.MaxBufferedRecords(40_000),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	value := make([]byte, benchValue)
	if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "bench", Value: value}).FirstErr(); err != nil {
		b.Fatal(err)
	}
	start, cpu := time.Now(), cpuSeconds()
	n := 1
	for b.Loop() {
		for range benchCall {
			cl.Produce(ctx, &kgo.Record{Topic: "bench", Value: value}, func(_ *kgo.Record, err error) {
				if err != nil {
					b.Error(err)
				}
			})
		}
		n += benchCall
	}
	if err := cl.Flush(ctx); err != nil {
		b.Fatal(err)
	}
	for got := 0; got < n; {
		got += cl.PollFetches(ctx).NumRecords()
	}
	report(b, n, start, cpu)
}
