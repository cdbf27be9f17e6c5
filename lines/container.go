package lines

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/valyala/fastjson"
)

// partTimeout is how long a part of a container's line waits for the next.
const partTimeout = 5 * time.Second

// maxAttrs bounds the attributes of a Docker line that are kept.
const maxAttrs = 64

type containerSpec struct {
	only  Stream // NoStream: both
	cri   bool
	auto  bool // by the first byte of each line
	limit int
}

// Container adds a parser of container runtimes' lines. stream is all, stdout or stderr; format is auto, docker (alias json-file) or
// cri.
func (s *Spec) Container(stream, format string) error {
	sp := &containerSpec{limit: s.limit}
	switch stream {
	case "all", "":
	case "stdout":
		sp.only = Stdout
	case "stderr":
		sp.only = Stderr
	default:
		return fmt.Errorf("container.stream: %q is not all, stdout or stderr", stream)
	}
	switch format {
	case "auto", "":
		sp.auto = true
	case "docker", "json-file":
	case "cri":
		sp.cri = true
	default:
		return fmt.Errorf("container.format: %q is not auto, docker or cri", format)
	}
	s.steps = append(s.steps, sp)
	return nil
}

func (s *containerSpec) step() step { return &container{spec: s} }

// container joins the parts of long lines, per stream.
type container struct {
	spec *containerSpec
	open [streams]open
}

// part is one decoded line of a runtime.
type part struct {
	text   []byte
	stream Stream
	at     time.Time
	more   bool // another part follows
	attrs  map[string]any
}

var (
	errNoObject = errors.New("line is no JSON object of a container runtime")
	errNoStream = errors.New("stream is neither stdout nor stderr")
	errNoCRI    = errors.New("line is not of the form time stream tags content")
)

func (s *container) push(j *Joiner, at int, m *Message) {
	cri := s.spec.cri
	if s.spec.auto {
		cri = len(m.Text) == 0 || m.Text[0] != '{'
	}
	var p part
	var err error
	if cri {
		p, err = parseCRI(m.Text)
	} else {
		p, err = parseDocker(&j.scratch.json, m.Text)
	}
	if err != nil {
		m.Fields = mergeFields(m.Fields, map[string]any{"error": map[string]any{"type": "container", "message": err.Error()}})
		j.run(at+1, m)
		return
	}
	m.Text, m.Stream, m.At = p.text, p.stream, p.at
	if p.attrs != nil {
		m.Fields = mergeFields(m.Fields, map[string]any{"docker": map[string]any{"attrs": p.attrs}})
	}
	if s.spec.only != NoStream && p.stream != s.spec.only {
		j.drop(m, "stream")
		return
	}
	s.join(j, at, m, p.more)
}

func (s *container) join(j *Joiner, at int, m *Message, more bool) {
	o := &s.open[m.Stream]
	if !o.on && !more {
		j.run(at+1, m)
		return
	}
	if !o.on {
		o.begin(m, s.spec.limit)
	} else {
		o.add(m, "", 0, s.spec.limit)
	}
	if !more {
		s.emit(j, at, o)
	}
}

func (s *container) emit(j *Joiner, at int, o *open) {
	o.lines = 1 // parts are one line
	j.run(at+1, o.take())
	o.drained()
}

func (s *container) due(j *Joiner, at int, now time.Time) {
	for i := range s.open {
		if o := &s.open[i]; o.on && now.Sub(o.last) >= partTimeout {
			o.msg.Flags |= Partial
			s.emit(j, at, o)
		}
	}
}

func (s *container) flush(j *Joiner, at int) {
	for i := range s.open {
		if o := &s.open[i]; o.on {
			o.msg.Flags |= Partial
			s.emit(j, at, o)
		}
	}
}

func (s *container) low(ref uint32, high int64) int64 {
	for i := range s.open {
		high = s.open[i].low(ref, high)
	}
	return high
}

func (s *container) held() int {
	n := 0
	for i := range s.open {
		n += s.open[i].held()
	}
	return n
}

func streamOf(name []byte) (Stream, error) {
	switch string(name) {
	case "stdout":
		return Stdout, nil
	case "stderr":
		return Stderr, nil
	}
	return NoStream, errNoStream
}

// parseCRI decodes "2017-10-12T13:32:21.232861448Z stdout F text". The text is part of line. Tags are separated by ':', the first is
// P while more parts follow. Old runtimes wrote no tags; they are not told apart from a text that begins with P or F.
func parseCRI(line []byte) (part, error) {
	var p part
	stamp, rest, ok := bytes.Cut(line, []byte(" "))
	if !ok {
		return p, errNoCRI
	}
	var err error
	if p.at, err = time.Parse(time.RFC3339Nano, string(stamp)); err != nil {
		return p, errNoCRI
	}
	name, rest, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return p, errNoCRI
	}
	if p.stream, err = streamOf(name); err != nil {
		return p, err
	}
	tags, text, _ := bytes.Cut(rest, []byte(" "))
	first, _, _ := bytes.Cut(tags, []byte(":"))
	switch string(first) {
	case "P":
		p.more = true
	case "F":
	default:
		return p, errNoCRI
	}
	p.text = text
	return p, nil
}

// parseDocker decodes {"log":"text\n","stream":"stdout","time":"2017-..."}. A text without its own line end is followed by another
// part. The text is valid until the parser's next use.
func parseDocker(parser *fastjson.Parser, line []byte) (part, error) {
	var p part
	v, err := parser.ParseBytes(line)
	if err != nil || v.Type() != fastjson.TypeObject {
		return p, errNoObject
	}
	log, stream, stamp := v.Get("log"), v.GetStringBytes("stream"), v.GetStringBytes("time")
	if log == nil || log.Type() != fastjson.TypeString {
		return p, errNoObject
	}
	if p.text, err = log.StringBytes(); err != nil {
		return p, errNoObject
	}
	if p.stream, err = streamOf(stream); err != nil {
		return p, err
	}
	if p.at, err = time.Parse(time.RFC3339Nano, string(stamp)); err != nil {
		return p, fmt.Errorf("time of a container's line: %w", err)
	}
	p.text, p.more = bytes.CutSuffix(p.text, []byte("\n"))
	p.more = !p.more
	if !p.more {
		p.text = bytes.TrimSuffix(p.text, []byte("\r"))
	}
	if attrs := v.GetObject("attrs"); attrs != nil && attrs.Len() > 0 {
		p.attrs = make(map[string]any, min(attrs.Len(), maxAttrs))
		attrs.Visit(func(key []byte, v *fastjson.Value) {
			if len(p.attrs) < maxAttrs {
				p.attrs[string(key)] = ToGo(v)
			}
		})
	}
	return p, nil
}
