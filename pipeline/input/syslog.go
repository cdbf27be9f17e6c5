package input

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/syslog"
)

var syslogOptions = append([]plugin.Option{
	{Name: "port", Kind: plugin.Number, Default: "514", Doc: "Port to listen on, TCP and UDP."},
	{Name: "host", Doc: "Address to listen on."},
	{Name: "use_labels", Kind: plugin.Boolean, Default: "true", Doc: "Whether names are set beside the numbers of facility and severity."},
	{Name: "facility_labels", Kind: plugin.Array, Doc: "Names of the facilities."},
	{Name: "severity_labels", Kind: plugin.Array, Doc: "Names of the severities."},
	{Name: "timezone", Doc: "Zone of times that name none; the machine's without it."},
	{Name: "service_type", Default: "system", Doc: "Value of [service][type], with ECS."},
	{Name: "locale", Unread: "months are English"},
	{Name: "syslog_field", Default: "message", Enum: []string{"message"}, Doc: "Only message is known."},
	{Name: "grok_pattern", Obsolete: "take the input tcp or udp, and a grok filter"},
	{Name: "proxy_protocol", Kind: plugin.Boolean, Obsolete: "the proxy protocol is not supported"},
}, tlsOptions()...)

const (
	syslogDatagram = 64 << 10
	syslogFailure  = "_grokparsefailure_sysloginput"
	// unknownPriority is user-level, notice: what a message that cannot be read has.
	unknownPriority = 13
	syslogSilence   = 10 * time.Minute // after which a connection is closed
)

// syslogInput listens on TCP and UDP.
type syslogInput struct {
	addr string
	tls  *tls.Config
	env  *Env
	host *event.Path
}

func newSyslog(a *plugin.Args, env *Env, c codec.Codec) Input {
	s := &syslogInput{tls: tlsOf(a), env: env, host: event.MustPath("host")}
	s.addr = address(a, env, s.tls != nil)
	if a.ECS(&env.Env) {
		s.host = event.MustPath("[host][ip]")
	}
	if _, joins := c.(codec.Joins); joins {
		a.Fail("codec", "", "codec multiline cannot join syslog messages")
	}
	if _, err := zoneOf(a.String("timezone")); err != nil {
		a.Fail("timezone", "such as Asia/Seoul", "%v", err)
	}
	return s
}

func zoneOf(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	return time.LoadLocation(name)
}

// Run listens on both until one of them fails or ctx ends. With TLS there is no UDP.
func (s *syslogInput) Run(ctx context.Context, emit func(Chunk) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	l, err := s.env.listener("syslog", s.addr, s.tls)
	if err != nil {
		return err
	}
	errs := make([]error, 2)
	var both sync.WaitGroup
	if s.tls == nil {
		pc, err := net.ListenPacket("udp", l.Addr().String())
		if err != nil {
			l.Close()
			return fmt.Errorf("listen: %w", err)
		}
		both.Go(func() { defer cancel(); errs[0] = s.packets(ctx, pc, emit) })
	}
	both.Go(func() {
		defer cancel()
		srv := &listen.Server{Most: maxConnections, Log: s.env.Log, Handle: func(ctx context.Context, c net.Conn) { s.serve(ctx, c, emit) }}
		errs[1] = srv.Serve(ctx, l)
	})
	both.Wait()
	return errors.Join(errs...)
}

// packets emits datagrams; while one is being kept, those that come wait in the socket.
func (s *syslogInput) packets(ctx context.Context, pc net.PacketConn, emit func(Chunk) error) error {
	defer context.AfterFunc(ctx, func() { pc.Close() })()
	defer pc.Close()
	buf := make([]byte, syslogDatagram)
	for {
		n, peer, err := pc.ReadFrom(buf)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read packet: %w", err)
		}
		r := queue.Record{Value: append([]byte(nil), bytes.TrimRight(buf[:n], "\r\n")...), Time: s.env.Now(), Headers: []queue.Header{{Key: peerHeader, Value: []byte(peer.String())}}}
		if emit(Chunk{Records: []queue.Record{r}}) != nil {
			return nil
		}
	}
}

// serve emits the lines of a connection, those that are there together.
func (s *syslogInput) serve(ctx context.Context, c net.Conn, emit func(Chunk) error) {
	head := []queue.Header{{Key: peerHeader, Value: []byte(c.RemoteAddr().String())}}
	f := syslog.NewFramer(listen.Patient(c, syslogSilence), syslog.Delimiter, "", maxLine)
	var recs []queue.Record
	size := 0
	for {
		m, err := f.Next()
		if err == nil && len(m.Bytes) > 0 {
			recs = append(recs, queue.Record{Value: append([]byte(nil), m.Bytes...), Time: s.env.Now(), Headers: head})
			size += len(m.Bytes)
		}
		if len(recs) > 0 && (err != nil || !f.Ready() || len(recs) >= chunkRecords || size >= chunkBytes) {
			if emit(Chunk{Records: recs}) != nil {
				return
			}
			recs, size = nil, 0
		}
		if err != nil {
			return
		}
	}
}

