package agent

import (
	"context"
	"encoding/hex"
	"hash/fnv"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// listener is an input that is no files: it renders what it is handed and gives it to the lane of its stream.
type listener struct {
	a   *Agent
	in  *compiled
	src input.Input
	log *slog.Logger
	env *envelope
	own map[string]bool // keys of the envelope's root
	raw bool            // events of other agents go on as they are

	mu    sync.Mutex // guards what follows
	feeds map[string]*feed
}

// feed is what was pushed as one stream: a source whose ranges count payload bytes. A stream that is forgotten gets a new source
// when it comes back.
type feed struct {
	id   ledger.Source
	key  []byte
	lane *lane

	mu   sync.Mutex // guards pos, and keeps the stream's batches in order
	pos  int64
	used time.Time // guarded by listener.mu
}

// maxFeeds bounds the streams a listener remembers.
const maxFeeds = 4096

// pushed is a rendered batch on its way to the sender.
type pushed struct {
	recs   []queue.Record
	bytes  int64 // taken from the budget
	stream string
	cursor []byte
	acked  func()
	on     *listener
}

// openListener compiles and opens an input that listens.
func (a *Agent) openListener(conf *Input, index int) (*listener, error) {
	in, errs := compileInput(&a.cfg, conf, index, &a.id)
	if len(errs) > 0 {
		return nil, errs[0]
	}
	log := a.log.With("input", conf.Type, "place", conf.Place)
	l := &listener{a: a, in: in, log: log, own: map[string]bool{}, feeds: map[string]*feed{}}
	if c, ok := conf.Listen.(*Stdin); ok {
		l.src = newStdin(l, c)
	} else {
		src, err := conf.Listen.Open(log)
		if err != nil {
			return nil, err
		}
		l.src = src
	}
	env, missing := in.render(&a.cfg, nil, nil, time.Now())
	if missing {
		a.stats.topicMissing.Add(1)
	}
	l.env = env
	for k := range env.tree {
		l.own[k] = true
	}
	l.raw = len(in.chain)+len(in.once)+len(conf.Fields)+len(conf.Tags)+len(a.cfg.Fields)+len(a.cfg.Tags) == 0 && conf.Pipeline+conf.Index+conf.ServiceType == ""
	return l, nil
}

// feedOf is the feed of a stream, a new one when it is not remembered.
func (l *listener) feedOf(name string) *feed {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	s := l.feeds[name]
	if s == nil {
		if len(l.feeds) >= maxFeeds {
			l.forgetOldest()
		}
		h := fnv.New32a()
		h.Write([]byte(name))
		s = &feed{id: ledger.NewSource(now), lane: l.a.lanes[h.Sum32()%uint32(len(l.a.lanes))]}
		s.key = []byte(hex.EncodeToString(s.id[:]))
		l.feeds[name] = s
	}
	s.used = now
	return s
}

func (l *listener) forgetOldest() {
	var oldest string
	var at time.Time
	for name, s := range l.feeds {
		if oldest == "" || s.used.Before(at) {
			oldest, at = name, s.used
		}
	}
	delete(l.feeds, oldest)
}

// Push renders a batch and hands it to the sender of its stream's lane.
func (l *listener) Push(ctx context.Context, b *input.Batch, acked func()) error {
	s := l.feedOf(b.Stream)
	s.mu.Lock()
	defer s.mu.Unlock()
	size := pushCost(b)
	if err := l.a.pushBudget.take(ctx, s.lane.idle, size); err != nil {
		return err
	}
	return l.handOver(ctx, s, &pushed{recs: l.records(s, b), bytes: size, stream: b.Stream, cursor: b.Cursor, acked: acked, on: l})
}

// handOver gives p, whose bytes were taken from the budget, to the sender of its stream's lane.
func (l *listener) handOver(ctx context.Context, s *feed, p *pushed) error {
	select {
	case s.lane.pushes <- p:
		return nil
	case <-ctx.Done():
		l.a.pushBudget.give(p.bytes)
		return ctx.Err()
	case <-s.lane.idle:
		l.a.pushBudget.give(p.bytes)
		return input.ErrStopped
	}
}

// Deliver pushes a batch and waits until it is durable.
func (l *listener) Deliver(ctx context.Context, b *input.Batch) error {
	done := make(chan struct{})
	lane := l.feedOf(b.Stream).lane
	if err := l.Push(ctx, b, func() { close(done) }); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-lane.idle:
		select { // the last batch before the end
		case <-done:
			return nil
		default:
			return input.ErrStopped
		}
	}
}

// Cursor is the last acknowledged cursor of a stream.
func (l *listener) Cursor(stream string) []byte { return l.a.cursors.get(l.cursorName(stream)) }

