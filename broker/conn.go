package broker

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Bounds of connections.
const (
	maxProduceFrame = 100 << 20 // a Produce request
	maxFrame        = 8 << 20   // any other request
	maxLoginFrame   = 64 << 10  // any request before the login
	minFrame        = 8         // key, version and correlation id
	frameStep       = 1 << 20   // a frame's buffer grows as its bytes come
	gatedFrame      = 64 << 10  // smaller frames pass without counting
	maxPipelined    = 32        // requests of a connection that are not answered yet
	idleTimeout     = 10 * time.Minute
	progressTimeout = 30 * time.Second // for the rest of a frame, and for each MiB of an answer
	maxConnections  = 10_000
	maxConnsPerHost = 1_000
	writeStep       = 1 << 20
	warnEvery       = time.Minute
	maxWarnedAddrs  = 1_000
)

// conn is one connection. Its reader does requests in their order and hands what is left to do to its writer, which answers in the
// same order.
type conn struct {
	b        *Broker
	nc       net.Conn
	host     string // of the client
	clientID string
	software string // what the client said it is, empty without ApiVersions v3
	jobs     chan job
	trusted  bool // of this process: needs no login and may do everything
	sasl     saslState
	frame    []byte // reused for requests whose bytes are not kept
}

// reply is what a request is answered with: a kmsg response, or pieces laid out by hand. The zero reply is no answer.
type reply struct {
	resp    kmsg.Response
	pieces  net.Buffers // body without header; resp is nil then
	version int16
	flex    bool   // the response header has tags
	release func() // called when the pieces are written
	raw     bool   // the pieces are all there is, without a header
	last    bool   // the connection is closed behind it
}

// answer is the second half of a request, done by the writer. An error closes the connection after earlier answers.
type answer func(ctx context.Context) (reply, error)

type job struct {
	correlation int32
	answer      answer
}

// ready is the answer of a request that is done.
func ready(r kmsg.Response) answer {
	return func(context.Context) (reply, error) { return reply{resp: r}, nil }
}

func closing(err error) answer {
	return func(context.Context) (reply, error) { return reply{}, err }
}

// accept takes connections until the listener is closed, then waits for those it took.
func (b *Broker) accept(ctx context.Context, l net.Listener) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
		case ctx.Err() != nil || errors.Is(err, net.ErrClosed):
			return nil
		case isTemporary(err):
			b.log.Warn("connection not accepted", "error", err)
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(100 * time.Millisecond):
			}
			continue
		default:
			return fmt.Errorf("accept on %s: %w", l.Addr(), err)
		}
		wg.Go(func() { b.serve(ctx, nc, false) })
	}
}

// isTemporary reports errors of accept that pass, such as too many open files.
func isTemporary(err error) bool {
	var ne net.Error
	return errors.As(err, &ne) && !ne.Timeout()
}

// ServeConn serves one connection, a pipe for instance, until it ends or ctx does.
func (b *Broker) ServeConn(ctx context.Context, nc net.Conn) { b.serve(ctx, nc, false) }

func (b *Broker) serve(ctx context.Context, nc net.Conn, trusted bool) {
	c := &conn{b: b, nc: nc, host: hostOf(nc.RemoteAddr()), jobs: make(chan job, maxPipelined), trusted: trusted}
	if !b.register(c) {
		nc.Close()
		return
	}
	defer b.unregister(c)
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(ctx, func() { nc.SetReadDeadline(time.Now()) }) // ends the reader; queued answers still go out
	var writer sync.WaitGroup
	writer.Go(func() { c.write(ctx) })
	err := c.read(ctx)
	close(c.jobs)
	cancel()
	stop()
	writer.Wait()
	nc.Close()
	if err != nil && !b.isClosed() {
		b.warnConn(c, err)
	}
}