// Decorate tells who sent a message.
func (s *syslogInput) Decorate(e *event.Event, r *queue.Record) {
	if len(r.Headers) == 0 {
		return
	}
	if host, _, err := net.SplitHostPort(string(r.Headers[0].Value)); err == nil && !e.Has(s.host) {
		e.Set(s.host, event.String(host))
	}
}

// syslogDecoder reads messages of RFC 3164 into the fields of Logstash's syslog input, without grok.
type syslogDecoder struct {
	c                      codec.Codec
	zone                   *time.Location
	env                    *plugin.Env
	ecs                    bool
	facilities, severities []string
	labels                 bool
	service                string
	paths                  syslogPaths
	m                      syslog.Message
}

type syslogPaths struct {
	priority, facility, severity, facilityName, severityName, host, app, pid, timestamp, service *event.Path
}

func decodeSyslog(a *plugin.Args, env *plugin.Env, c codec.Codec) Decoder {
	d := &syslogDecoder{c: c, env: env, ecs: a.ECS(env), labels: a.Bool("use_labels"), facilities: a.Strings("facility_labels"), severities: a.Strings("severity_labels"), service: a.String("service_type")}
	d.zone, _ = zoneOf(a.String("timezone")) // reported by the input
	names := []string{"priority", "facility", "severity", "facility_label", "severity_label", "logsource", "program", "pid", "timestamp", "[service][type]"}
	if d.ecs {
		names = []string{"[log][syslog][priority]", "[log][syslog][facility][code]", "[log][syslog][severity][code]", "[log][syslog][facility][name]", "[log][syslog][severity][name]",
			"[host][hostname]", "[process][name]", "[process][pid]", "timestamp", "[service][type]"}
	}
	p := &d.paths
	for i, to := range []**event.Path{&p.priority, &p.facility, &p.severity, &p.facilityName, &p.severityName, &p.host, &p.app, &p.pid, &p.timestamp, &p.service} {
		*to = event.MustPath(names[i])
	}
	return d
}

func (d *syslogDecoder) DecodeRecord(b *event.Batch, ref uint32, r *queue.Record, data string) {
	from := len(b.Events)
	d.c.Decode(b, ref, data)
	for _, e := range b.Events[from:] {
		d.read(e, r)
	}
}

// read takes the message of an event apart.
func (d *syslogDecoder) read(e *event.Event, r *queue.Record) {
	v, ok := e.Get(messagePath)
	if !ok || v.Kind() != event.StringKind {
		return
	}
	m, b := &d.m, e.Batch()
	now := r.Time
	if now.IsZero() {
		now = d.env.Now()
	}
	err := syslog.Parse(m, []byte(v.Str()), syslog.Options{Format: syslog.RFC3164, Zone: d.zone, Now: now})
	if err != nil || m.Priority < 0 {
		e.Tag(syslogFailure)
		d.priority(e, unknownPriority)
		return
	}
	d.priority(e, m.Priority)
	e.Set(messagePath, event.String(b.KeepBytes(m.Text)))
	e.Set(d.paths.timestamp, event.String(b.KeepBytes(m.TimeText)))
	e.SetTimestamp(m.Time.UnixNano())
	for _, f := range []struct {
		p *event.Path
		v []byte
	}{{d.paths.host, m.Hostname}, {d.paths.app, m.App}, {d.paths.pid, m.PID}} {
		if len(f.v) > 0 {
			e.Set(f.p, event.String(b.KeepBytes(f.v)))
		}
	}
	if n, ok := number(m.PID); ok && d.ecs {
		e.Set(d.paths.pid, event.Int(n))
	}
	if d.ecs && d.service != "" && !e.Has(d.paths.service) {
		e.Set(d.paths.service, event.String(d.service))
	}
}

// number is a process id.
func number(b []byte) (n int64, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(b) > 0 && len(b) < 10
}

// priority sets the numbers of a priority and their names.
func (d *syslogDecoder) priority(e *event.Event, pri int) {
	fac, sev := pri>>3, pri&7
	e.Set(d.paths.priority, event.Int(int64(pri)))
	e.Set(d.paths.facility, event.Int(int64(fac)))
	e.Set(d.paths.severity, event.Int(int64(sev)))
	if !d.labels {
		return
	}
	if name := label(d.facilities, fac, syslog.FacilityName); name != "" {
		e.Set(d.paths.facilityName, event.String(name))
	}
	if name := label(d.severities, sev, syslog.SeverityName); name != "" {
		e.Set(d.paths.severityName, event.String(name))
	}
}

// label is the user's name for a number, or the usual one when the user gave none.
func label(own []string, n int, usual func(int) string) string {
	switch {
	case len(own) == 0:
		return usual(n)
	case n < len(own):
		return own[n]
	}
	return ""
}
