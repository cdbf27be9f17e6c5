package syslog

import (
	"bytes"
	"errors"
	"fmt"
	"time"
)

// Format is a syntax of messages.
type Format uint8

const (
	Auto    Format = iota // RFC 5424 when a version follows the priority, else RFC 3164
	RFC3164               // BSD
	RFC5424               // IETF
)

// FindFormat is the format of a setting: auto, rfc3164 or rfc5424.
func FindFormat(name string) (Format, error) {
	switch name {
	case "auto":
		return Auto, nil
	case "rfc3164":
		return RFC3164, nil
	case "rfc5424":
		return RFC5424, nil
	}
	return 0, fmt.Errorf("format %q is none of auto, rfc3164, rfc5424", name)
}

// Options say how to read what a message leaves open.
type Options struct {
	Format Format
	Zone   *time.Location // of times without one; nil: local
	Now    time.Time      // years are near it
}

// The errors of Parse.
var (
	ErrPriority = errors.New("syslog: no priority in <> up to 1023")
	ErrVersion  = errors.New("syslog: no version behind the priority")
	ErrTime     = errors.New("syslog: no time")
	ErrHeader   = errors.New("syslog: header ends too soon")
	ErrData     = errors.New("syslog: structured data is broken")
)

// maxPriority is the largest that three bits of severity and 127 facilities make.
const maxPriority = 1023

// Parse reads b into m, whose bytes are b's. Line ends behind the text are not part of it. A message of RFC 3164 needs a time; when
// there is an error, m holds what was read before it.
func Parse(m *Message, b []byte, o Options) error {
	m.reset()
	b = bytes.TrimRight(b, "\r\n\x00")
	rest, err := m.priority(b)
	if err != nil {
		return err
	}
	if o.Format == RFC5424 || o.Format == Auto && is5424(rest) {
		if m.Priority < 0 {
			return ErrPriority
		}
		return m.parse5424(rest)
	}
	return m.parse3164(rest, o)
}

// priority reads <n>, when there is one.
func (m *Message) priority(b []byte) (rest []byte, err error) {
	if len(b) == 0 || b[0] != '<' {
		return b, nil
	}
	n, digits := number(b[1:], 4)
	if digits == 0 || n > maxPriority || len(b) <= digits+1 || b[digits+1] != '>' {
		return nil, ErrPriority
	}
	m.Priority = n
	return b[digits+2:], nil
}

// is5424 reports whether a version, and a time or none, follow the priority.
func is5424(b []byte) bool {
	n, digits := number(b, 3)
	if n == 0 || len(b) < digits+2 || b[digits] != ' ' {
		return false
	}
	b = b[digits+1:]
	if b[0] == '-' {
		return len(b) == 1 || b[1] == ' '
	}
	_, digits = number(b, 4)
	return digits == 4 && len(b) > 4 && b[4] == '-'
}

// number reads up to most digits.
func number(b []byte, most int) (n, digits int) {
	for digits < len(b) && digits < most && '0' <= b[digits] && b[digits] <= '9' {
		n = n*10 + int(b[digits]-'0')
		digits++
	}
	return n, digits
}

// token is what comes before the next blank, and what comes behind it.
func token(b []byte) (t, rest []byte, ok bool) {
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		return b, nil, false
	}
	return b[:i], b[i+1:], true
}

// parse3164 reads what follows the priority: a sequence, a time, a host, a tag and the text.
func (m *Message) parse3164(b []byte, o Options) error {
	b = bytes.TrimLeft(b, " ")
	if n, digits := number(b, 10); digits > 0 && len(b) > digits+1 && b[digits] == ':' && b[digits+1] == ' ' {
		m.Sequence = n
		b = bytes.TrimLeft(b[digits+2:], " ")
	}
	if len(b) > 1 && (b[0] == '*' || b[0] == '.') { // a clock that is not set, or not trusted
		b = b[1:]
	}
	n := m.time3164(b, o)
	if n == 0 {
		m.Text = b
		return ErrTime
	}
	b = bytes.TrimLeft(b[n:], " ")
	if tagEnd(b) == 0 {
		if t, rest, ok := token(b); ok && hostname(t) {
			m.Hostname, b = t, bytes.TrimLeft(rest, " ")
		}
	}
	m.tag(b)
	return nil
}

// hostname reports whether a token may be a host's name or address.
func hostname(t []byte) bool {
	for _, c := range t {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '_', c == ':', c == '%', c == '/':
		default:
			return false
		}
	}
	return len(t) > 0
}

// maxTag is how long a tag with its process id may be; the RFC says 32, programs write more.
const maxTag = 256

