package live

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestEveryDocumentIsCounted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h := NewHub()
	done := make(chan error)
	go func() { done <- h.Run(ctx) }()
	s, err := h.Subscribe(nil, false)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20_000
	go func() {
		for i := range n {
			h.Offer([]Doc{{Index: "logs-a", Source: fmt.Appendf(nil, `{"message":"line %d","pad":%q}`, i, strings.Repeat("x", 2000))}})
		}
	}()
	var sent, skipped, unseen uint64
	for sent+skipped+unseen < n {
		select {
		case <-s.Ready():
		case <-time.After(10 * time.Second):
			t.Fatalf("sent %d + skipped %d + unseen %d of %d", sent, skipped, unseen, n)
		}
		for more := true; more; {
			var rows []Row
			var sk, un uint64
			rows, sk, un, more = s.Take(1000)
			sent, skipped, unseen = sent+uint64(len(rows)), skipped+sk, unseen+un
		}
	}
	if sent == 0 {
		t.Error("no row arrived")
	}
	s.Close()
	if h.Listening() {
		t.Error("hub still listens after Close")
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestSubscriberSeesOnlyItsMatches(t *testing.T) {
	t.Parallel()
	h := NewHub()
	go h.Run(t.Context())
	s, err := h.Subscribe(func(d Doc) bool { return strings.Contains(string(d.Source), "ERROR") }, true)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h.Offer([]Doc{{Source: []byte(`{"message":"fine"}`)}, {Source: []byte(`{"message":"ERROR here"}`)}})
	<-s.Ready()
	rows, _, _, _ := s.Take(10)
	if len(rows) != 1 || rows[0].Message != "ERROR here" || string(rows[0].Doc) == "" {
		t.Fatalf("rows = %+v", rows)
	}
}

func TestTooManySubscribers(t *testing.T) {
	t.Parallel()
	h := NewHub()
	for range maxSubscribers {
		if _, err := h.Subscribe(nil, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Subscribe(nil, false); err != ErrTooMany {
		t.Fatalf("err = %v", err)
	}
}

func TestRow(t *testing.T) {
	t.Parallel()
	var b Builder
	r := b.Row("logs-app", "1", []byte(`{"@timestamp":"2026-11-22T14:02:11.318Z","log":{"level":"warning","logger":"o.h.e.jdbc","offset":42,"file":{"path":"/var/log/a.log"}},
		"service":{"name":"mvc"},"message":"boom\n\tat a.B.c(B.java:1)\nCaused by: x","process.thread.name":["main"],"weir":{"source":"00ff"}}`))
	want := Row{ID: "1", Index: "logs-app", T: 1795356131318, TS: "2026-11-22T14:02:11.318Z", Level: "WARN", Service: "mvc", Logger: "o.h.e.jdbc", Thread: "main", Message: "boom", Stack: "\tat a.B.c(B.java:1)\nCaused by: x"}
	if r.TS != want.TS || r.T != want.T || r.Level != want.Level || r.Service != want.Service || r.Logger != want.Logger || r.Thread != want.Thread || r.Message != want.Message || r.Stack != want.Stack {
		t.Errorf("row = %+v", r)
	}
	if r.Source == nil || *r.Source != (Place{ID: "00ff", Path: "/var/log/a.log", Offset: 42}) {
		t.Errorf("place = %+v", r.Source)
	}
	long := b.Row("i", "2", fmt.Appendf(nil, `{"message":%q}`, strings.Repeat("가", 1000)))
	if len(long.Message) > maxMessage || long.Cut != 3000-len(long.Message) {
		t.Errorf("cut %d of a message of 3000 bytes to %d", long.Cut, len(long.Message))
	}
	if r := b.Row("i", "3", []byte("not json")); r.Message != "not json" {
		t.Errorf("row of text = %+v", r)
	}
}
