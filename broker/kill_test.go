package broker

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/queue/kafka"
)

// childDir names the data folder of a broker that this test binary is started as.
const childDir, childAddr = "WEIR_TEST_BROKER_DIR", "WEIR_TEST_BROKER_ADDR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := runChild(dir, os.Getenv(childAddr)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// runChild is a broker that lives until it is killed. It says that it is ready on standard output.
func runChild(dir, addr string) error {
	cfg := DefaultConfig()
	cfg.Dir, cfg.Listen, cfg.DiskFloor = dir, []string{addr}, -1
	b, err := Open(cfg)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return b.Run(context.Background())
}

// child starts a broker process and waits until it listens.
func child(t *testing.T, dir, addr string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childAddr+"="+addr)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("broker did not start: %q, %v", line, err)
	}
	return cmd
}

// TestKill kills the broker's process again and again under an idempotent producer and a consumer group: every record is there once,
// in order, and the group goes on where it was.
func TestKill(t *testing.T) {
	kills := 5
	if n, err := strconv.Atoi(os.Getenv("WEIR_KILLS")); err == nil {
		kills = n
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute+time.Duration(kills)*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close() // the port stays the same over the lives of the broker
	dir := t.TempDir()
	cmd := child(t, dir, addr)

	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("t"), kgo.ProducerLinger(time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.MetadataMinAge(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	const perKill = 2000
	var acked atomic.Int64
	ackedSome := make(chan struct{}, 1)
	total := (kills + 1) * perKill
	go func() {
		for i := range total {
			cl.Produce(ctx, &kgo.Record{Value: []byte(strconv.Itoa(i))}, func(_ *kgo.Record, err error) {
				if err != nil {
					t.Errorf("record %d: %v", i, err)
				}
				if acked.Add(1)%perKill == perKill/2 {
					ackedSome <- struct{}{}
				}
			})
		}
	}()
	for range kills {
		<-ackedSome
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		cmd = child(t, dir, addr)
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	<-ackedSome
	if err := cl.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if n := acked.Load(); n != int64(total) {
		t.Fatalf("%d of %d acknowledged", n, total)
	}
	checkKilled(t, ctx, addr, total)
}

// checkKilled reads everything in two lives of a group member.
func checkKilled(t *testing.T, ctx context.Context, addr string, total int) {
	t.Helper()
	next := 0
	for _, until := range []int{total / 2, total} {
		cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumerGroup("g"), kgo.ConsumeTopics("t"), kgo.DisableAutoCommit())
		if err != nil {
			t.Fatal(err)
		}
		for next < until {
			fs := cl.PollRecords(ctx, until-next)
			if err := fs.Err(); err != nil {
				t.Fatal(err)
			}
			fs.EachRecord(func(r *kgo.Record) {
				if string(r.Value) != strconv.Itoa(next) || r.Offset != int64(next) {
					t.Fatalf("offset %d holds %s, want record %d", r.Offset, r.Value, next)
				}
				next++
			})
			if err := cl.CommitUncommittedOffsets(ctx); err != nil {
				t.Fatal(err)
			}
		}
		cl.Close()
	}
}

// TestKillUnderQueue kills the broker's process under the queue that agent and pipeline use from other machines: Produce waits it out,
// the member goes on, and every record comes at least once, in order.
func TestKillUnderQueue(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	cmd := child(t, dir, addr)
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	cfg := kafka.DefaultConfig()
	cfg.Brokers = []string{addr}
	q, err := kafka.Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	const calls, each = 60, 50
	var produced atomic.Int64
	failed := make(chan error, 1)
	go func() {
		for c := range calls {
			recs := make([]queue.Record, each)
			for i := range recs {
				recs[i] = queue.Record{Topic: "t", Key: []byte("k"), Value: []byte(strconv.Itoa(c*each + i))}
			}
			if err := q.Produce(ctx, recs); err != nil {
				failed <- err
				return
			}
			produced.Add(each)
		}
	}()
	m, err := q.Join(ctx, "g", "t")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	next, kills := 0, 0
	for next < calls*each {
		select {
		case err := <-failed:
			t.Fatalf("Produce after %d records: %v", produced.Load(), err)
		default:
		}
		recs, err := m.Poll(ctx)
		if err != nil {
			t.Fatalf("Poll at record %d: %v", next, err)
		}
		for _, r := range recs {
			n, err := strconv.Atoi(string(r.Value))
			if err != nil || n > next {
				t.Fatalf("record %q, want %d or one that was seen", r.Value, next)
			}
			next = max(next, n+1)
		}
		if len(recs) > 0 {
			if err := m.Commit(ctx, []queue.Position{{Topic: "t", TopicID: recs[0].TopicID, Offset: recs[len(recs)-1].Offset + 1}}); err != nil {
				t.Logf("Commit: %v", err)
			}
		}
		if kills < 2 && next > (kills+1)*calls*each/4 {
			kills++
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			cmd = child(t, dir, addr)
		}
	}
	if kills != 2 {
		t.Errorf("%d kills", kills)
	}
}