// tagEnd is the length of a tag and its colon at the beginning of b, 0 when there is none. A host's name that ends in a colon, as in
// "host: text", is a tag: nothing tells them apart.
func tagEnd(b []byte) int {
	for i, c := range b {
		if i > maxTag || c <= ' ' || c == 0x7f {
			return 0
		}
		if c == '[' && i > 0 {
			if j := bytes.IndexByte(b[i:min(len(b), i+maxTag)], ']'); j > 0 && len(b) > i+j+1 && b[i+j+1] == ':' {
				return i + j + 2
			}
			return 0
		}
		if c == ':' && i > 0 && (i+1 == len(b) || b[i+1] == ' ') {
			return i + 1
		}
	}
	return 0
}

// tag reads the tag and the text.
func (m *Message) tag(b []byte) {
	n := tagEnd(b)
	m.Text = b
	if n == 0 {
		return
	}
	m.App = b[:n-1]
	if i := bytes.IndexByte(m.App, '['); i > 0 && m.App[len(m.App)-1] == ']' {
		m.App, m.PID = m.App[:i], m.App[i+1:len(m.App)-1]
	}
	m.Text = b[n:]
	if len(m.Text) > 0 && m.Text[0] == ' ' {
		m.Text = m.Text[1:]
	}
}

// parse5424 reads what follows the priority.
func (m *Message) parse5424(b []byte) error {
	n, digits := number(b, 3)
	if n == 0 || len(b) <= digits || b[digits] != ' ' {
		return ErrVersion
	}
	m.Version = n
	b = b[digits+1:]
	t, b, ok := token(b)
	if !nilValue(t) {
		when, used := rfc3339(t)
		if used != len(t) {
			return ErrTime
		}
		m.Time, m.TimeText = when, t
	}
	for _, f := range []*[]byte{&m.Hostname, &m.App, &m.PID, &m.MsgID} {
		if !ok {
			return ErrHeader
		}
		var t []byte
		t, b, ok = token(b)
		if !nilValue(t) {
			*f = t
		}
	}
	if !ok {
		return ErrHeader
	}
	return m.data(b)
}

func nilValue(t []byte) bool { return len(t) == 1 && t[0] == '-' || len(t) == 0 }

// data reads structured data and the text behind it.
func (m *Message) data(b []byte) error {
	if len(b) == 0 {
		return ErrData
	}
	rest := b[1:]
	if b[0] != '-' {
		if b[0] != '[' {
			return ErrData
		}
		rest = b
		for len(rest) > 0 && rest[0] == '[' {
			var ok bool
			if rest, ok = m.element(rest[1:]); !ok {
				return ErrData
			}
		}
		m.RawData = b[:len(b)-len(rest)]
	}
	if len(rest) > 0 {
		if rest[0] != ' ' {
			return ErrData
		}
		rest = rest[1:]
	}
	m.Text = bytes.TrimPrefix(rest, []byte("\ufeff"))
	return nil
}

// element reads `id name="value" ...]`.
func (m *Message) element(b []byte) (rest []byte, ok bool) {
	i := bytes.IndexAny(b, " ]")
	if i <= 0 {
		return nil, false
	}
	id, b := b[:i], b[i:]
	alone := true
	for {
		b = bytes.TrimLeft(b, " ")
		if len(b) == 0 {
			return nil, false
		}
		if b[0] == ']' {
			if alone {
				m.Data = append(m.Data, Param{ID: id})
			}
			return b[1:], true
		}
		i := bytes.IndexByte(b, '=')
		if i <= 0 || len(b) < i+2 || b[i+1] != '"' || bytes.ContainsAny(b[:i], ` ]"`) {
			return nil, false
		}
		name := b[:i]
		value, behind, ok := quoted(b[i+2:])
		if !ok {
			return nil, false
		}
		m.Data = append(m.Data, Param{id, name, value})
		b, alone = behind, false
	}
}

// quoted reads up to the closing quote. A backslash stays one unless a quote, a backslash or a bracket follows it.
func quoted(b []byte) (value, rest []byte, ok bool) {
	var copied []byte
	from := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			if copied == nil {
				return b[:i], b[i+1:], true
			}
			return append(copied, b[from:i]...), b[i+1:], true
		case '\\':
			if i+1 < len(b) && (b[i+1] == '"' || b[i+1] == '\\' || b[i+1] == ']') {
				copied = append(copied, b[from:i]...)
				if copied == nil {
					copied = []byte{}
				}
				from = i + 1
				i++
			}
		}
	}
	return nil, nil, false
}