func (l *listener) cursorName(stream string) string {
	return l.in.conf.Type + "\x00" + l.in.conf.ID + "\x00" + stream
}

// eventCost is what an event weighs beside its message: the envelope and its fields.
const eventCost = 1 << 10

// pushCost is what a batch weighs in the budget, in bytes.
func pushCost(b *input.Batch) int64 {
	n := int64(len(b.Events)) * eventCost
	for i := range b.Events {
		n += int64(len(b.Events[i].Message) + len(b.Events[i].Raw))
	}
	return n
}

// records renders the events of a batch, less those a rule drops.
func (l *listener) records(s *feed, b *input.Batch) []queue.Record {
	now := time.Now()
	recs := make([]queue.Record, 0, len(b.Events))
	for i := range b.Events {
		e := &b.Events[i]
		from := s.pos
		s.pos += max(e.Bytes, 1)
		l.a.stats.streamed.Add(s.pos - from)
		if e.At.IsZero() {
			e.At = now
		}
		value, rule := l.render(e)
		if rule != "" {
			l.a.stats.drop(rule, s.pos-from)
			continue
		}
		key := s.key
		if e.Key != "" {
			h := xxh3.HashString128(e.Key).Bytes()
			key = []byte(hex.EncodeToString(h[:]))
		}
		recs = append(recs, queue.Record{
			Topic: l.env.topic, Time: now, Key: key, Value: value, Origin: ledger.Range{Source: s.id, From: from, To: s.pos},
		})
	}
	return recs
}

// render is an event's JSON form, or the rule that drops it.
func (l *listener) render(e *input.Event) (value []byte, rule string) {
	if e.Raw != nil {
		return l.renderRaw(e)
	}
	if len(l.in.chain) == 0 && len(e.Metadata) == 0 && !l.overlaps(e) {
		return l.appendDisjoint(make([]byte, 0, len(e.Message)+eventCost), e), ""
	}
	ev := &tree.Event{At: e.At, Fields: tree.Clone(l.env.tree), Metadata: tree.Clone(l.env.metadata)}
	if e.Message != nil {
		ev.Fields["message"] = strings.ToValidUTF8(string(e.Message), "\uFFFD")
	}
	tree.Merge(ev.Fields, e.Fields, true)
	tree.Merge(ev.Metadata, e.Metadata, true)
	for _, f := range e.Flags {
		tree.AddFlag(ev.Fields, f)
	}
	if rule = processor.Run(l.in.chain, ev); rule != "" {
		return nil, rule
	}
	if !l.in.conf.KeepNull {
		tree.DropNulls(ev.Fields)
	}
	return ev.Append(nil), ""
}

// overlaps reports whether an event has fields within those that are constant.
func (l *listener) overlaps(e *input.Event) bool {
	if len(e.Flags) > 0 {
		return true
	}
	for k := range e.Fields {
		if l.own[k] || k == "message" {
			return true
		}
	}
	return false
}

// appendDisjoint renders an event whose fields and the constant ones share no root.
func (l *listener) appendDisjoint(b []byte, e *input.Event) []byte {
	b = append(b, `{"@timestamp":"`...)
	b = tree.AppendTime(b, e.At)
	b = append(b, l.env.meta...)
	if e.Message == nil {
		b = b[:len(b)-len(`,"message":"`)]
	} else {
		b, _ = tree.AppendText(b, e.Message)
		b = append(b, '"')
	}
	fields := e.Fields
	if !l.in.conf.KeepNull && len(fields) > 0 {
		fields = maps.Clone(fields)
		tree.DropNulls(fields)
	}
	b = tree.AppendMembers(b, fields, true)
	return append(b, l.env.rest...)
}

// acknowledge tells the input that p is durable.
func (p *pushed) acknowledge() {
	a := p.on.a
	a.stats.acked.Add(int64(len(p.recs)))
	a.pushBudget.give(p.bytes)
	if p.cursor != nil {
		a.cursors.set(p.on.cursorName(p.stream), p.cursor)
	}
	if p.acked != nil {
		p.acked()
	}
}

// run serves the input until ctx ends, and again after a pause when it failed.
func (l *listener) run(ctx context.Context) {
	pause := l.a.cfg.BackoffInit
	for ctx.Err() == nil {
		began := time.Now()
		err := l.src.Run(ctx, l)
		if ctx.Err() != nil {
			return
		}
		if err == nil { // it has come to its end, as a pipe does
			l.log.Info("input has ended")
			return
		}
		l.log.Error("input failed, starting it again", "error", err)
		if time.Since(began) > l.a.cfg.BackoffMax {
			pause = l.a.cfg.BackoffInit
		}
		if !sleep(ctx, jitter(pause)) {
			return
		}
		pause = min(2*pause, l.a.cfg.BackoffMax)
	}
}
