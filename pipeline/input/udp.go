package input

import (
	"context"
	"fmt"
	"net"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

var udpOptions = []plugin.Option{
	{Name: "port", Kind: plugin.Number, Required: true, Doc: "Port to listen on."},
	{Name: "host", Doc: "Address to listen on."},
	{Name: "buffer_size", Kind: plugin.Number, Default: "65536", Doc: "Most bytes of a packet."},
	{Name: "receive_buffer_bytes", Kind: plugin.Number, Doc: "Socket buffer to ask the kernel for."},
	{Name: "queue_size", Kind: plugin.Number, Default: "2000", Unread: "packets wait in the socket"},
	{Name: "workers", Kind: plugin.Number, Default: "2", Unread: "one goroutine reads"},
	{Name: "source_ip_fieldname", Obsolete: "use [@metadata][input][udp][source][ip]"},
}

// udp reads packets; each is a message.
type udp struct {
	addr         string
	size, socket int
	env          *Env
	decoratePeer
}

func newUDP(a *plugin.Args, env *Env, _ codec.Codec) Input {
	u := &udp{address(a, env, false), a.Int("buffer_size"), a.Int("receive_buffer_bytes"), env, newDecoratePeer(a, env)}
	if u.size < 1 || u.size > 65536 {
		a.Fail("buffer_size", "", "buffer_size is 1 to 65536")
	}
	return u
}

func (u *udp) Run(ctx context.Context, emit func(Chunk) error) error {
	var lc net.ListenConfig
	c, err := lc.ListenPacket(ctx, "udp", u.addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer context.AfterFunc(ctx, func() { c.Close() })()
	defer c.Close()
	if uc, ok := c.(*net.UDPConn); ok && u.socket > 0 {
		if err := uc.SetReadBuffer(u.socket); err != nil {
			u.env.Log.Warn("socket buffer cannot be set", "input", "udp", "err", err)
		}
	}
	u.env.listening("udp", c.LocalAddr())
	buf := make([]byte, u.size)
	for {
		n, peer, err := c.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read packet: %w", err)
		}
		r := queue.Record{Value: append([]byte(nil), buf[:n]...), Time: u.env.Now(), Headers: []queue.Header{{Key: peerHeader, Value: []byte(peer.String())}}}
		if emit(Chunk{Records: []queue.Record{r}}) != nil {
			return nil
		}
	}
}
