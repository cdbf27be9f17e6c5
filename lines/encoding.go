package lines

import (
	"bytes"
	"fmt"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// Encoding is how a file's bytes mean characters. It is immutable.
type Encoding struct {
	Name  string
	enc   encoding.Encoding // nil: the bytes are taken as they are (UTF-8)
	width int               // bytes of a code unit: 1, or 2 for UTF-16
	boms  bool              // a byte order mark at byte 0 decides the order
}

// named are the labels beside WHATWG's: those of Filebeat, and the usual names of code page 949.
var named = map[string]encoding.Encoding{
	"gbk":                simplifiedchinese.GBK,
	"hz-gb-2312":         simplifiedchinese.HZGB2312,
	"cp949":              korean.EUCKR,
	"uhc":                korean.EUCKR,
	"ms949":              korean.EUCKR,
	"iso8859-1":          charmap.ISO8859_1,
	"iso8859-2":          charmap.ISO8859_2,
	"iso8859-3":          charmap.ISO8859_3,
	"iso8859-4":          charmap.ISO8859_4,
	"iso8859-5":          charmap.ISO8859_5,
	"iso8859-6":          charmap.ISO8859_6,
	"iso8859-6e":         charmap.ISO8859_6E,
	"iso8859-6i":         charmap.ISO8859_6I,
	"iso8859-7":          charmap.ISO8859_7,
	"iso8859-8":          charmap.ISO8859_8,
	"iso8859-8e":         charmap.ISO8859_8E,
	"iso8859-8i":         charmap.ISO8859_8I,
	"iso8859-9":          charmap.ISO8859_9,
	"iso8859-10":         charmap.ISO8859_10,
	"iso8859-13":         charmap.ISO8859_13,
	"iso8859-14":         charmap.ISO8859_14,
	"iso8859-15":         charmap.ISO8859_15,
	"iso8859-16":         charmap.ISO8859_16,
	"cp437":              charmap.CodePage437,
	"cp850":              charmap.CodePage850,
	"cp852":              charmap.CodePage852,
	"cp855":              charmap.CodePage855,
	"cp858":              charmap.CodePage858,
	"cp860":              charmap.CodePage860,
	"cp862":              charmap.CodePage862,
	"cp863":              charmap.CodePage863,
	"cp865":              charmap.CodePage865,
	"cp866":              charmap.CodePage866,
	"ebcdic-037":         charmap.CodePage037,
	"ebcdic-1040":        charmap.CodePage1140,
	"ebcdic-1047":        charmap.CodePage1047,
	"koi8r":              charmap.KOI8R,
	"koi8u":              charmap.KOI8U,
	"macintosh":          charmap.Macintosh,
	"macintosh-cyrillic": charmap.MacintoshCyrillic,
	"windows874":         charmap.Windows874,
	"windows1250":        charmap.Windows1250,
	"windows1251":        charmap.Windows1251,
	"windows1252":        charmap.Windows1252,
	"windows1253":        charmap.Windows1253,
	"windows1254":        charmap.Windows1254,
	"windows1255":        charmap.Windows1255,
	"windows1256":        charmap.Windows1256,
	"windows1257":        charmap.Windows1257,
	"windows1258":        charmap.Windows1258,
}

func utf16(order unicode.Endianness) encoding.Encoding {
	return unicode.UTF16(order, unicode.IgnoreBOM)
}

// FindEncoding is the encoding of a name: Filebeat's names, cp949, uhc and ms949, then every WHATWG label. "" is plain.
func FindEncoding(name string) (*Encoding, error) {
	label := strings.ToLower(strings.TrimSpace(name))
	switch label {
	case "", "plain", "nop", "utf-8", "utf8":
		return &Encoding{Name: name, width: 1}, nil
	case "utf-16-bom", "utf-16be-bom":
		return &Encoding{Name: name, enc: utf16(unicode.BigEndian), width: 2, boms: true}, nil
	case "utf-16le-bom":
		return &Encoding{Name: name, enc: utf16(unicode.LittleEndian), width: 2, boms: true}, nil
	case "utf-16be":
		return &Encoding{Name: name, enc: utf16(unicode.BigEndian), width: 2}, nil
	case "utf-16le", "utf-16":
		return &Encoding{Name: name, enc: utf16(unicode.LittleEndian), width: 2}, nil
	}
	if enc, ok := named[label]; ok {
		return &Encoding{Name: name, enc: enc, width: 1}, nil
	}
	enc, err := htmlindex.Get(label)
	if err != nil || enc == encoding.Replacement {
		return nil, fmt.Errorf("encoding: %q is unknown", name)
	}
	if enc == unicode.UTF8 {
		return &Encoding{Name: name, width: 1}, nil
	}
	return &Encoding{Name: name, enc: enc, width: 1}, nil
}

// Byte order marks.
const (
	bomUTF8 = "\xef\xbb\xbf"
	bomBE   = "\xfe\xff"
	bomLE   = "\xff\xfe"
)

// Resolve is the encoding of a file whose first bytes are head: for the names that look at a byte order mark, the order it says.
func (e *Encoding) Resolve(head []byte) *Encoding {
	if !e.boms {
		return e
	}
	switch {
	case bytes.HasPrefix(head, []byte(bomBE)):
		return &Encoding{Name: e.Name, enc: utf16(unicode.BigEndian), width: 2}
	case bytes.HasPrefix(head, []byte(bomLE)):
		return &Encoding{Name: e.Name, enc: utf16(unicode.LittleEndian), width: 2}
	}
	return &Encoding{Name: e.Name, enc: e.enc, width: 2}
}

// Marked reports whether Resolve looks at the file's first bytes: at least two are needed then.
func (e *Encoding) Marked() bool { return e.boms }

// Mark is the length of the byte order mark at the beginning of a file, which belongs to no line.
func (e *Encoding) Mark(head []byte) int {
	switch {
	case e.width == 1 && e.enc == nil && bytes.HasPrefix(head, []byte(bomUTF8)):
		return len(bomUTF8)
	case e.width == 2 && (bytes.HasPrefix(head, []byte(bomBE)) || bytes.HasPrefix(head, []byte(bomLE))):
		return 2
	}
	return 0
}

// Plain reports whether bytes are text as they are.
func (e *Encoding) Plain() bool { return e.enc == nil }

// Width is the number of bytes of a code unit.
func (e *Encoding) Width() int { return e.width }

func (e *Encoding) encode(text string) ([]byte, error) {
	if e.enc == nil {
		return []byte(text), nil
	}
	return e.enc.NewEncoder().Bytes([]byte(text))
}

// Decoder makes UTF-8 of lines. It is not safe for concurrent use; nil decodes nothing.
type Decoder struct {
	t   transform.Transformer
	buf []byte
}

// NewDecoder is a decoder of e, nil when the bytes are text as they are.
func (e *Encoding) NewDecoder() *Decoder {
	if e.enc == nil {
		return nil
	}
	return &Decoder{t: e.enc.NewDecoder().Transformer}
}

// Decode is line in UTF-8, valid until the next call. bad says that bytes which mean nothing became U+FFFD.
func (d *Decoder) Decode(line []byte) (text []byte, bad bool) {
	if d == nil {
		return line, false
	}
	if need := len(line)*3 + 16; cap(d.buf) < need {
		d.buf = make([]byte, need)
	}
	d.t.Reset()
	d.buf = d.buf[:cap(d.buf)]
	out, in := 0, 0
	for {
		n, m, err := d.t.Transform(d.buf[out:], line[in:], true)
		out, in = out+n, in+m
		if err == transform.ErrShortDst {
			d.buf = append(d.buf, make([]byte, len(d.buf))...)
			continue
		}
		if err != nil && in < len(line) { // a decoder that refuses bytes: one replacement for the rest
			out += copy(d.buf[out:], "\uFFFD")
		}
		break
	}
	text = d.buf[:out]
	return text, bytes.Contains(text, []byte("\uFFFD"))
}
