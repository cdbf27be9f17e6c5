package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

// compiled is an Input made ready.
type compiled struct {
	conf   *Input
	index  int
	sel    selection
	enc    *lines.Encoding
	term   lines.Terminator // for encodings that do not look at the file
	spec   *lines.Spec
	filter lines.Filter
	topic  processor.Format
	once   []processor.Step     // of the input, then of the agent: the first ones, as far as they are constant for a file
	chain  []processor.Step     // the others
	busy   map[*source]struct{} // being read; only with a harvester limit. Guarded by Agent.mu
	queue  []*source            // waiting for that; guarded by Agent.mu

	base     map[string]any // constant fields of all its files
	metadata map[string]any
}

// compileInput makes in ready, or says everything that is wrong with its parsers and processors.
func compileInput(c *Config, in *Input, index int, id *identity) (*compiled, []error) {
	var errs []error
	note := func(err error) {
		if err != nil {
			errs = append(errs, err)
		}
	}
	out := &compiled{conf: in, index: index, busy: map[*source]struct{}{}}
	var err error
	out.sel, err = newSelection(in)
	note(err)
	if out.enc, err = lines.FindEncoding(in.Encoding); err != nil {
		return out, append(errs, err)
	}
	out.term, err = lines.FindTerminator(in.LineTerminator, out.enc)
	note(err)
	out.spec, err = compileParsers(in)
	note(err)
	out.filter, err = lines.NewFilter(in.IncludeLines, in.ExcludeLines)
	note(err)
	out.topic, err = processor.ParseFormat(c.Topic)
	note(err)
	for n, list := range [...][]processor.Config{syslogSteps(in.Syslog), in.Processors, c.Processors} {
		for i := range list {
			p, err := processor.Compile(&list[i], n)
			note(err)
			out.chain = append(out.chain, p)
		}
	}
	if !out.rewrites() {
		for len(out.chain) > 0 && out.chain[0].Constant() {
			out.once, out.chain = append(out.once, out.chain[0]), out.chain[1:]
		}
	}
	out.constant(c, id)
	return out, errs
}

// syslogSteps is the parser syslog as a step before all others, in a list of its own.
func syslogSteps(s *SyslogParser) []processor.Config {
	if s == nil {
		return nil
	}
	return []processor.Config{{Name: "syslog", Args: map[string]any{"format": s.Format, "timezone": s.Timezone, "ignore_failure": !s.AddErrorKey}}}
}

// rewrites reports whether parsers may write over fields that are constant otherwise.
func (in *compiled) rewrites() bool {
	return in.conf.JSON != nil || slices.ContainsFunc(in.conf.Parsers, func(p Parser) bool { return p.NDJSON != nil })
}

// constant builds the fields all records of the input share.
func (in *compiled) constant(c *Config, id *identity) {
	in.base = map[string]any{}
	addUser(in.base, c.Fields, c.FieldsUnderRoot, c.Tags)
	addUser(in.base, in.conf.Fields, in.conf.FieldsUnderRoot, in.conf.Tags)
	tree.Merge(in.base, map[string]any{"input": map[string]any{"type": in.conf.Type}}, true)
	tree.Merge(in.base, id.agentFields(), true)
	if in.conf.ServiceType != "" {
		tree.Merge(in.base, map[string]any{"service": map[string]any{"type": in.conf.ServiceType}}, true)
	}
	in.metadata = map[string]any{"beat": "filebeat", "type": "_doc", "version": compatVersion(id.compat)}
	if in.conf.Pipeline != "" {
		in.metadata["pipeline"] = in.conf.Pipeline
	}
	if in.conf.Index != "" {
		in.metadata["raw_index"] = in.conf.Index
	}
}

func compileParsers(in *Input) (*lines.Spec, error) {
	spec := lines.NewSpec(int(min(in.MessageMaxBytes, maxMessage)))
	if in.Type == "container" {
		if err := spec.Container(in.Stream, in.Format); err != nil {
			return nil, err
		}
	}
	if in.JSON != nil {
		if err := spec.NDJSON(lines.NDJSON(*in.JSON)); err != nil {
			return nil, err
		}
	}
	for i := range in.Parsers {
		if err := addParser(spec, &in.Parsers[i]); err != nil {
			return nil, fmt.Errorf("parsers[%d]: %w", i, err)
		}
	}
	return spec, nil
}

func addParser(spec *lines.Spec, p *Parser) error {
	switch {
	case p.Multiline != nil:
		return spec.Multiline(lines.Multiline(*p.Multiline))
	case p.NDJSON != nil:
		return spec.NDJSON(lines.NDJSON(*p.NDJSON))
	case p.Container != nil:
		return spec.Container(p.Container.Stream, p.Container.Format)
	case p.IncludeMessage != nil:
		return spec.IncludeMessage(p.IncludeMessage.Patterns)
	}
	return fmt.Errorf("no parser is set")
}

// envelope renders what is constant for a source. missing says that the topic named a field that is not there.
func (in *compiled) envelope(c *Config, s *source) (e *envelope, missing bool) {
	return in.render(c, map[string]any{"log": map[string]any{"file": fileFields(c.Compat, s.first, s.place, &s.head)}}, s.chain.key, s.born)
}

// render makes an envelope of the input's constant fields and more of them.
func (in *compiled) render(c *Config, more map[string]any, key []byte, at time.Time) (e *envelope, missing bool) {
	fields := tree.Clone(in.base)
	tree.Merge(fields, more, true)
	ev := &tree.Event{At: at, Fields: fields, Metadata: tree.Clone(in.metadata)}
	processor.Run(in.once, ev) // constant steps drop nothing
	e = &envelope{key: key, tree: ev.Fields, metadata: ev.Metadata}
	if e.topic, missing = in.topic.Text(ev.Fields); missing {
		e.topic = DefaultTopic
	}
	e.render()
	return e, missing
}
