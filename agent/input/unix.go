package input

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"os/user"
	"strconv"
)

// UnixConfig is a unix input: a socket in the file system.
type UnixConfig struct {
	Framed
	// Path of the socket. One that a dead process left is replaced.
	Path string
	// Group and Mode are set on the socket. Mode 0: as the system's mask says.
	Group string
	Mode  fs.FileMode
	// SocketType is stream, or datagram: each is a message.
	SocketType string
}

// DefaultUnix lacks the path.
func DefaultUnix() *UnixConfig { return &UnixConfig{Framed: defaultFramed(), SocketType: "stream"} }

// Validate names all faults.
func (c *UnixConfig) Validate() []error {
	errs := c.Framed.validate()
	if c.Path == "" {
		errs = append(errs, errors.New("path of the socket is missing"))
	}
	if c.SocketType != "stream" && c.SocketType != "datagram" {
		errs = append(errs, fmt.Errorf("socket_type %q is none of stream, datagram", c.SocketType))
	}
	return errs
}

// Open binds the socket.
func (c *UnixConfig) Open(log *slog.Logger) (Input, error) { return c.open(log, plain) }

func (c *UnixConfig) open(log *slog.Logger, shape shaper) (Input, error) {
	freeSocket(c.Path)
	if c.SocketType == "datagram" {
		pc, err := net.ListenPacket("unixgram", c.Path)
		if err != nil {
			return nil, fmt.Errorf("listen: %w", err)
		}
		p := &packets{conn: pc, most: int(min(c.MaxMessage, maxDatagram)), shape: shape, log: log, remove: c.Path}
		if err := c.own(); err != nil {
			return nil, errors.Join(err, pc.Close())
		}
		log.Info("input listens", "address", c.Path)
		return p, nil
	}
	ln, err := net.Listen("unix", c.Path)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := c.own(); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	log.Info("input listens", "address", c.Path)
	return &stream{ln: ln, set: c.Framed, shape: shape, log: log}, nil
}

// own sets group and mode of the socket.
func (c *UnixConfig) own() error {
	if c.Group != "" {
		id, err := strconv.Atoi(c.Group)
		if err != nil {
			g, err := user.LookupGroup(c.Group)
			if err != nil {
				return fmt.Errorf("group of the socket: %w", err)
			}
			if id, err = strconv.Atoi(g.Gid); err != nil {
				return fmt.Errorf("group of the socket: %w", err)
			}
		}
		if err := os.Chown(c.Path, -1, id); err != nil {
			return fmt.Errorf("group of the socket: %w", err)
		}
	}
	if c.Mode != 0 {
		if err := os.Chmod(c.Path, c.Mode); err != nil {
			return fmt.Errorf("mode of the socket: %w", err)
		}
	}
	return nil
}