func (b *Broker) register(c *conn) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := 0
	for o := range b.conns {
		if o.host == c.host {
			same++
		}
	}
	if b.closed || len(b.conns) >= maxConnections || same >= maxConnsPerHost {
		return false
	}
	b.conns[c] = struct{}{}
	return true
}

func (b *Broker) unregister(c *conn) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.conns, c)
}

// warnConn tells of a connection that broke the protocol, once a minute for each address.
func (b *Broker) warnConn(c *conn, err error) {
	b.counters.badConns.Add(1)
	if b.warned.due(c.host) {
		b.log.Warn("connection closed", "client", c.host, "client_id", c.clientID, "error", err)
	}
}

// warnings says which addresses may be warned of again.
type warnings struct {
	mu   sync.Mutex
	last map[string]time.Time
}

func (w *warnings) due(addr string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.last[addr]) < warnEvery {
		return false
	}
	if w.last == nil || len(w.last) >= maxWarnedAddrs {
		w.last = map[string]time.Time{}
	}
	w.last[addr] = time.Now()
	return true
}

func hostOf(a net.Addr) string {
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

// splitHostPort is net.SplitHostPort with the port as a number.
func splitHostPort(addr string) (string, int32, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port of %q: %w", addr, err)
	}
	return host, int32(n), nil
}

// address is what the client is told to connect to: what it connected to itself, or what the configuration says.
func (c *conn) address() (string, int32) {
	addr := c.b.cfg.Advertise
	if addr == "" {
		addr = c.nc.LocalAddr().String()
	}
	host, port, err := splitHostPort(addr)
	if err != nil {
		return "localhost", 9092 // a pipe: there is no address, and nobody will connect
	}
	return host, port
}

var errFrame = errors.New("not a Kafka request")

