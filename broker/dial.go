package broker

import (
	"context"
	"fmt"
	"net"

	"github.com/weirlog/weir/queue"
)

// Dial connects to the broker inside of this process: a pipe, without a port, trusted without a login. The address is not looked at. The
// connection is served until it is closed or the broker is.
func (b *Broker) Dial(_ context.Context, network, addr string) (net.Conn, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("dial %s %s: %w", network, addr, queue.ErrClosed)
	}
	near, far := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background()) // the connection outlives the dialling
	b.running.Go(func() {
		defer cancel()
		b.serve(ctx, far, true)
	})
	b.running.Go(func() {
		select {
		case <-b.done:
			cancel()
		case <-ctx.Done():
		}
	})
	return near, nil
}
