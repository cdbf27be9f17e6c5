package store

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/klauspost/compress/s2"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Payloads of the journal. Integers are little-endian; uv is an unsigned varint.
//
//	0      1    kind: 1 batch, 2 metadata command
//	1      1    flags: 1 the sources are s2
//	2      2    payload version, 1
//	4      8    unix ms of the write
//
// behind that, kind 2: the command as JSON. Kind 1:
//
//	uv length, group (empty: not a pipeline's)
//	uv count of positions: uv length, topic, 16 topic id, uv partition, uv next offset
//	uv count of sources: 16 source id
//	uv count of indices: 16 uuid
//	uv count of operations: see recordOp
//	uv count of settled ranges: uv source, uv from, uv length, 1 fate, uv length, rule
//	uv count of unfinished ranges: uv source, uv from, uv length, uv count, uv k of each document that is in
//	rest: the sources of the operations, one behind the other
const (
	kindBatch   = 1
	kindCommand = 2
	flagS2      = 1
	payloadForm = 1
	headerLen   = 12
)

// opCode is what a recorded operation does.
type opCode uint8

const (
	opPut    opCode = 1 // a document; replaces the one with its id
	opDelete opCode = 3
	opSkip   opCode = 4 // refused, or a repeat: its source is stepped over
)

// recordOp is one operation of a batch:
//
//	1 code; uv index; uv sequence number less the one before of that index; uv version; uv length of the id + 1 (0: automatic), id;
//	uv length, routing; uv length of the source; uv origin source + 1 (0: none), and then uv from, uv length, uv k, uv n
//
// opSkip has only the length of the source.
type recordOp struct {
	code    opCode
	index   int
	seq     int64
	version int64
	id      []byte // nil: automatic
	routing []byte
	size    int
	origin  originOf
	source  []byte // decoding only
}

// originOf is where a document came from.
type originOf struct {
	r    ledger.Range
	k, n uint16
}

// record is a batch as the journal has it.
type record struct {
	time      int64
	group     string
	positions []queue.Position
	indices   [][16]byte
	ops       []recordOp
	settled   []settledRange
	partial   []partialRange
}

type settledRange struct {
	r    ledger.Range
	fate ledger.Fate
	rule string
}

// partialRange is a range some of whose documents are in and others were refused and are not settled yet.
type partialRange struct {
	r  ledger.Range
	ks []uint16
}

func appendHeader(b []byte, kind, flags byte, ms int64) []byte {
	b = append(b, kind, flags, payloadForm, 0)
	return binary.LittleEndian.AppendUint64(b, uint64(ms))
}

