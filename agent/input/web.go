package input

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weirlog/weir/listen"
)

const (
	headerTime  = 10 * time.Second // for the head of a request
	bodyTime    = 60 * time.Second // for the whole of it
	idleTime    = 120 * time.Second
	headerBytes = 64 << 10

	// deliverTime is how long a request waits for its events to be durable. They may become so later: the sender sends them again.
	deliverTime = 30 * time.Second
	// drainTime is how long requests under way may take when the input stops.
	drainTime = 10 * time.Second
	// retryAfter is what a sender is told to wait, in seconds.
	retryAfter = "10"
)

// web runs an HTTP server for an input.
type web struct {
	ln    net.Listener
	log   *slog.Logger
	h2c   bool // HTTP/2 without TLS, for gRPC
	bytes inFlight
}

// inFlight bounds the bodies being held.
type inFlight struct {
	held atomic.Int64
	most int64
}

// errBusy says that too many bodies are held.
var errBusy = errors.New("too much in flight")

// errBig says that a body is larger than allowed.
var errBig = errors.New("body too large")

// run serves h until ctx ends, and then what is under way.
func (w *web) run(ctx context.Context, h http.Handler) error {
	var p http.Protocols
	p.SetHTTP1(true)
	p.SetHTTP2(true)
	p.SetUnencryptedHTTP2(w.h2c)
	srv := &http.Server{
		Handler: h, Protocols: &p, ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, IdleTimeout: idleTime, MaxHeaderBytes: headerBytes,
		WriteTimeout: bodyTime + deliverTime + drainTime, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(listen.Limit(w.ln, 0)) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	wait, cancel := context.WithTimeout(lasting(ctx), drainTime)
	defer cancel()
	if srv.Shutdown(wait) != nil {
		srv.Close()
	}
	<-ended
	return nil
}

// body reads a request's body, unpacked, of at most so many bytes. release gives its share back; it is never nil.
func (w *web) body(r *http.Request, most int64) (b []byte, release func(), err error) {
	taken := int64(0)
	release = func() { w.bytes.held.Add(-taken) }
	var in io.Reader = r.Body
	switch enc := strings.ToLower(r.Header.Get("Content-Encoding")); enc {
	case "", "identity":
	case "gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, release, fmt.Errorf("gzip: %w", err)
		}
		in = z
	default:
		return nil, release, fmt.Errorf("content encoding %q is neither gzip nor identity", enc)
	}
	for {
		if len(b) == cap(b) {
			step := int64(max(cap(b), 16<<10))
			if w.bytes.held.Add(step) > w.bytes.most {
				w.bytes.held.Add(-step)
				return nil, release, errBusy
			}
			taken += step
			b = append(make([]byte, 0, int64(cap(b))+step), b...)
		}
		n, err := in.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if int64(len(b)) > most {
			return nil, release, errBig
		}
		if errors.Is(err, io.EOF) {
			return b, release, nil
		}
		if err != nil {
			return nil, release, err
		}
	}
}

// deliver pushes batches of events and waits for each. ok is false when they are not durable, now.
func deliver(ctx context.Context, sink Sink, stream string, events []Event) error {
	ctx, cancel := context.WithTimeout(lasting(ctx), deliverTime)
	defer cancel()
	for len(events) > 0 {
		n, size := 0, 0
		for n < len(events) && n < gatherEvents && size < MaxBatch {
			size += int(events[n].Bytes)
			n++
		}
		if err := sink.Deliver(ctx, &Batch{Stream: stream, Events: events[:n:n]}); err != nil {
			return err
		}
		events = events[n:]
	}
	return nil
}
