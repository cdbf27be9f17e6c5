package syslog

import "time"

// Message is what a syslog message says. What it does not say is empty.
type Message struct {
	Priority int       // -1: none
	Version  int       // 0: RFC 3164
	Time     time.Time // zero: none
	TimeText []byte    // the time as written
	Sequence int       // number in front of the time, as Cisco's devices write; -1: none
	Hostname []byte
	App      []byte // APP-NAME, or the tag of RFC 3164
	PID      []byte // PROCID, or what stands in brackets behind the tag
	MsgID    []byte
	Data     []Param // structured data
	RawData  []byte  // the same as written
	Text     []byte
}

// Param is a value of structured data. An element without values has one Param without a name.
type Param struct{ ID, Name, Value []byte }

// Facility is the sender's kind, 0 to 127; -1 without a priority.
func (m *Message) Facility() int {
	if m.Priority < 0 {
		return -1
	}
	return m.Priority >> 3
}

// Severity is 0 (emergency) to 7 (debug); -1 without a priority.
func (m *Message) Severity() int {
	if m.Priority < 0 {
		return -1
	}
	return m.Priority & 7
}

// FacilityName is a facility's label, as Filebeat and Logstash write it; "" when it has none.
func FacilityName(n int) string {
	names := [...]string{
		"kernel", "user-level", "mail", "system", "security/authorization", "syslogd", "line printer", "network news", "UUCP", "clock",
		"security/authorization", "FTP", "NTP", "log audit", "log alert", "clock",
		"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
	}
	if n < 0 || n >= len(names) {
		return ""
	}
	return names[n]
}

// SeverityName is a severity's label, as Filebeat and Logstash write it; "" when it has none.
func SeverityName(n int) string {
	names := [...]string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}
	if n < 0 || n >= len(names) {
		return ""
	}
	return names[n]
}

func (m *Message) reset() {
	*m = Message{Priority: -1, Sequence: -1, Data: m.Data[:0]}
}
