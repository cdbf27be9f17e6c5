package live

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/valyala/fastjson"
)

// Bounds of what a row carries to a browser. The whole document is one request away.
const (
	maxMessage = 2 << 10  // bytes of message
	maxStack   = 16 << 10 // bytes of the lines behind the first
	maxValue   = 2 << 10  // bytes of one field's value
	maxFields  = 1000
	maxDepth   = 64
)

// Row is a document as the log list draws it.
type Row struct {
	ID      string                     `json:"id"`
	Index   string                     `json:"index"`
	T       int64                      `json:"t"`  // @timestamp, epoch ms; 0 when the document has none
	TS      string                     `json:"ts"` // @timestamp as written
	Level   string                     `json:"level"`
	Service string                     `json:"service"`
	Logger  string                     `json:"logger"`
	Thread  string                     `json:"thread"`
	Trace   string                     `json:"trace"`
	Message string                     `json:"message"` // first line
	Cut     int                        `json:"cut"`     // bytes of message and stack left out
	Stack   string                     `json:"stack"`   // further lines of the message, or error.stack_trace
	Source  *Place                     `json:"source,omitempty"`
	Fields  map[string]json.RawMessage `json:"fields"`
	Sort    json.RawMessage            `json:"sort,omitempty"`
	Doc     json.RawMessage            `json:"doc,omitempty"` // the whole document, for those who asked for it
}

// Place is where in which file a row's bytes stand.
type Place struct {
	ID     string `json:"id"`
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
}

// names of fields, in order of preference.
var (
	levelNames   = []string{"log.level", "level", "severity", "loglevel"}
	messageNames = []string{"message", "log.original", "event.original"}
	serviceNames = []string{"service.name", "fields.service", "app"}
	loggerNames  = []string{"log.logger", "logger", "logger_name"}
	threadNames  = []string{"process.thread.name", "thread", "thread_name"}
	traceNames   = []string{"trace.id", "traceId", "trace_id"}
)

// Builder turns documents into rows; it keeps a parser and is not safe for concurrent use.
type Builder struct {
	p    fastjson.Parser
	flat map[string]*fastjson.Value
}

// Row reads one document. A document that is not a JSON object gives a row whose message is its text.
func (b *Builder) Row(index, id string, source []byte) Row {
	r := Row{ID: id, Index: index, Fields: map[string]json.RawMessage{}}
	v, err := b.p.ParseBytes(source)
	if err != nil || v.Type() != fastjson.TypeObject {
		r.Message = clip(strings.ToValidUTF8(string(source), "\uFFFD"), maxMessage, &r.Cut)
		return r
	}
	b.flat = map[string]*fastjson.Value{}
	b.flatten("", v, 0)
	r.TS = b.text([]string{"@timestamp"})
	r.T = epochMillis(r.TS)
	r.Level = level(b.text(levelNames))
	r.Service, r.Logger = b.text(serviceNames), b.text(loggerNames)
	r.Thread, r.Trace = b.text(threadNames), b.text(traceNames)
	b.message(&r)
	r.Source = b.place()
	for path, v := range b.flat {
		if path != "message" {
			r.Fields[path] = value(v)
		}
	}
	return r
}

func (b *Builder) message(r *Row) {
	msg, stack, _ := strings.Cut(b.text(messageNames), "\n")
	if s := b.text([]string{"error.stack_trace"}); stack == "" && s != "" {
		stack = s
	}
	r.Message = clip(strings.TrimSuffix(msg, "\r"), maxMessage, &r.Cut)
	r.Stack = clip(stack, maxStack, &r.Cut)
}

func (b *Builder) place() *Place {
	path := b.text([]string{"log.file.path"})
	if path == "" {
		return nil
	}
	p := &Place{ID: b.text([]string{"weir.source"}), Path: path}
	if v := b.flat["log.offset"]; v != nil {
		p.Offset, _ = v.Int64()
	}
	return p
}

// text is the first non-empty value among names; lists give their first element.
func (b *Builder) text(names []string) string {
	for _, n := range names {
		v := b.flat[n]
		if v == nil {
			continue
		}
		if a, err := v.Array(); err == nil && len(a) > 0 {
			v = a[0]
		}
		switch v.Type() {
		case fastjson.TypeString:
			s, _ := v.StringBytes()
			if len(s) > 0 {
				return strings.ToValidUTF8(string(s), "\uFFFD")
			}
		case fastjson.TypeNumber, fastjson.TypeTrue, fastjson.TypeFalse:
			return v.String()
		}
	}
	return ""
}

func (b *Builder) flatten(prefix string, v *fastjson.Value, depth int) {
	o, err := v.Object()
	if err != nil || depth > maxDepth || len(b.flat) >= maxFields {
		if prefix != "" && len(b.flat) < maxFields {
			b.flat[prefix] = v
		}
		return
	}
	o.Visit(func(key []byte, v *fastjson.Value) {
		path := string(key)
		if prefix != "" {
			path = prefix + "." + path
		}
		b.flatten(path, v, depth+1)
	})
}

// value renders a field's value, cut to maxValue bytes.
func value(v *fastjson.Value) json.RawMessage {
	if s, err := v.StringBytes(); err == nil {
		var cut int
		text, _ := json.Marshal(clip(string(s), maxValue, &cut))
		return text
	}
	raw := v.MarshalTo(nil)
	if len(raw) > maxValue {
		var cut int
		raw, _ = json.Marshal(clip(string(raw), maxValue, &cut))
	}
	return raw
}

// clip shortens s to at most max bytes at a character's start and adds what it left out to cut.
func clip(s string, max int, cut *int) string {
	if len(s) <= max {
		return s
	}
	n := max
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	*cut += len(s) - n
	return s[:n]
}

// level is the upper-case name of a log level with the long forms folded: WARNING is WARN, ERR is ERROR.
func level(s string) string {
	s = strings.ToUpper(strings.TrimSpace(s))
	switch s {
	case "WARNING":
		return "WARN"
	case "ERR", "SEVERE":
		return "ERROR"
	case "INFORMATION", "INFORMATIONAL", "NOTICE":
		return "INFO"
	case "CRIT", "CRITICAL", "EMERG", "EMERGENCY", "ALERT":
		return "FATAL"
	}
	return s
}

func epochMillis(s string) int64 {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return 0
	}
	return t.UnixMilli()
}
