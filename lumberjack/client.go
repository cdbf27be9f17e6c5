package lumberjack

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/klauspost/compress/zlib"
)

// ClientConfig is how a Client sends.
type ClientConfig struct {
	// Level is the zlib level, 0 (not compressed) to 9.
	Level int
	// Timeout bounds each write, and the silence while an answer is awaited; 30 s. An answer of 0 begins it anew.
	Timeout time.Duration
}

// Client sends version 2 windows over one connection. Send and Await may be called from one goroutine each: several windows may be
// under way, and are answered in the order they were sent.
type Client struct {
	cfg ClientConfig
	c   net.Conn
	in  *bufio.Reader
	out bytes.Buffer
	z   *zlib.Writer
}

// NewClient sends over c, which is the Client's from now on.
func NewClient(c net.Conn, cfg ClientConfig) (*Client, error) {
	if cfg.Timeout <= 0 {
		cfg.Timeout = 30 * time.Second
	}
	cl := &Client{cfg: cfg, c: c, in: bufio.NewReaderSize(c, 512)}
	if cfg.Level != 0 {
		var err error
		if cl.z, err = zlib.NewWriterLevel(nil, cfg.Level); err != nil {
			return nil, fmt.Errorf("lumberjack: compression level: %w", err)
		}
	}
	return cl, nil
}

// Close ends the connection.
func (c *Client) Close() error { return c.c.Close() }

// Send writes a window of events, each a JSON object. The bytes are the caller's again when it returns.
func (c *Client) Send(events [][]byte) error {
	c.out.Reset()
	c.out.Write(frame(frameWindow, uint32(len(events))))
	if c.z == nil {
		writeEvents(&c.out, events)
	} else {
		c.out.Write(frame(frameCompressed, 0))
		from := c.out.Len()
		c.z.Reset(&c.out)
		writeEvents(c.z, events)
		if err := c.z.Close(); err != nil {
			return fmt.Errorf("lumberjack: compress: %w", err)
		}
		binary.BigEndian.PutUint32(c.out.Bytes()[from-4:], uint32(c.out.Len()-from))
	}
	if err := c.c.SetWriteDeadline(time.Now().Add(c.cfg.Timeout)); err != nil {
		return err
	}
	_, err := c.c.Write(c.out.Bytes())
	return err
}

// writeEvents writes to memory, which does not fail.
func writeEvents(w io.Writer, events [][]byte) {
	var h [10]byte
	h[0], h[1] = version2, frameJSON
	for i, e := range events {
		binary.BigEndian.PutUint32(h[2:], uint32(i+1))
		binary.BigEndian.PutUint32(h[6:], uint32(len(e)))
		w.Write(h[:])
		w.Write(e)
	}
}

func frame(typ byte, n uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{version2, typ}, n)
}

// Await waits until the oldest window not yet awaited, of n events, is acknowledged. acked is how many of its events are kept, also
// with an error. progress, when not nil, is told of each answer.
func (c *Client) Await(n int, progress func(acked int)) (acked int, err error) {
	for acked < n {
		if err := c.c.SetReadDeadline(time.Now().Add(c.cfg.Timeout)); err != nil {
			return acked, err
		}
		var f [6]byte
		if _, err := io.ReadFull(c.in, f[:]); err != nil {
			return acked, err
		}
		if f[0] != version1 && f[0] != version2 || f[1] != frameAck {
			return acked, garbage("answer %x is no acknowledgement", f)
		}
		seq := binary.BigEndian.Uint32(f[2:])
		if int64(seq) > int64(n) {
			return acked, garbage("acknowledgement of %d in a window of %d", seq, n)
		}
		acked = max(acked, int(seq))
		if progress != nil {
			progress(acked)
		}
	}
	return acked, nil
}
