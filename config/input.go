package config

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/agent/processor"
)

// supportedInputs are the input types of lines an agent runs.
var supportedInputs = []string{"filestream", "log", "container", "stdin"}

// bindInput reads one input of filebeat.yml or weir.yml; nil when it is disabled.
func bindInput(f *file, n *Node, path string, messageMax int64, warnings *[]Warning) *agent.Input {
	b := f.bind(n, path)
	typ := "filestream"
	if b.has("input_type") { // 5.x
		b.str("input_type", &typ)
	}
	b.oneOf("type", &typ, append(listenerInputs(), supportedInputs...)...)
	in := agent.DefaultInput(typ)
	in.MessageMaxBytes, in.Place = messageMax, fmt.Sprintf("%s:%d", f.name, n.Pos.Line)
	enabled := true
	b.boolean("enabled", &enabled)
	bindCommon(b, &in)
	if in.Listen = bindListener(b, typ, warnings); typ == "stdin" {
		bindStdin(b, &in)
	} else if in.Listen == nil {
		bindLines(b, &in)
		bindFiles(b, &in, warnings)
		if typ == "log" || typ == "container" {
			bindLegacy(b, &in, warnings)
		} else {
			in.Parsers = append(in.Parsers, bindParsers(b, &in)...)
		}
	}
	for i, p := range b.list("processors") {
		in.Processors = append(in.Processors, bindProcessor(f, p, fmt.Sprintf("%s.processors[%d]", path, i), warnings)...)
	}
	b.done()
	if !enabled {
		return nil
	}
	if in.Listen == nil && len(in.Paths) == 0 {
		f.fail(n.Pos, 1, "add paths:", "%s has no paths", path)
	}
	return &in
}

func bindCommon(b *binder, in *agent.Input) {
	b.str("id", &in.ID)
	b.strs("tags", &in.Tags)
	b.plain("fields", &in.Fields)
	b.boolean("fields_under_root", &in.FieldsUnderRoot)
	b.str("pipeline", &in.Pipeline)
	b.str("index", &in.Index)
	b.boolean("keep_null", &in.KeepNull)
	s := b.sub("service")
	s.str("type", &in.ServiceType)
	s.done()
	b.ignore("publisher_pipeline", "allow_deprecated_use", "allow_deprecated_id_duplication")
}

func bindLines(b *binder, in *agent.Input) {
	b.str("encoding", &in.Encoding)
	b.str("line_terminator", &in.LineTerminator)
	b.strs("include_lines", &in.IncludeLines)
	b.strs("exclude_lines", &in.ExcludeLines)
	b.size("message_max_bytes", &in.MessageMaxBytes)
	b.ignore("buffer_size", "harvester_buffer_size")
}

func bindFiles(b *binder, in *agent.Input, warnings *[]Warning) {
	b.strs("paths", &in.Paths)
	b.boolean("seek_to_tail", &in.SeekToTail)
	b.duration("ignore_older", &in.IgnoreOlder)
	b.integer("harvester_limit", &in.HarvesterLimit)
	b.oneOf("compression", &in.Compression, "none", "", "auto", "gzip")
	b.boolean("clean_removed", &in.CleanRemoved)
	b.duration("clean_inactive", &in.CleanInactive)
	b.ignore("backoff", "rotation", "legacy_clean_inactive", "take_over", "include_file_owner_name", "include_file_owner_group_name")
	b.refuse("delete", "the agent never removes a log file")
	b.warn("ignore_inactive", "every file is read", warnings)
	prospector := b.sub("prospector")
	scan := prospector.sub("scanner")
	prospector.done()
	scan.strs("exclude_files", &in.ExcludeFiles)
	scan.strs("include_files", &in.IncludeFiles)
	scan.boolean("symlinks", &in.Symlinks)
	scan.boolean("recursive_glob", &in.RecursiveGlob)
	scan.duration("check_interval", &in.CheckInterval)
	scan.ignore("fingerprint", "resend_on_touch")
	scan.done()
	closing := b.sub("close")
	change := closing.sub("on_state_change")
	change.duration("inactive", &in.CloseInactive)
	change.boolean("renamed", &in.CloseRenamed)
	change.boolean("removed", &in.CloseRemoved)
	change.ignore("check_interval")
	change.done()
	reader := closing.sub("reader")
	closing.done()
	reader.boolean("on_eof", &in.CloseEOF)
	reader.ignore("after_interval")
	reader.done()
	bindIdentity(b, in)
}

