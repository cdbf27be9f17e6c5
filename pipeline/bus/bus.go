// Package bus carries records from pipeline to pipeline inside of a process, by address.
//
//	in, err := b.Listen("errors")                 // the pipeline input: one an address
//	d, err := b.Send(ctx, "errors", recs, true)   // the pipeline output; the records stay the sender's
//	err = d.Wait(ctx)                             // until the receiver has settled them: then the sender may commit
//
// A receiver takes deliveries from In.C and calls In.Settled with what it is done with, in order. A receiver that ends fails what it
// had not settled, and the sender sends it again to the next one.
package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/weirlog/weir/queue"
)

// ErrGone says that a receiver ended before it had settled a delivery.
var ErrGone = errors.New("the receiving pipeline ended")

// Bus is the addresses of a process. It is safe for concurrent use.
type Bus struct {
	mu      sync.Mutex
	inlets  map[string]*Inlet
	senders map[string][]string // by address: the outputs that send there
	changed chan struct{}       // closed and made anew when an inlet comes
}

// New makes a bus without addresses.
func New() *Bus {
	return &Bus{inlets: make(map[string]*Inlet), senders: make(map[string][]string), changed: make(chan struct{})}
}

// Inlet is the receiving end of an address.
type Inlet struct {
	C chan *Delivery // what was sent, in order

	b       *Bus
	address string
	over    chan struct{}
	mu      sync.Mutex
	pending []*Delivery // taken, not settled
}

// Delivery is records on their way.
type Delivery struct {
	Records []queue.Record
	left    int // not settled
	done    chan struct{}
	err     error
}

// Listen takes an address.
func (b *Bus) Listen(address string) (*Inlet, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inlets[address] != nil {
		return nil, fmt.Errorf("address %q has a pipeline input already", address)
	}
	in := &Inlet{C: make(chan *Delivery), b: b, address: address, over: make(chan struct{})}
	b.inlets[address] = in
	close(b.changed)
	b.changed = make(chan struct{})
	return in, nil
}

// Took notes that the receiver works on d.
func (in *Inlet) Took(d *Delivery) {
	in.mu.Lock()
	defer in.mu.Unlock()
	d.left = len(d.Records)
	in.pending = append(in.pending, d)
}

// Settled says that the next n records are where they belong.
func (in *Inlet) Settled(n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	for n > 0 && len(in.pending) > 0 {
		d := in.pending[0]
		k := min(n, d.left)
		d.left, n = d.left-k, n-k
		if d.left == 0 {
			close(d.done)
			in.pending = in.pending[1:]
		}
	}
}

// Close gives the address back. What was not settled fails.
func (in *Inlet) Close() {
	in.b.mu.Lock()
	if in.b.inlets[in.address] == in {
		delete(in.b.inlets, in.address)
		close(in.over)
	}
	in.b.mu.Unlock()
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, d := range in.pending {
		d.err = ErrGone
		close(d.done)
	}
	in.pending = nil
}

// Has reports whether somebody listens at address now.
func (b *Bus) Has(address string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.inlets[address] != nil
}

// Send hands records to the receiver at address, waiting for one. The records must stay as they are until Wait returned.
func (b *Bus) Send(ctx context.Context, address string, recs []queue.Record) (*Delivery, error) {
	d := &Delivery{Records: recs, done: make(chan struct{})}
	for {
		b.mu.Lock()
		in, changed := b.inlets[address], b.changed
		b.mu.Unlock()
		if in == nil {
			select {
			case <-changed:
				continue
			case <-ctx.Done():
				return nil, fmt.Errorf("wait for a pipeline input at %q: %w", address, ctx.Err())
			}
		}
		select {
		case in.C <- d:
			return d, nil
		case <-in.over:
		case <-ctx.Done():
			return nil, fmt.Errorf("send to %q: %w", address, ctx.Err())
		}
	}
}

// Wait returns nil when the receiver has settled every record.
func (d *Delivery) Wait(ctx context.Context) error {
	select {
	case <-d.done:
		return d.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Join notes an output that sends to address, Leave forgets it.
func (b *Bus) Join(address, sender string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !slices.Contains(b.senders[address], sender) {
		b.senders[address] = append(b.senders[address], sender)
	}
}

// Leave is the end of Join.
func (b *Bus) Leave(address, sender string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.senders[address] = slices.DeleteFunc(b.senders[address], func(s string) bool { return s == sender })
}

// Shared reports whether several outputs send to address: one range of bytes may then come more than once, rightly.
func (b *Bus) Shared(address string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.senders[address]) > 1
}
