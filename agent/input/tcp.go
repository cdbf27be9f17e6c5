package input

import (
	"fmt"
	"log/slog"
)

// TCPConfig is a tcp input: each message of a connection is an event.
type TCPConfig struct {
	Bind
	Framed
	// Network is tcp, tcp4 or tcp6.
	Network string
}

// DefaultTCP lacks the address.
func DefaultTCP() *TCPConfig { return &TCPConfig{Framed: defaultFramed(), Network: "tcp"} }

// Validate names all faults.
func (c *TCPConfig) Validate() []error {
	errs := append(c.Bind.validate(false), c.Framed.validate()...)
	if c.Network != "tcp" && c.Network != "tcp4" && c.Network != "tcp6" {
		errs = append(errs, fmt.Errorf("network %q is none of tcp, tcp4, tcp6", c.Network))
	}
	return errs
}

// Open binds the address.
func (c *TCPConfig) Open(log *slog.Logger) (Input, error) { return c.open(log, plain) }

func (c *TCPConfig) open(log *slog.Logger, shape shaper) (Input, error) {
	ln, err := c.Bind.listener(c.Network, log)
	if err != nil {
		return nil, err
	}
	return &stream{ln: ln, set: c.Framed, shape: shape, log: log}, nil
}
