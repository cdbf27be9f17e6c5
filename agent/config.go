package agent

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/processor"
	"github.com/weirlog/weir/queue"
	"github.com/weirlog/weir/vfs"
)

// Config is what an agent needs. The zero value of a field is not its default: start from DefaultConfig and DefaultInput.
type Config struct {
	// Dir is the folder of the agent's own state: registry/ (places in files), id (the agent's id), lock. One process at a time.
	// Losing it makes the agent read all files from their beginning again.
	Dir string
	// FS holds Dir. Log files are always files of this machine. Nil means vfs.OS().
	FS vfs.FS
	// Log receives what the agent has to say. Nil discards it.
	Log *slog.Logger
	// Queue receives the records. Required.
	Queue Producer
	// Topic is the topic of all records: a text that may hold %{[a.b]} and %{[a.b]:default}, read from what is constant for a file
	// (fields, tags, log.file.path, host, agent, input). A missing field gives "logs", and is counted.
	Topic string
	// Ledger is the topic where the agent announces what it read, for audits. Empty: nothing is announced.
	Ledger string
	// Name is agent.name and host.name in records. Default: the host name.
	Name string
	// ID is agent.id in records. Empty: made at the first start and kept in Dir.
	ID string
	// Version is what agent.build.original says of this program.
	Version string
	// Compat is the Filebeat generation whose event shape is produced: 7, 8 or 9. Dashboards and templates hang on it.
	Compat int
	// Fields are added to every record of every input, under "fields" unless FieldsUnderRoot. An input's own fields win.
	Fields          map[string]any
	FieldsUnderRoot bool
	// Tags come before an input's tags.
	Tags []string
	// Processors run after those of the input.
	Processors []processor.Config
	// Inputs are asked in order; a file that two of them match belongs to the first.
	Inputs []Input
	// Memory bounds all buffers of records, in bytes. When it is used up reading stops; finding and holding files goes on.
	Memory int64
	// RegistryFlush is the longest time between an acknowledged record and its position on disk. A kill repeats at most what was
	// acknowledged within it.
	RegistryFlush time.Duration
	// ShutdownTimeout is how long a stop waits for acknowledgements of what was read. What is not acknowledged by then is read
	// again at the next start.
	ShutdownTimeout time.Duration
	// BackoffInit and BackoffMax are the pauses after a failed Produce: the first, doubling up to the last, each with jitter.
	BackoffInit, BackoffMax time.Duration
	// ScanFrequency is the rescan period of directories whose changes the kernel reports (a safety net, not the latency).
	ScanFrequency time.Duration

	// Flow is the topic where the agent says of itself every 10 s how it does (Report). Empty: nowhere.
	Flow string
	// TakeOver is a Filebeat whose places are taken over when the agent has none of its own.
	TakeOver TakeOver

	// Finite ends Run when all inputs have ended, as stdin does, and everything is acknowledged. Files never end.
	Finite bool

	timing timing
}

// Producer is the half of a queue.Queue that an agent uses.
type Producer interface {
	// Produce returns when recs are durable, in the words of queue.Queue. It is called from one goroutine per lane at a time.
	Produce(ctx context.Context, recs []queue.Record) error
}

// Input is a set of files and what is done with their lines.
type Input struct {
	// ID names the input in the registry's and the status' answers; it may be empty. Changing it repeats nothing.
	ID string
	// Type is filestream, log or container, or the name of an input that listens. It is input.type in records; container decodes
	// Docker's and CRI's lines first.
	Type string
	// Listen makes this an input that is no files; what follows about files and lines says nothing then.
	Listen input.Config
	// Paths are globs: *, ?, [class] within one path element; one ** element stands for up to 8 levels. Required.
	Paths []string
	// ExcludeFiles and IncludeFiles are regular expressions on whole paths; a file must match an IncludeFiles, when there are any.
	ExcludeFiles, IncludeFiles []string
	// Symlinks follows symbolic links to files (default for container). Links to a directory within the path are always followed.
	Symlinks bool
	// RecursiveGlob expands ** (default true).
	RecursiveGlob bool
	// Encoding is the files' encoding: plain (bytes as they are), utf-8, euc-kr, cp949, utf-16le-bom, windows-1252 ...
	Encoding string
	// LineTerminator is auto (LF, a CR before it is stripped), line_feed, carriage_return_line_feed, carriage_return, vertical_tab,
	// form_feed, next_line, line_separator, paragraph_separator or null_terminator.
	LineTerminator string
	// Parsers run in order over the lines.
	Parsers []Parser
	// IncludeLines and ExcludeLines are regular expressions on messages, after the parsers. Dropped bytes are counted by rule.
	IncludeLines, ExcludeLines []string
	// MessageMaxBytes is how much of a message is kept; log.cut tells size and SHA-256 of a longer line. 10 MiB for filebeat.yml,
	// 1 MiB for weir.yml.
	MessageMaxBytes int64
	// Fields, FieldsUnderRoot, Tags, Processors: as in Config, for this input.
	Fields          map[string]any
	FieldsUnderRoot bool
	Tags            []string
	Processors      []processor.Config
	// KeepNull keeps fields whose value is null (default: they are removed from what ndjson and processors made).
	KeepNull bool
	// Pipeline and Index become @metadata.pipeline and @metadata.raw_index.
	Pipeline, Index string
	// ServiceType becomes service.type.
	ServiceType string
	// SeekToTail starts files that are already there at the very first start at their end (tail_files). Files that appear later
	// start at byte 0.
	SeekToTail bool
	// IgnoreOlder leaves alone files not written within this time before the agent first saw them. 0: none.
	IgnoreOlder time.Duration
	// CheckInterval is the rescan period where the kernel reports no changes (network file systems, other systems than Linux).
	CheckInterval time.Duration
	// CloseInactive closes the descriptor of a file without new lines for this long. The place is kept.
	CloseInactive time.Duration
	// CloseRenamed and CloseRemoved end a renamed or removed file when it is read to its end, without waiting for late lines.
	CloseRenamed, CloseRemoved bool
	// CloseEOF closes the descriptor of a file as soon as it is read to its end. It is opened again when it grows.
	CloseEOF bool
	// CleanRemoved forgets a removed file (default true). Off: its place is kept for CleanInactive.
	CleanRemoved bool
	// CleanInactive forgets the place of a file that is gone for this long; files that exist are never forgotten. 0: 7 days.
	CleanInactive time.Duration
	// HarvesterLimit is how many files of this input are read at the same time, oldest first. 0: all.
	HarvesterLimit int
	// FileIdentity is auto: place, head and tail of a file together. Nothing else is supported.
	FileIdentity string
	// Compression is none (a compressed file only finishes the file it was made of), auto or gzip (any compressed file is a source of its own).
	Compression string
	// Stream of container input: all, stdout or stderr.
	Stream string
	// Format of container input: auto, docker or cri.
	Format string
	// Syslog is the parser syslog, behind all others; nil without one.
	Syslog *SyslogParser
	// JSON is the json.* group of a log input; nil without one.
	JSON *NDJSON
	// Place is where the input stands in its file ("filebeat.yml:12"), for messages.
	Place string
}

// Parser is one step over lines. Exactly one of the pointers is set.
type Parser struct {
	Multiline      *Multiline
	NDJSON         *NDJSON
	Container      *Container
	IncludeMessage *IncludeMessage
}

// Multiline joins lines to one message.
type Multiline struct {
	// Type is pattern, count or while_pattern.
	Type string
	// Pattern is the regular expression of pattern and while_pattern; Negate inverts it.
	Pattern string
	Negate  bool
	// Match is after (a line that matches hangs on the ones before) or before (it precedes the ones after).
	Match string
	// FlushPattern ends a message with the line that matches it.
	FlushPattern string
	// CountLines is the number of lines of a message of type count.
	CountLines int
	// MaxLines is how many lines of a message are kept.
	MaxLines int
	// Timeout ends a message when no line came for this long. 0 never does.
	Timeout time.Duration
	// SkipNewline joins without a newline between.
	SkipNewline bool
}

// NDJSON decodes a line that is a JSON object.
type NDJSON struct {
	// Target is the field the object goes to; empty is the root.
	Target string
	// OverwriteKeys lets the object's keys win over existing ones.
	OverwriteKeys bool
	// ExpandKeys turns a.b into nested objects.
	ExpandKeys bool
	// AddErrorKey adds error.message and error.type when decoding failed.
	AddErrorKey bool
	// MessageKey names the key whose value is the text that multiline and line filters see.
	MessageKey string
	// DocumentID names the key whose value becomes @metadata._id and is removed.
	DocumentID string
	// IgnoreDecodingError silences failures.
	IgnoreDecodingError bool
}

// SyslogParser takes messages of RFC 3164 and 5424 apart: log.syslog, @timestamp, and the text alone as message.
type SyslogParser struct {
	// Format is auto, rfc3164 or rfc5424.
	Format string
	// Timezone is that of times without one: Local, a name, or an offset as +09:00.
	Timezone string
	// AddErrorKey adds error.message to messages that are no syslog. They are shipped as they are.
	AddErrorKey bool
}

// Container decodes the lines of container runtimes: Stream all, stdout or stderr; Format auto, docker or cri.
type Container struct {
	Stream, Format string
}

// IncludeMessage keeps lines that match one of the regular expressions.
type IncludeMessage struct {
	Patterns []string
}

// Default bounds and pauses.
const (
	DefaultMemory          = 32 << 20
	DefaultMessageMaxBytes = 10 << 20
	DefaultTopic           = "logs"
)

// DefaultConfig is a configuration without Dir, Queue and Inputs.
func DefaultConfig() Config {
	return Config{
		Topic:           DefaultTopic,
		Version:         "weir",
		Compat:          9,
		Memory:          DefaultMemory,
		RegistryFlush:   time.Second,
		ShutdownTimeout: 30 * time.Second,
		BackoffInit:     100 * time.Millisecond,
		BackoffMax:      30 * time.Second,
		ScanFrequency:   time.Minute,
		timing:          defaultTiming(),
	}
}

// DefaultInput is an input of a type without paths.
func DefaultInput(typ string) Input {
	return Input{
		Type:            typ,
		RecursiveGlob:   true,
		Symlinks:        typ == "container",
		Encoding:        "plain",
		LineTerminator:  "auto",
		MessageMaxBytes: DefaultMessageMaxBytes,
		CheckInterval:   10 * time.Second,
		CloseInactive:   5 * time.Minute,
		CleanRemoved:    true,
		FileIdentity:    "auto",
		Compression:     "none",
		Stream:          "all",
		Format:          "auto",
	}
}

// DefaultMultiline is a multiline parser of type pattern without a pattern.
func DefaultMultiline() Multiline {
	return Multiline{Type: "pattern", Match: "after", MaxLines: 500, Timeout: 5 * time.Second}
}

// Validate returns everything that is wrong with c.
func (c *Config) Validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.Dir == "" {
		bad("agent: data folder is empty")
	}
	if c.Queue == nil {
		bad("agent: no queue")
	}
	if c.Compat != 7 && c.Compat != 8 && c.Compat != 9 {
		bad("agent.compat: %d is not 7, 8 or 9", c.Compat)
	}
	if c.Memory < minMemory {
		bad("agent.memory: %d is below %d bytes", c.Memory, minMemory)
	}
	if c.RegistryFlush < 0 || c.ShutdownTimeout < 0 || c.BackoffInit <= 0 || c.BackoffMax < c.BackoffInit || c.ScanFrequency <= 0 {
		bad("agent: a time is negative, or backoff.max is below backoff.init")
	}
	if len(c.Inputs) == 0 {
		bad("agent: no inputs")
	}
	stdin := false
	for i := range c.Inputs {
		in := &c.Inputs[i]
		faults := in.validate()
		if _, ok := in.Listen.(*Stdin); ok && stdin {
			bad("%s: a second input reads stdin", inputPlace(in, i))
		} else if ok {
			stdin = true
		}
		_, more := compileInput(c, in, i, &identity{compat: c.Compat})
		for _, err := range append(faults, more...) {
			bad("%s: %w", inputPlace(in, i), err)
		}
	}
	return errs
}

// inputPlace names an input for messages.
func inputPlace(in *Input, index int) string {
	if in.Place != "" {
		return in.Place
	}
	return fmt.Sprintf("input %d", index+1)
}