func appendText[T string | []byte](b []byte, s T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// appendRecord encodes r in front of body, which is compressed when flags say so.
func appendRecord(b []byte, r *record, flags byte, body []byte) []byte {
	b = appendHeader(b, kindBatch, flags, r.time)
	b = appendText(b, r.group)
	b = binary.AppendUvarint(b, uint64(len(r.positions)))
	for _, p := range r.positions {
		b = appendPosition(b, p)
	}
	srcs := sourceTable{}
	for i := range r.ops {
		srcs.note(r.ops[i].origin.r.Source)
	}
	for i := range r.settled {
		srcs.note(r.settled[i].r.Source)
	}
	for i := range r.partial {
		srcs.note(r.partial[i].r.Source)
	}
	b = binary.AppendUvarint(b, uint64(len(srcs.list)))
	for _, s := range srcs.list {
		b = append(b, s[:]...)
	}
	b = binary.AppendUvarint(b, uint64(len(r.indices)))
	for _, u := range r.indices {
		b = append(b, u[:]...)
	}
	b = appendOps(b, r, &srcs)
	b = binary.AppendUvarint(b, uint64(len(r.settled)))
	for _, s := range r.settled {
		b = append(appendRange(b, s.r, &srcs), byte(s.fate))
		b = appendText(b, s.rule)
	}
	b = binary.AppendUvarint(b, uint64(len(r.partial)))
	for _, p := range r.partial {
		b = binary.AppendUvarint(appendRange(b, p.r, &srcs), uint64(len(p.ks)))
		for _, k := range p.ks {
			b = binary.AppendUvarint(b, uint64(k))
		}
	}
	return append(b, body...)
}

func appendPosition(b []byte, p queue.Position) []byte {
	b = append(appendText(b, p.Topic), p.TopicID[:]...)
	b = binary.AppendUvarint(b, uint64(p.Partition))
	return binary.AppendUvarint(b, uint64(p.Offset))
}

func appendRange(b []byte, r ledger.Range, t *sourceTable) []byte {
	b = binary.AppendUvarint(b, uint64(t.at[r.Source]))
	b = binary.AppendUvarint(b, uint64(r.From))
	return binary.AppendUvarint(b, uint64(r.Len()))
}

func appendOps(b []byte, r *record, srcs *sourceTable) []byte {
	b = binary.AppendUvarint(b, uint64(len(r.ops)))
	last := make([]int64, len(r.indices))
	for i := range r.ops {
		op := &r.ops[i]
		b = append(b, byte(op.code))
		if op.code == opSkip {
			b = binary.AppendUvarint(b, uint64(op.size))
			continue
		}
		b = binary.AppendUvarint(b, uint64(op.index))
		b = binary.AppendUvarint(b, uint64(op.seq-last[op.index]))
		last[op.index] = op.seq
		b = binary.AppendUvarint(b, uint64(op.version))
		if op.id == nil {
			b = append(b, 0)
		} else {
			b = append(binary.AppendUvarint(b, uint64(len(op.id)+1)), op.id...)
		}
		b = appendText(b, op.routing)
		b = binary.AppendUvarint(b, uint64(op.size))
		if op.origin.r.Source.IsZero() {
			b = append(b, 0)
			continue
		}
		b = binary.AppendUvarint(b, uint64(srcs.at[op.origin.r.Source]+1))
		b = binary.AppendUvarint(b, uint64(op.origin.r.From))
		b = binary.AppendUvarint(b, uint64(op.origin.r.Len()))
		b = binary.AppendUvarint(b, uint64(op.origin.k))
		b = binary.AppendUvarint(b, uint64(op.origin.n))
	}
	return b
}

// sourceTable numbers the sources of a record.
type sourceTable struct {
	list []ledger.Source
	at   map[ledger.Source]int
}

func (t *sourceTable) note(s ledger.Source) {
	if s.IsZero() || len(t.list) > 0 && t.list[len(t.list)-1] == s {
		return
	}
	if t.at == nil {
		t.at = map[ledger.Source]int{}
	}
	if _, ok := t.at[s]; !ok {
		t.at[s] = len(t.list)
		t.list = append(t.list, s)
	}
}

// errPayload is wrapped by every refusal of a payload.
var errPayload = errors.New("malformed payload")

// maxBody bounds the sources of one record.
const maxBody = 512 << 20

// payloadReader walks a payload; the first fault sticks.
type payloadReader struct {
	b   []byte
	bad bool
}

func (r *payloadReader) uv() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 || v > 1<<62 {
		r.bad = true
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *payloadReader) take(n uint64) []byte {
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		r.b = nil
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

func (r *payloadReader) text() string { return string(r.take(r.uv())) }

func (r *payloadReader) byte() byte {
	b := r.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// count reads a number of things that take at least min bytes each.
func (r *payloadReader) count(min int) int {
	n := r.uv()
	if n > uint64(len(r.b)/min) {
		r.bad = true
		return 0
	}
	return int(n)
}

func (r *payloadReader) id16() (id [16]byte) {
	copy(id[:], r.take(16))
	return id
}

// parsePayload takes a payload apart: kind, and for commands the command, for batches the record.
func parsePayload(p []byte) (*record, *command, error) {
	if len(p) < headerLen || p[2] != payloadForm || p[3] != 0 {
		return nil, nil, fmt.Errorf("%w: unknown form", errPayload)
	}
	ms := int64(binary.LittleEndian.Uint64(p[4:]))
	switch p[0] {
	case kindCommand:
		var c command
		if err := json.Unmarshal(p[headerLen:], &c); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errPayload, err)
		}
		return nil, &c, nil
	case kindBatch:
		r, err := parseRecord(p[headerLen:], p[1]&flagS2 != 0)
		if err != nil {
			return nil, nil, err
		}
		r.time = ms
		return r, nil, nil
	}
	return nil, nil, fmt.Errorf("%w: kind %d", errPayload, p[0])
}

func parseRecord(b []byte, packed bool) (*record, error) {
	r := &payloadReader{b: b}
	rec := &record{group: r.text()}
	for range r.count(19) {
		p := queue.Position{Topic: r.text(), TopicID: r.id16()}
		p.Partition, p.Offset = int32(r.uv()), int64(r.uv())
		rec.positions = append(rec.positions, p)
	}
	var srcs []ledger.Source
	for range r.count(16) {
		srcs = append(srcs, r.id16())
	}
	for range r.count(16) {
		rec.indices = append(rec.indices, r.id16())
	}
	r.ops(rec, srcs)
	for range r.count(5) {
		rec.settled = append(rec.settled, settledRange{r: r.span(srcs), fate: ledger.Fate(r.byte()), rule: r.text()})
	}
	for range r.count(4) {
		p := partialRange{r: r.span(srcs)}
		for range r.count(1) {
			p.ks = append(p.ks, uint16(r.uv()))
		}
		rec.partial = append(rec.partial, p)
	}
	if r.bad {
		return nil, fmt.Errorf("%w: it ends early or counts wrongly", errPayload)
	}
	return rec, rec.giveSources(r.b, packed)
}

// span reads a range.
func (r *payloadReader) span(srcs []ledger.Source) ledger.Range {
	s := r.uv()
	from, n := int64(r.uv()), int64(r.uv())
	if s >= uint64(len(srcs)) {
		r.bad = true
		return ledger.Range{}
	}
	return ledger.Range{Source: srcs[s], From: from, To: from + n}
}

func (r *payloadReader) ops(rec *record, srcs []ledger.Source) {
	n := r.count(2)
	last := make([]int64, len(rec.indices))
	rec.ops = make([]recordOp, 0, n)
	for range n {
		op := recordOp{code: opCode(r.byte())}
		if op.code == opSkip {
			op.size = int(r.uv())
			rec.ops = append(rec.ops, op)
			continue
		}
		op.index = int(r.uv())
		if op.code != opPut && op.code != opDelete || op.index >= len(last) {
			r.bad = true
			return
		}
		last[op.index] += int64(r.uv())
		op.seq, op.version = last[op.index], int64(r.uv())
		if n := r.uv(); n > 0 {
			op.id = r.take(n - 1)
		}
		op.routing = r.take(r.uv())
		op.size = int(r.uv())
		if s := r.uv(); s > 0 {
			if s > uint64(len(srcs)) {
				r.bad = true
				return
			}
			from, n := int64(r.uv()), int64(r.uv())
			op.origin = originOf{r: ledger.Range{Source: srcs[s-1], From: from, To: from + n}, k: uint16(r.uv()), n: uint16(r.uv())}
		}
		rec.ops = append(rec.ops, op)
	}
}

// giveSources cuts the body into the operations' sources.
func (rec *record) giveSources(body []byte, packed bool) error {
	if packed {
		n, err := s2.DecodedLen(body)
		if err != nil || n > maxBody {
			return fmt.Errorf("%w: body of %d bytes: %v", errPayload, n, err)
		}
		if body, err = s2.Decode(nil, body); err != nil {
			return fmt.Errorf("%w: body: %w", errPayload, err)
		}
	}
	for i := range rec.ops {
		op := &rec.ops[i]
		if op.size < 0 || op.size > len(body) {
			return fmt.Errorf("%w: body ends early", errPayload)
		}
		op.source, body = body[:op.size:op.size], body[op.size:]
	}
	if len(body) > 0 {
		return fmt.Errorf("%w: %d bytes too many", errPayload, len(body))
	}
	return nil
}

// appendCommand encodes a metadata command.
func appendCommand(b []byte, c command, ms int64) ([]byte, error) {
	js, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	return append(appendHeader(b, kindCommand, 0, ms), js...), nil
}