// read does requests until the connection ends. nil is an orderly end.
func (c *conn) read(ctx context.Context) (err error) {
	defer func() {
		if v := recover(); v != nil {
			c.b.log.Error("request handler panicked", "client", c.host, "panic", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	for {
		if !c.arm(ctx, idleTimeout) {
			return nil
		}
		var size [4]byte
		if _, err := io.ReadFull(c.nc, size[:1]); err != nil {
			return nil // between requests everybody may go
		}
		c.arm(ctx, progressTimeout)
		if _, err := io.ReadFull(c.nc, size[1:]); err != nil {
			return fmt.Errorf("request cut short: %w", err)
		}
		if err := c.request(ctx, int32(binary.BigEndian.Uint32(size[:]))); err != nil {
			return err
		}
	}
}

// arm gives the next read d, or no time at all when ctx is over; it says which.
func (c *conn) arm(ctx context.Context, d time.Duration) bool {
	c.nc.SetReadDeadline(time.Now().Add(d))
	if ctx.Err() != nil || c.b.isClosed() { // asked after the deadline is set, so that a context that ends now finds it set
		c.nc.SetReadDeadline(time.Now())
		return false
	}
	return true
}

// request reads one frame of size bytes and does it.
func (c *conn) request(ctx context.Context, size int32) error {
	if c.sasl.raw && !c.sasl.done {
		return c.readToken(ctx, size)
	}
	if size < minFrame || size > maxProduceFrame || !c.loggedIn() && size > maxLoginFrame {
		return fmt.Errorf("%w: length %d", errFrame, size)
	}
	var head [minFrame]byte
	if _, err := io.ReadFull(c.nc, head[:]); err != nil {
		return fmt.Errorf("request cut short: %w", err)
	}
	h, err := c.parseHead(head[:], size)
	if err != nil {
		return err
	}
	if size > gatedFrame {
		c.b.inflight.enter(int64(size))
		defer c.b.inflight.leave(int64(size))
	}
	body, err := c.body(ctx, h, int(size)-minFrame)
	if err != nil {
		return err
	}
	job, err := c.do(h, body)
	if err != nil {
		return err
	}
	c.jobs <- job
	return nil
}

// loggedIn reports whether all requests are allowed.
func (c *conn) loggedIn() bool { return c.trusted || c.b.cfg.Login == nil || c.sasl.done }

// readToken reads a bare token of a login.
func (c *conn) readToken(ctx context.Context, size int32) error {
	if size < 0 || size > maxLoginFrame {
		return fmt.Errorf("%w: login token of %d bytes", errFrame, size)
	}
	token := make([]byte, size)
	if _, err := io.ReadFull(c.nc, token); err != nil {
		return fmt.Errorf("login token cut short: %w", err)
	}
	a, err := c.rawToken(token)
	if err != nil {
		return err
	}
	c.jobs <- job{answer: a}
	return nil
}

// reqHead is the start of a request.
type reqHead struct {
	api         api
	version     int16
	correlation int32
	supported   bool
}

func (c *conn) parseHead(b []byte, size int32) (reqHead, error) {
	key := int16(binary.BigEndian.Uint16(b))
	h := reqHead{version: int16(binary.BigEndian.Uint16(b[2:])), correlation: int32(binary.BigEndian.Uint32(b[4:]))}
	a, ok := c.b.apis[key]
	if !ok {
		return h, fmt.Errorf("%w: API key %d", errFrame, key)
	}
	if key != produceKey && size > maxFrame {
		return h, fmt.Errorf("%w: %s of %d bytes", errFrame, a.name, size)
	}
	if !c.loggedIn() && key != apiVersionsKey && key != handshakeKey && key != saslKey {
		return h, fmt.Errorf("%w: %s", errNotLoggedIn, a.name)
	}
	h.api, h.supported = a, h.version >= a.min && h.version <= a.max
	if !h.supported && key != apiVersionsKey {
		return h, fmt.Errorf("%s version %d is not supported (%d to %d are)", a.name, h.version, a.min, a.max)
	}
	return h, nil
}

// body reads the rest of a frame. The buffer grows with the bytes that come, so a length alone costs nothing. Produce reuses the
// connection's buffer, since records are copied to the journal; others may keep what they got.
func (c *conn) body(ctx context.Context, h reqHead, n int) ([]byte, error) {
	var b []byte
	if h.api.key == produceKey {
		b = c.frame[:0]
	}
	for len(b) < n {
		step := min(n-len(b), frameStep)
		if cap(b)-len(b) < step {
			grown := make([]byte, len(b), min(n, max(2*cap(b), len(b)+step)))
			copy(grown, b)
			b = grown
		}
		step = min(n-len(b), cap(b)-len(b))
		c.arm(ctx, progressTimeout)
		if _, err := io.ReadFull(c.nc, b[len(b):len(b)+step]); err != nil {
			return nil, fmt.Errorf("request cut short: %w", err)
		}
		b = b[:len(b)+step]
	}
	if h.api.key == produceKey && cap(b) <= 2*frameStep {
		c.frame = b
	}
	return b, nil
}

// do decodes a request and does its first half.
func (c *conn) do(h reqHead, body []byte) (job, error) {
	j := job{correlation: h.correlation}
	c.b.counters.requests.Add(1)
	if !h.supported { // ApiVersions: the client learns from a v0 answer what it may ask
		j.answer = ready(c.b.unsupportedApiVersions())
		return j, nil
	}
	req := kmsg.RequestForKey(h.api.key)
	req.SetVersion(h.version)
	clientID, rest, err := splitHeader(body, req.IsFlexible())
	if err != nil {
		return j, fmt.Errorf("%s header: %w", h.api.name, err)
	}
	c.clientID = clientID
	if err := h.api.layout.check(rest, h.version, req.IsFlexible()); err != nil {
		return j, fmt.Errorf("%s version %d: %w", h.api.name, h.version, err)
	}
	if err := req.ReadFrom(rest); err != nil {
		return j, fmt.Errorf("%s version %d: %w", h.api.name, h.version, err)
	}
	j.answer = h.api.handle(c, req)
	return j, nil
}

// splitHeader takes the client id, a plain string in every version, and the tags of flexible requests off a request.
func splitHeader(b []byte, flexible bool) (clientID string, rest []byte, err error) {
	if len(b) < 2 {
		return "", nil, errFrame
	}
	n := int(int16(binary.BigEndian.Uint16(b)))
	b = b[2:]
	if n > len(b) {
		return "", nil, errFrame
	}
	if n > 0 {
		clientID, b = string(b[:n]), b[n:]
	}
	if !flexible {
		return clientID, b, nil
	}
	tags, w := binary.Uvarint(b)
	if w <= 0 {
		return "", nil, errFrame
	}
	b = b[w:]
	for ; tags > 0; tags-- { // each takes bytes, so that a large number soon meets the end
		_, w := binary.Uvarint(b)
		if w <= 0 {
			return "", nil, errFrame
		}
		b = b[w:]
		size, w := binary.Uvarint(b)
		if w <= 0 || size > uint64(len(b)-w) {
			return "", nil, errFrame
		}
		b = b[w+int(size):]
	}
	return clientID, b, nil
}

// write finishes the jobs in order. After an error it goes on without writing, since a sync must be waited for even when nobody is
// left to hear of it.
func (c *conn) write(ctx context.Context) {
	var buf []byte
	broken := false
	for j := range c.jobs {
		r, err := c.finish(ctx, j)
		if err == nil && !broken && (r.resp != nil || r.pieces != nil) {
			buf, err = c.send(j.correlation, r, buf)
		}
		if r.release != nil {
			r.release()
		}
		if r.last && err == nil {
			err = errLogin
		}
		if err != nil && !broken {
			broken = true
			c.b.log.Debug("connection given up", "client", c.host, slog.Any("error", err))
			c.nc.Close() // the reader ends
		}
	}
}

func (c *conn) finish(ctx context.Context, j job) (r reply, err error) {
	defer func() {
		if v := recover(); v != nil {
			c.b.log.Error("request handler panicked", "client", c.host, "panic", v, "stack", string(debug.Stack()))
			r, err = reply{}, fmt.Errorf("panic: %v", v)
		}
	}()
	return j.answer(ctx)
}

// send writes one answer, a MiB at a time, each with its own deadline. buf is scratch for the next.
func (c *conn) send(correlation int32, r reply, buf []byte) ([]byte, error) {
	buf = append(buf[:0], 0, 0, 0, 0)
	if !r.raw {
		buf = binary.BigEndian.AppendUint32(buf, uint32(correlation))
	}
	var pieces net.Buffers
	if r.resp != nil {
		if r.resp.IsFlexible() && r.resp.Key() != apiVersionsKey {
			buf = append(buf, 0)
		}
		buf = r.resp.AppendTo(buf)
		pieces = net.Buffers{buf}
	} else {
		if r.flex {
			buf = append(buf, 0)
		}
		pieces = append(net.Buffers{buf}, r.pieces...)
	}
	total := 0
	for _, p := range pieces {
		total += len(p)
	}
	binary.BigEndian.PutUint32(buf, uint32(total-4))
	err := c.writePieces(pieces)
	if cap(buf) > writeStep {
		buf = nil
	}
	return buf, err
}

func (c *conn) writePieces(pieces net.Buffers) error {
	for len(pieces) > 0 {
		var now net.Buffers
		for room := writeStep; len(pieces) > 0 && room > 0; {
			p := pieces[0]
			if len(p) > room {
				now = append(now, p[:room])
				pieces[0] = p[room:]
				break
			}
			now = append(now, p)
			room -= len(p)
			pieces = pieces[1:]
		}
		c.nc.SetWriteDeadline(time.Now().Add(progressTimeout))
		if _, err := now.WriteTo(c.nc); err != nil {
			return err
		}
	}
	return nil
}
