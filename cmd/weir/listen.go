package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
)

// listenFlags are the flags of every command that opens ports.
type listenFlags struct {
	kafka, elasticsearch, ui, monitor string
	insecure                          bool
}

func (f *listenFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.kafka, "listen-kafka", "", "address of the Kafka protocol (default 127.0.0.1:9092; port 0 picks a free one)")
	fl.StringVar(&f.elasticsearch, "listen-elasticsearch", "", "address of the Elasticsearch REST API (default 127.0.0.1:9200)")
	fl.StringVar(&f.ui, "listen-ui", "", "address of the web UI (default 127.0.0.1:5601)")
	fl.StringVar(&f.monitor, "listen-monitor", "", "address of metrics, health and stats (default 127.0.0.1:9600)")
	fl.BoolVar(&f.insecure, "insecure-listen", false, "allow addresses beyond loopback, without login and encryption: anybody who reaches them can read and delete everything")
}

// apply puts the flags over the file's addresses.
func (f *listenFlags) apply(l *config.Listen) {
	for _, p := range []struct {
		flag string
		to   *string
	}{{f.kafka, &l.Kafka}, {f.elasticsearch, &l.Elasticsearch}, {f.ui, &l.UI}, {f.monitor, &l.Monitor}} {
		if p.flag != "" {
			*p.to = p.flag
		}
	}
}

// listeners opens ports and remembers which of them the network can reach.
type listeners struct {
	insecure bool // --insecure-listen
	open     []string
	log      *slog.Logger
}

// listen opens one port. An address beyond loopback is refused unless the user insists.
func (l *listeners) listen(name, addr string) (net.Listener, error) {
	return l.listenSecured(name, addr, false)
}

// listenSecured is listen for a port that may have login and encryption: then it may be open to the network.
func (l *listeners) listenSecured(name, addr string, secured bool) (net.Listener, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usage("%s: address %q is not host:port", name, addr)
	}
	if !loopback(host) && !secured {
		if !l.insecure && name == "kafka" {
			return nil, usage("%s: %s can be reached from the network: set broker.tls and broker.sasl.users in weir.yml, or insist with --insecure-listen", name, addr)
		}
		if !l.insecure {
			return nil, usage("%s: %s can be reached from the network, and this port has neither login nor encryption. Listen on 127.0.0.1 and put a proxy or a tunnel before it, or insist with --insecure-listen", name, addr)
		}
		l.open = append(l.open, name+" "+addr)
		l.log.Error("port is open to the network without login and encryption", "part", name, "address", addr)
	}
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s: port %s is taken by another process. Stop it, or choose another with --listen-%s", name, addr, name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: listen on %s: %w", name, addr, err)
	}
	return ln, nil
}

// loopback reports whether a host can only be reached from this machine.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// exposed tells whether an address of the configuration can be reached from the network.
func exposed(l config.Listen) bool {
	for _, addr := range []string{l.Kafka, l.Elasticsearch, l.UI, l.Monitor} {
		if host, _, err := net.SplitHostPort(addr); err == nil && !loopback(host) {
			return true
		}
	}
	return false
}
