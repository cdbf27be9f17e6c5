package lines

import (
	"bytes"
	"fmt"
	"slices"
)

// Terminator finds and strips line ends in the bytes of one encoding.
type Terminator struct {
	seq   []byte // as encoded in the file
	cr    []byte // "auto": an encoded carriage return before seq, stripped too
	width int    // matches count at multiples of it
}

// terminators are the names of line_terminator with their characters.
var terminators = [...]struct {
	name string
	text string
}{
	{"auto", "\n"},
	{"line_feed", "\n"},
	{"carriage_return_line_feed", "\r\n"},
	{"carriage_return", "\r"},
	{"vertical_tab", "\v"},
	{"form_feed", "\f"},
	{"next_line", "\u0085"},
	{"line_separator", "\u2028"},
	{"paragraph_separator", "\u2029"},
	{"null_terminator", "\x00"},
}

// FindTerminator is the terminator of a name ("" is auto) in files of encoding enc.
func FindTerminator(name string, enc *Encoding) (Terminator, error) {
	if name == "" {
		name = "auto"
	}
	for _, t := range terminators {
		if t.name != name {
			continue
		}
		seq, err := enc.encode(t.text)
		if err != nil {
			return Terminator{}, fmt.Errorf("line_terminator %s does not exist in encoding %s: %w", name, enc.Name, err)
		}
		out := Terminator{seq: seq, width: enc.width}
		if name == "auto" {
			out.cr, err = enc.encode("\r")
		}
		return out, err
	}
	return Terminator{}, fmt.Errorf("line_terminator: %q is not one of %s", name, terminatorNames())
}

func terminatorNames() string {
	var b bytes.Buffer
	for i, t := range terminators {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(t.name)
	}
	return b.String()
}

// Next is the length of the first line of buf with its terminator, or -1 when none ends in buf. buf begins at a line's first byte. The
// first scanned bytes are known to hold no complete terminator, so that one more byte at an unfinished line costs one byte.
func (t *Terminator) Next(buf []byte, scanned int) int {
	if len(t.seq) == 1 {
		if i := bytes.IndexByte(buf[scanned:], t.seq[0]); i >= 0 {
			return scanned + i + 1
		}
		return -1
	}
	from := max(scanned-len(t.seq)+1, 0)
	for {
		i := bytes.Index(buf[from:], t.seq)
		if i < 0 {
			return -1
		}
		if at := from + i; at%t.width == 0 {
			return at + len(t.seq)
		}
		from += i + 1
	}
}

// Strip is line without its terminator, and whether it had one.
func (t *Terminator) Strip(line []byte) ([]byte, bool) {
	if len(t.seq) == 1 {
		n := len(line) - 1
		if n < 0 || line[n] != t.seq[0] {
			return line, false
		}
		if n > 0 && len(t.cr) == 1 && line[n-1] == t.cr[0] {
			n--
		}
		return line[:n], true
	}
	out, ok := bytes.CutSuffix(line, t.seq)
	if ok && len(t.cr) > 0 && len(out)%t.width == 0 {
		out = bytes.TrimSuffix(out, t.cr)
	}
	return out, ok
}

// Len is the number of bytes of the terminator; a match can begin at most Len-1 bytes before the place it was not found at.
func (t *Terminator) Len() int { return len(t.seq) }

// Equal reports whether t and o find the same line ends.
func (t *Terminator) Equal(o *Terminator) bool {
	return t.width == o.width && slices.Equal(t.seq, o.seq) && slices.Equal(t.cr, o.cr)
}
