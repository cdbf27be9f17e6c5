package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/weirlog/weir/vfs"
)

// Sizes and marks of the file.
const (
	headerLen  = 64
	footerLen  = 64
	tocLen     = 32
	pageLen    = 64 << 10
	major      = 1
	minor      = 0
	maxRows    = 1 << 26
	maxFields  = 1 << 16
	noField    = 0xFFFF
	maxSection = 1 << 40
)

var (
	headerMark = [8]byte{'W', 'E', 'I', 'R', 'S', 'E', 'G', '1'}
	footerMark = [4]byte{'1', 'G', 'S', 'W'}
	crcTable   = crc32.MakeTable(crc32.Castagnoli)
)

// ErrDamaged is wrapped by every error about bytes that cannot be right.
var ErrDamaged = errors.New("segment is damaged")

// Header is what the first 64 bytes say.
type Header struct {
	Index   [16]byte // uuid of the index
	ID      uint64   // rising in a store
	Rows    int
	Level   int   // 0 sealed, 1 small merge, 2 cold merge
	Created int64 // unix ms
}

func appendHeader(b []byte, h *Header) []byte {
	at := len(b)
	b = append(b, headerMark[:]...)
	b = binary.LittleEndian.AppendUint16(b, major)
	b = binary.LittleEndian.AppendUint16(b, minor)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = append(b, h.Index[:]...)
	b = binary.LittleEndian.AppendUint64(b, h.ID)
	b = binary.LittleEndian.AppendUint32(b, uint32(h.Rows))
	b = binary.LittleEndian.AppendUint32(b, uint32(h.Level))
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Created))
	b = binary.LittleEndian.AppendUint32(b, 1)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[at:at+60], crcTable))
}

func parseHeader(b []byte) (h Header, err error) {
	if len(b) < headerLen || [8]byte(b) != headerMark {
		return h, fmt.Errorf("%w: it is no segment", ErrDamaged)
	}
	if crc32.Checksum(b[:60], crcTable) != binary.LittleEndian.Uint32(b[60:]) {
		return h, fmt.Errorf("%w: checksum of the header", ErrDamaged)
	}
	if m := binary.LittleEndian.Uint16(b[8:]); m != major {
		return h, fmt.Errorf("segment has major format %d, this program reads %d", m, major)
	}
	copy(h.Index[:], b[16:])
	h.ID = binary.LittleEndian.Uint64(b[32:])
	h.Rows = int(binary.LittleEndian.Uint32(b[40:]))
	h.Level = int(binary.LittleEndian.Uint32(b[44:]))
	h.Created = int64(binary.LittleEndian.Uint64(b[48:]))
	if h.Rows > maxRows {
		return h, fmt.Errorf("%w: %d rows", ErrDamaged, h.Rows)
	}
	return h, nil
}

// tocEntry is one section.
type tocEntry struct {
	kind   uint16
	field  uint16
	codec  uint16
	offset uint64
	length uint64
	count  uint32
}

func (e *tocEntry) append(b []byte) []byte {
	b = binary.LittleEndian.AppendUint16(b, e.kind)
	b = binary.LittleEndian.AppendUint16(b, e.field)
	b = binary.LittleEndian.AppendUint16(b, e.codec)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint64(b, e.offset)
	b = binary.LittleEndian.AppendUint64(b, e.length)
	b = binary.LittleEndian.AppendUint32(b, e.count)
	return binary.LittleEndian.AppendUint32(b, 0)
}

func parseTOC(b []byte, limit uint64) ([]tocEntry, error) {
	var out []tocEntry
	for ; len(b) >= tocLen; b = b[tocLen:] {
		e := tocEntry{kind: binary.LittleEndian.Uint16(b), field: binary.LittleEndian.Uint16(b[2:]), codec: binary.LittleEndian.Uint16(b[4:]),
			offset: binary.LittleEndian.Uint64(b[8:]), length: binary.LittleEndian.Uint64(b[16:]), count: binary.LittleEndian.Uint32(b[24:])}
		if e.offset > limit || e.length > limit-e.offset {
			return nil, fmt.Errorf("%w: a section lies outside the file", ErrDamaged)
		}
		out = append(out, e)
	}
	return out, nil
}

// output writes a file front to back and keeps the checksum of each page.
type output struct {
	f    vfs.File
	buf  []byte
	off  int64
	page uint32 // crc of the page under way
	fill int    // its bytes
	sums []uint32
	err  error
}

const outputBuffer = 1 << 20

func (o *output) write(b []byte) {
	if o.err != nil {
		return
	}
	o.off += int64(len(b))
	for rest := b; len(rest) > 0; {
		n := min(len(rest), pageLen-o.fill)
		o.page = crc32.Update(o.page, crcTable, rest[:n])
		if o.fill += n; o.fill == pageLen {
			o.sums = append(o.sums, o.page)
			o.page, o.fill = 0, 0
		}
		rest = rest[n:]
	}
	o.buf = append(o.buf, b...)
	if len(o.buf) >= outputBuffer {
		o.flush()
	}
}

func (o *output) flush() {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.f.Write(o.buf)
		o.buf = o.buf[:0]
	}
}

// align pads to a multiple of 8.
func (o *output) align() {
	var zero [8]byte
	if n := o.off % 8; n != 0 {
		o.write(zero[n:])
	}
}

// closeSums ends the last page.
func (o *output) closeSums() {
	if o.fill > 0 {
		o.sums = append(o.sums, o.page)
		o.page, o.fill = 0, 0
	}
}