// bindIdentity reads file_identity: the agent uses all proofs at once; only path is a choice.
func bindIdentity(b *binder, in *agent.Input) {
	id := b.sub("file_identity")
	if id.n.get("path") != nil {
		in.FileIdentity = "path"
	}
	id.ignore("native", "fingerprint", "path")
	id.refuse("inode_marker", "files are recognised by inode, head and tail together")
	id.done()
}

// bindLegacy reads the keys of type log and container.
func bindLegacy(b *binder, in *agent.Input, warnings *[]Warning) {
	b.strs("exclude_files", &in.ExcludeFiles)
	b.boolean("tail_files", &in.SeekToTail)
	b.boolean("symlinks", &in.Symlinks)
	rg := b.sub("recursive_glob")
	rg.boolean("enabled", &in.RecursiveGlob)
	rg.done()
	b.size("max_bytes", &in.MessageMaxBytes)
	b.duration("scan_frequency", &in.CheckInterval)
	b.duration("close_inactive", &in.CloseInactive)
	b.boolean("close_renamed", &in.CloseRenamed)
	b.boolean("close_removed", &in.CloseRemoved)
	b.boolean("close_eof", &in.CloseEOF)
	b.ignore("close_timeout", "backoff", "max_backoff", "backoff_factor", "scan", "input_type", "json_enabled")
	if in.Type == "container" {
		b.oneOf("stream", &in.Stream, "all", "stdout", "stderr")
		b.oneOf("format", &in.Format, "auto", "docker", "cri")
		b.ignore("combine_partial", "cri", "containers")
	}
	bindLegacyLines(b, in)
}

// bindLegacyLines reads json and multiline beside parsers.
func bindLegacyLines(b *binder, in *agent.Input) {
	if b.has("json") {
		in.JSON = bindLegacyJSON(b.sub("json"))
	}
	if b.has("multiline") {
		in.Parsers = append(in.Parsers, agent.Parser{Multiline: bindMultiline(b.sub("multiline"))})
	}
	in.Parsers = append(in.Parsers, bindParsers(b, in)...)
}

// bindStdin reads the keys of type stdin: those of lines, and none of files.
func bindStdin(b *binder, in *agent.Input) {
	in.Listen = &agent.Stdin{}
	bindLines(b, in)
	b.size("max_bytes", &in.MessageMaxBytes)
	bindLegacyLines(b, in)
	b.ignore("paths", "scan_frequency", "backoff", "max_backoff", "backoff_factor", "close_eof", "json_enabled", "input_type")
}

func bindLegacyJSON(b *binder) *agent.NDJSON {
	j := agent.NDJSON{Target: "json"}
	under := false
	b.boolean("keys_under_root", &under)
	if under {
		j.Target = ""
	}
	bindJSONKeys(b, &j)
	return &j
}

// bindJSONKeys reads what the json group of a log input and the ndjson parser share.
func bindJSONKeys(b *binder, j *agent.NDJSON) {
	b.boolean("overwrite_keys", &j.OverwriteKeys)
	b.boolean("expand_keys", &j.ExpandKeys)
	b.boolean("add_error_key", &j.AddErrorKey)
	b.str("message_key", &j.MessageKey)
	b.str("document_id", &j.DocumentID)
	b.boolean("ignore_decoding_error", &j.IgnoreDecodingError)
	b.done()
}

