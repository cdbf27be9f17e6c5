package listen

import (
	"net"
	"sync"
)

// Limit bounds the connections of a listener whose user has an accept loop of its own: those beyond most are closed at once.
func Limit(ln net.Listener, most int) net.Listener {
	if most <= 0 {
		most = defaultMost
	}
	return &limited{Listener: ln, slots: make(chan struct{}, most)}
}

type limited struct {
	net.Listener
	slots chan struct{}
}

func (l *limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &counted{Conn: c, l: l}, nil
		default:
			c.Close()
		}
	}
}

type counted struct {
	net.Conn
	l    *limited
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { <-c.l.slots })
	return c.Conn.Close()
}
