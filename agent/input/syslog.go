package input

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirlog/weir/syslog"
)

// SyslogConfig is a syslog input, over one of three protocols.
type SyslogConfig struct {
	// TCP, UDP and Unix: one is set.
	TCP  *TCPConfig
	UDP  *UDPConfig
	Unix *UnixConfig
	// Format is rfc3164, rfc5424 or auto.
	Format string
	// Timezone of times without one: Local, an IANA name, or an offset such as +09:00.
	Timezone string
	// now, for years; nil is time.Now.
	now func() time.Time
}

// DefaultSyslog lacks the protocol.
func DefaultSyslog() *SyslogConfig { return &SyslogConfig{Format: "rfc3164", Timezone: "Local"} }

// Permit allows plain text beyond loopback.
func (c *SyslogConfig) Permit() {
	if c.TCP != nil {
		c.TCP.Permit()
	}
	if c.UDP != nil {
		c.UDP.Permit()
	}
}

// Validate names all faults.
func (c *SyslogConfig) Validate() []error {
	var errs []error
	n := 0
	if c.TCP != nil {
		n++
		errs = append(errs, c.TCP.Validate()...)
	}
	if c.UDP != nil {
		n++
		errs = append(errs, c.UDP.Validate()...)
	}
	if c.Unix != nil {
		n++
		errs = append(errs, c.Unix.Validate()...)
	}
	if n != 1 {
		errs = append(errs, errors.New("syslog needs one of protocol.tcp, protocol.udp, protocol.unix"))
	}
	if _, err := syslog.FindFormat(c.Format); err != nil {
		errs = append(errs, err)
	}
	if _, err := zone(c.Timezone); err != nil {
		errs = append(errs, err)
	}
	return errs
}

// zone is a time zone by name or offset.
func zone(name string) (*time.Location, error) {
	if name == "" {
		return time.Local, nil
	}
	for _, layout := range []string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, off := t.Zone()
			return time.FixedZone(name, off), nil
		}
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("timezone %q is neither a zone's name nor an offset", name)
	}
	return loc, nil
}

// Open binds the address.
func (c *SyslogConfig) Open(log *slog.Logger) (Input, error) {
	o := syslog.Options{}
	var err error
	if o.Format, err = syslog.FindFormat(c.Format); err != nil {
		return nil, err
	}
	if o.Zone, err = zone(c.Timezone); err != nil {
		return nil, err
	}
	now := c.now
	if now == nil {
		now = time.Now
	}
	known := newPriorities()
	shape := func(e *Event) { shapeSyslog(e, known, o, now()) }
	switch {
	case c.TCP != nil:
		return c.TCP.open(log, shape)
	case c.UDP != nil:
		return c.UDP.open(log, shape)
	}
	return c.Unix.open(log, shape)
}

// priorities are the fields of each priority, which all messages of it share.
type priorities struct {
	syslog [24 * 8]map[string]any
	event  [8]map[string]any
}

func newPriorities() *priorities {
	p := &priorities{}
	for i := range p.syslog {
		p.syslog[i] = priority(&syslog.Message{Priority: i})
	}
	for i := range p.event {
		p.event[i] = map[string]any{"severity": i}
	}
	return p
}

// priority is what a priority says.
func priority(m *syslog.Message) map[string]any {
	t := map[string]any{"priority": m.Priority, "facility": m.Facility(), "severity_label": syslog.SeverityName(m.Severity())}
	if name := syslog.FacilityName(m.Facility()); name != "" {
		t["facility_label"] = name
	}
	return t
}

// shapeSyslog makes the event of Filebeat's syslog input. What cannot be read stays the text it is.
func shapeSyslog(e *Event, known *priorities, o syslog.Options, now time.Time) {
	var m syslog.Message
	o.Now = now
	if err := syslog.Parse(&m, e.Message, o); err != nil {
		return
	}
	e.At, e.Message = m.Time, m.Text
	if e.Message == nil {
		e.Message = []byte{}
	}
	fields := make(map[string]any, 6)
	if log, ok := e.Fields["log"]; ok {
		fields["log"] = log
	}
	e.Fields = fields
	fields["syslog"], fields["event"] = syslogFields(&m, known), eventFields(&m, known)
	if len(m.Hostname) > 0 {
		fields["hostname"] = string(m.Hostname)
	}
	if process := process(&m); len(process) > 0 {
		fields["process"] = process
	}
}

// syslogFields are syslog.*.
func syslogFields(m *syslog.Message, known *priorities) map[string]any {
	var t map[string]any
	switch {
	case m.Priority < 0:
		t = map[string]any{}
	case m.Version == 0 && m.Priority < len(known.syslog):
		return known.syslog[m.Priority]
	default:
		t = priority(m)
	}
	if m.Version > 0 {
		t["version"] = m.Version
	}
	if len(m.MsgID) > 0 {
		t["msgid"] = string(m.MsgID)
	}
	if len(m.Data) > 0 {
		t["data"] = Data(m)
	}
	return t
}

// eventFields are event.*.
func eventFields(m *syslog.Message, known *priorities) map[string]any {
	if m.Priority >= 0 && m.Sequence < 0 {
		return known.event[m.Severity()]
	}
	t := map[string]any{}
	if m.Priority >= 0 {
		t["severity"] = m.Severity()
	}
	if m.Sequence >= 0 {
		t["sequence"] = m.Sequence
	}
	return t
}

// process is who wrote a message: program and pid of RFC 3164, name and entity_id of RFC 5424.
func process(m *syslog.Message) map[string]any {
	p := map[string]any{}
	app, pid := "program", "pid"
	if m.Version > 0 {
		app, pid = "name", "entity_id"
	}
	if len(m.App) > 0 {
		p[app] = string(m.App)
	}
	if len(m.PID) == 0 {
		return p
	}
	p[pid] = string(m.PID)
	if n, ok := digits(m.PID); ok && m.Version == 0 {
		p[pid] = n
	}
	return p
}

// digits is a number of up to nine digits.
func digits(b []byte) (n int, ok bool) {
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, len(b) > 0 && len(b) < 10
}

// Data is structured data as a tree: element, name, value.
func Data(m *syslog.Message) map[string]any {
	t := map[string]any{}
	for _, p := range m.Data {
		el, ok := t[string(p.ID)].(map[string]any)
		if !ok {
			el = map[string]any{}
			t[string(p.ID)] = el
		}
		if len(p.Name) > 0 {
			el[string(p.Name)] = string(p.Value)
		}
	}
	return t
}

// ECS is a message as the fields of log.syslog, as Filebeat's syslog parser and processor write them.
func ECS(m *syslog.Message) map[string]any {
	t := map[string]any{}
	if m.Priority >= 0 {
		t["priority"] = m.Priority
		severity, facility := map[string]any{"code": m.Severity(), "name": syslog.SeverityName(m.Severity())}, map[string]any{"code": m.Facility()}
		if name := syslog.FacilityName(m.Facility()); name != "" {
			facility["name"] = name
		}
		t["severity"], t["facility"] = severity, facility
	}
	for name, v := range map[string][]byte{"hostname": m.Hostname, "appname": m.App, "msgid": m.MsgID, "procid": m.PID} {
		if len(v) > 0 {
			t[name] = string(v)
		}
	}
	if m.Version > 0 {
		t["version"] = fmt.Sprint(m.Version)
	}
	if len(m.Data) > 0 {
		t["structured_data"] = Data(m)
	}
	return t
}
