package input

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
)

// UDPConfig is a udp input: each datagram is an event.
type UDPConfig struct {
	Bind
	// Network is udp, udp4 or udp6.
	Network string
	// MaxMessage is how many bytes of a datagram are kept; of a longer one log.flags says truncated.
	MaxMessage int64
	// ReadBuffer is the socket's buffer, in bytes, as far as the system allows (net.core.rmem_max).
	ReadBuffer int64
}

// DefaultUDP lacks the address.
func DefaultUDP() *UDPConfig {
	return &UDPConfig{Network: "udp", MaxMessage: 10 << 10, ReadBuffer: 4 << 20}
}

// Validate names all faults.
func (c *UDPConfig) Validate() []error {
	errs := c.Bind.validate(false)
	if c.TLS != nil {
		errs = append(errs, errors.New("a udp input has no TLS"))
	}
	if c.Network != "udp" && c.Network != "udp4" && c.Network != "udp6" {
		errs = append(errs, fmt.Errorf("network %q is none of udp, udp4, udp6", c.Network))
	}
	if c.MaxMessage < 1 {
		errs = append(errs, errors.New("max_message_size is at least 1 byte"))
	}
	return errs
}

// Open binds the address.
func (c *UDPConfig) Open(log *slog.Logger) (Input, error) { return c.open(log, plain) }

func (c *UDPConfig) open(log *slog.Logger, shape shaper) (Input, error) {
	pc, err := net.ListenPacket(c.Network, c.Address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if u, ok := pc.(*net.UDPConn); ok && c.ReadBuffer > 0 {
		if err := u.SetReadBuffer(int(min(c.ReadBuffer, 1<<30))); err != nil {
			log.Warn("socket buffer cannot be set", "err", err)
		}
	}
	c.tell(pc.LocalAddr(), log)
	return &packets{conn: pc, most: int(min(c.MaxMessage, maxDatagram)), shape: shape, log: log}, nil
}