// bindParsers reads the list of parsers of a filestream: one map with one key each.
func bindParsers(b *binder, in *agent.Input) []agent.Parser {
	var list []agent.Parser
	entries := b.list("parsers")
	for i, n := range entries {
		p := b.f.bind(n, fmt.Sprintf("%s[%d]", b.name("parsers"), i))
		switch {
		case p.n.get("multiline") != nil:
			list = append(list, agent.Parser{Multiline: bindMultiline(p.sub("multiline"))})
		case p.n.get("ndjson") != nil:
			list = append(list, agent.Parser{NDJSON: bindNDJSON(p.sub("ndjson"))})
		case p.n.get("container") != nil:
			c := agent.Container{Stream: "all", Format: "auto"}
			cb := p.sub("container")
			cb.oneOf("stream", &c.Stream, "all", "stdout", "stderr")
			cb.oneOf("format", &c.Format, "auto", "docker", "cri")
			cb.done()
			list = append(list, agent.Parser{Container: &c})
		case p.n.get("include_message") != nil:
			var m agent.IncludeMessage
			mb := p.sub("include_message")
			mb.strs("patterns", &m.Patterns)
			mb.done()
			list = append(list, agent.Parser{IncludeMessage: &m})
		}
		if p.n.get("syslog") != nil {
			in.Syslog = bindSyslogParser(p.sub("syslog"))
			if i < len(entries)-1 {
				b.f.fail(n.Pos, 1, "move it to the end", "%s: syslog must be the last parser", b.name("parsers"))
			}
		}
		for _, k := range [...]string{"multiline", "ndjson", "container", "include_message", "syslog"} {
			p.has(k)
		}
		p.done()
	}
	return list
}

func bindSyslogParser(b *binder) *agent.SyslogParser {
	s := &agent.SyslogParser{Format: "auto", Timezone: "Local", AddErrorKey: true}
	b.oneOf("format", &s.Format, "auto", "rfc3164", "rfc5424")
	b.str("timezone", &s.Timezone)
	b.boolean("add_error_key", &s.AddErrorKey)
	b.ignore("log_errors")
	b.done()
	return s
}

func bindNDJSON(b *binder) *agent.NDJSON {
	var j agent.NDJSON
	b.str("target", &j.Target)
	if under := false; b.has("keys_under_root") {
		b.boolean("keys_under_root", &under)
		if !under {
			j.Target = "json"
		}
	}
	bindJSONKeys(b, &j)
	return &j
}

func bindMultiline(b *binder) *agent.Multiline {
	m := agent.DefaultMultiline()
	b.oneOf("type", &m.Type, "pattern", "count", "while_pattern")
	b.str("pattern", &m.Pattern)
	b.boolean("negate", &m.Negate)
	b.oneOf("match", &m.Match, "after", "before")
	b.str("flush_pattern", &m.FlushPattern)
	b.integer("count_lines", &m.CountLines)
	b.integer("max_lines", &m.MaxLines)
	b.duration("timeout", &m.Timeout)
	b.boolean("skip_newline", &m.SkipNewline)
	b.done()
	if m.Timeout < 0 {
		m.Timeout = 5 * time.Second
	}
	return &m
}

// cloudProcessor of the stock file asks the cloud's metadata service, which the agent does not; on a plain machine Filebeat too adds
// nothing.
const cloudProcessor = "add_cloud_metadata"

