package codec

import (
	"slices"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var multilineOptions = []plugin.Option{
	charsetOption,
	{Name: "pattern", Kind: plugin.Regexp, Required: true, Doc: "What a line that belongs to another looks like, as a grok pattern."},
	{Name: "what", Required: true, Enum: []string{"previous", "next"}, Doc: "Which line such a line belongs to."},
	{Name: "negate", Kind: plugin.Boolean, Default: "false", Doc: "Whether lines that do not match belong to another."},
	{Name: "patterns_dir", Kind: plugin.Array, Doc: "Folders of pattern files."},
	{Name: "multiline_tag", Default: "multiline", Doc: "Tag of events made of several lines."},
	{Name: "max_lines", Kind: plugin.Number, Default: "500", Doc: "Lines after which an event ends."},
	{Name: "max_bytes", Kind: plugin.Bytes, Default: "10 MiB", Doc: "Bytes after which an event ends."},
	{Name: "auto_flush_interval", Kind: plugin.Number, Doc: "Seconds without a line after which an event ends."},
}

// multiline joins lines before they become records; decoding then only tells joined ones from single ones.
type multiline struct {
	charset  charset
	pattern  *grok.Pattern
	next     bool
	negate   bool
	tag      string
	maxLines int
	maxBytes int
}

func newMultiline(a *plugin.Args, env *plugin.Env) Codec {
	c := &multiline{charset: newCharset(a), next: a.String("what") == "next", negate: a.Bool("negate"), tag: a.String("multiline_tag"),
		maxLines: a.Int("max_lines"), maxBytes: int(a.Bytes("max_bytes"))}
	set := grok.Stock(a.ECS(env))
	for _, d := range a.Texts("patterns_dir") {
		defs, err := grok.LoadDir(d.Text, "*")
		if err != nil {
			a.FailAt(d.Pos, "", "%v", err)
			continue
		}
		set = set.With(defs)
	}
	p, err := set.Compile(a.String("pattern"), grok.DefaultOptions())
	if err != nil {
		a.Fail("pattern", "", "%v", err)
		return c
	}
	c.pattern = p
	return c
}

// Messages that were cut at a bound end in a byte that no text holds, so that Decode can tag them.
const cutMark = "\xff\x00cut"

func (c *multiline) Decode(b *event.Batch, ref uint32, data string) {
	cut := len(data) >= len(cutMark) && data[len(data)-len(cutMark):] == cutMark
	if cut {
		data = data[:len(data)-len(cutMark)]
	}
	message(b, ref, c.charset.decode(b, data), "")
	e := b.Events[len(b.Events)-1]
	if c.tag != "" && slices.Contains(event.Bytes(data), '\n') {
		e.Tag(c.tag)
	}
	if cut {
		e.Tag("multiline_codec_max_lines_reached")
	}
}

func (c *multiline) Encode(dst []byte, e *event.Event) []byte { return e.AppendJSON(dst) }

// NewJoiner makes the state of one stream.
func (c *multiline) NewJoiner() Joiner { return &joiner{c: c, m: c.pattern.NewMatcher()} }

type joiner struct {
	c     *multiline
	m     *grok.Matcher
	held  []byte
	lines int
}

func (j *joiner) Line(line []byte, emit func(message []byte)) {
	hit, _ := j.m.Match(line)
	joins := hit != j.c.negate
	if !joins && !j.c.next {
		j.Flush(emit)
	}
	j.add(line, emit)
	if !joins && j.c.next {
		j.Flush(emit)
	}
}

// add holds line back; at a bound what is held goes out.
func (j *joiner) add(line []byte, emit func([]byte)) {
	if j.lines > 0 {
		j.held = append(j.held, '\n')
	}
	j.held = append(j.held, line...)
	j.lines++
	if j.lines >= j.c.maxLines || len(j.held) >= j.c.maxBytes {
		j.held = append(j.held, cutMark...)
		j.Flush(emit)
	}
}

func (j *joiner) Flush(emit func([]byte)) {
	if j.lines > 0 {
		message := j.held
		j.held, j.lines = nil, 0
		emit(message)
	}
}
