package input

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/weirlog/weir/listen"
)

// Bind is where an input listens.
type Bind struct {
	// Address is host:port; an empty host is every address of the machine. Port 0 picks a free one.
	Address string
	// TLS are the settings of ssl.*; nil is plain text.
	TLS *listen.TLS
	// Open allows an address beyond loopback without TLS and without a login (security.plaintext).
	Open bool
	// Bound, if any, is told the address when it is known.
	Bound func(net.Addr)
}

// Permit sets Open.
func (b *Bind) Permit() { b.Open = true }

// validate returns what is wrong; login says that the input asks for one.
func (b *Bind) validate(login bool) []error {
	var errs []error
	if _, _, err := net.SplitHostPort(b.Address); err != nil {
		return []error{fmt.Errorf("address %q is not host:port", b.Address)}
	}
	if !listen.Loopback(b.Address) && b.TLS == nil && !login && !b.Open {
		errs = append(errs, fmt.Errorf("%s can be reached from the network, and this input has neither login nor encryption: set ssl, listen on 127.0.0.1, or name the input's type in security.plaintext of weir.yml", b.Address))
	}
	if b.TLS != nil {
		if _, err := b.TLS.Server(); err != nil {
			errs = append(errs, err)
		}
	}
	return errs
}

// listener listens on network "tcp", "tcp4", "tcp6" or "unix", with TLS when it is set.
func (b *Bind) listener(network string, log *slog.Logger) (net.Listener, error) {
	ln, err := net.Listen(network, b.Address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	b.tell(ln.Addr(), log)
	if b.TLS == nil {
		return ln, nil
	}
	c, err := b.TLS.Server()
	if err != nil {
		ln.Close()
		return nil, err
	}
	return tls.NewListener(ln, c), nil
}

func (b *Bind) tell(a net.Addr, log *slog.Logger) {
	if !listen.Loopback(a.String()) && a.Network() != "unix" && a.Network() != "unixgram" && b.TLS == nil && b.Open {
		log.Warn("input is open to the network without encryption", "address", a.String())
	}
	log.Info("input listens", "address", a.String())
	if b.Bound != nil {
		b.Bound(a)
	}
}

// freeSocket removes a socket file that nobody listens on any more.
func freeSocket(path string) {
	if fi, err := os.Stat(path); err != nil || fi.Mode()&os.ModeSocket == 0 {
		return
	}
	for _, network := range []string{"unix", "unixgram"} {
		if c, err := net.DialTimeout(network, path, time.Second); err == nil {
			c.Close()
			return // in use: listening says so
		}
	}
	os.Remove(path)
}

// lasting is ctx without its end: what is read already is pushed after the stop too. The sink ends it.
func lasting(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }
