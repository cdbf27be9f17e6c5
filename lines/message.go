package lines

import (
	"time"
	"unicode/utf8"
)

// Span is the half-open range [From, To) of the bytes of one file, terminators included. Ref names the file.
type Span struct {
	Ref      uint32
	From, To int64
}

// Len is the number of bytes.
func (s Span) Len() int64 { return s.To - s.From }

// Stream is the output stream a container's line was written to.
type Stream uint8

const (
	NoStream Stream = iota
	Stdout
	Stderr
	streams // their number
)

// String is the value of the field "stream".
func (s Stream) String() string { return [...]string{"", "stdout", "stderr"}[s] }

// Flags say what was done to a message.
type Flags uint8

const (
	Truncated    Flags = 1 << iota // text was left out: too long, or too many lines
	Joined                         // made of two lines or more
	Partial                        // the container runtime's last part did not come
	Unterminated                   // the file ended without a line end
	BadEncoding                    // bytes that mean nothing in the encoding became U+FFFD
	Nul                            // a run of NUL bytes before the text was left out
	Split                          // one of several records of a message that is too large for the queue
)

// names of log.flags, in the order they are written.
var flagNames = [...]struct {
	flag Flags
	name string
}{
	{Truncated, "truncated"}, {Joined, "multiline"}, {Partial, "partial"}, {Unterminated, "unterminated"},
	{BadEncoding, "encoding"}, {Nul, "nul"}, {Split, "split"},
}

// AppendNames appends the names in log.flags to list.
func (f Flags) AppendNames(list []string) []string {
	for _, n := range flagNames {
		if f&n.flag != 0 {
			list = append(list, n.name)
		}
	}
	return list
}

// Cut tells of a line that was longer than what is kept of it.
type Cut struct {
	Bytes  int64 // of the whole line, without terminator
	SHA256 [32]byte
}

// Message is one line, or several joined. Text, Merged and the maps are valid during the call that hands it over.
type Message struct {
	Text   []byte
	Offset int64     // of the first byte of the first line
	Span   Span      // the record's range: the last touching run of the bytes it is made of
	Merged []Span    // earlier bytes it is made of, apart from Span because other streams' lines lie between
	Read   time.Time // when its first line was read
	At     time.Time // the time a container runtime wrote; zero: none
	Stream Stream
	Flags  Flags
	Cut    *Cut           // nil: complete
	JSON   map[string]any // the object ndjson decoded; nil: none
	Codec  *NDJSON        // how to put JSON into the event; nil when ndjson did not run
	Fault  string         // why ndjson could not decode it; empty: it could
	Fields map[string]any // nested fields that parsers added; nil: none
}

// CutText is the longest prefix of text of at most limit bytes that does not end within a character.
func CutText(text []byte, limit int) []byte {
	if len(text) <= limit {
		return text
	}
	n := limit
	for n > 0 && n > limit-utf8.UTFMax && !utf8.RuneStart(text[n]) {
		n--
	}
	if !utf8.RuneStart(text[n]) {
		n = limit // not UTF-8
	}
	return text[:n]
}