// bindProcessor reads one entry of processors: a map with the processor's name as its one key.
func bindProcessor(f *file, n *Node, path string, warnings *[]Warning) []processor.Config {
	if n.Kind != Map || len(n.Keys) == 0 {
		f.fail(n.Pos, 1, "", "%s must be a map with the processor's name as its key", path)
		return nil
	}
	if n.get("if") != nil {
		return bindIf(f, n, path, warnings)
	}
	var list []processor.Config
	for _, k := range n.Keys {
		if k.Name == cloudProcessor {
			f.mention(k.Pos, path+"."+k.Name, Ignored, "cloud metadata is not added")
			*warnings = append(*warnings, Warning{k.Pos, path + "." + k.Name, "cloud metadata is not added"})
			continue
		}
		if why, ok := processor.Refused(k.Name); ok {
			f.mention(k.Pos, path+"."+k.Name, Refused, why)
		} else {
			f.mention(k.Pos, path+"."+k.Name, Honoured, "")
		}
		p := processor.Config{Name: k.Name, Place: fmt.Sprintf("%s:%d", f.name, k.Pos.Line)}
		if args, ok := k.Val.Plain().(map[string]any); ok {
			if when, ok := args["when"].(map[string]any); ok {
				p.When = condition(when)
				delete(args, "when")
			}
			p.Args = args
		} else if k.Val.Kind != Null {
			f.fail(k.Val.Pos, 1, "", "%s.%s must be a map of settings", path, k.Name)
		}
		list = append(list, p)
	}
	return list
}

// bindIf reads if, then and else: a condition and one or two lists of processors (or single ones).
func bindIf(f *file, n *Node, path string, warnings *[]Warning) []processor.Config {
	p := processor.Config{Name: "if", Place: fmt.Sprintf("%s:%d", f.name, n.Pos.Line)}
	for _, k := range n.Keys {
		switch k.Name {
		case "if":
			if m, ok := k.Val.Plain().(map[string]any); ok {
				p.When = condition(m)
			} else {
				f.fail(k.Pos, 2, "", "%s.if must be a condition", path)
			}
		case "then", "else":
			list := k.Val.List
			if k.Val.Kind == Map {
				list = []*Node{k.Val}
			}
			var steps []processor.Config
			for i, item := range list {
				steps = append(steps, bindProcessor(f, item, fmt.Sprintf("%s.%s[%d]", path, k.Name, i), warnings)...)
			}
			if k.Name == "then" {
				p.Then = steps
			} else {
				p.Else = steps
			}
		default:
			f.fail(k.Pos, len(k.Name), "", "%s: unknown setting %s beside if", path, k.Name)
		}
	}
	f.mention(n.Pos, path+".if", Honoured, "")
	return []processor.Config{p}
}

// condition restores field names: a tree of dotted keys ({"equals": {"log": {"level": "x"}}}) becomes {"equals": {"log.level": "x"}}.
func condition(c map[string]any) map[string]any {
	out := map[string]any{}
	for op, v := range c {
		switch m := v.(type) {
		case []any: // and, or
			list := make([]any, len(m))
			for i, e := range m {
				list[i] = e
				if sub, ok := e.(map[string]any); ok {
					list[i] = condition(sub)
				}
			}
			if op == "has_fields" {
				out[op] = m
			} else {
				out[op] = list
			}
		case map[string]any:
			switch op {
			case "not":
				out[op] = condition(m)
			case "range":
				out[op] = ranges(m)
			default:
				flat := map[string]any{}
				flatten(flat, "", m)
				out[op] = flat
			}
		default:
			out[op] = v
		}
	}
	return out
}

func flatten(out map[string]any, prefix string, m map[string]any) {
	for k, v := range m {
		if sub, ok := v.(map[string]any); ok {
			flatten(out, prefix+k+".", sub)
			continue
		}
		out[prefix+k] = v
	}
}

// ranges is {"http": {"code": {"gte": 400}}} as {"http.code": {"gte": 400}}.
func ranges(m map[string]any) map[string]any {
	flat := map[string]any{}
	flatten(flat, "", m)
	out := map[string]any{}
	for k, v := range flat {
		i := strings.LastIndexByte(k, '.')
		if i < 0 {
			continue
		}
		field, ok := out[k[:i]].(map[string]any)
		if !ok {
			field = map[string]any{}
			out[k[:i]] = field
		}
		field[k[i+1:]] = v
	}
	return out
}
