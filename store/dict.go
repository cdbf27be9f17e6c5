package store

import (
	"github.com/zeebo/xxh3"
)

// chunkBytes is the size of an arena's chunks.
const chunkBytes = 1 << 20

// ref names bytes of an arena: 16 bits of chunk, 24 of offset, 24 of length.
type ref uint64

func (r ref) len() int { return int(r & 0xFFFFFF) }

// maxRef is the longest value an arena takes.
const maxRef = 1<<24 - 1

// arena keeps bytes in chunks that never move, so that readers need no lock for what was there when they looked.
type arena struct {
	chunks [][]byte
	bytes  int64
}

// put copies b into the arena.
func (a *arena) put(b []byte) ref {
	last := len(a.chunks) - 1
	if last < 0 || cap(a.chunks[last])-len(a.chunks[last]) < len(b) {
		size := chunkBytes
		if last < 0 {
			size = 16 << 10 // most columns stay small
		} else if last < 4 {
			size = 128 << 10
		}
		a.chunks = append(a.chunks, make([]byte, 0, max(size, len(b))))
		last++
		a.bytes += int64(max(size, len(b)))
	}
	c := a.chunks[last]
	at := len(c)
	a.chunks[last] = append(c, b...)
	return ref(uint64(last)<<48 | uint64(at)<<24 | uint64(len(b)))
}

// bytesOf reads a ref from chunks, the arena's as a reader holds them.
func bytesOf(chunks [][]byte, r ref) []byte {
	at := int(r >> 24 & 0xFFFFFF)
	n := r.len()
	return chunks[r>>48][:at+n][at : at+n : at+n]
}

// dict numbers distinct values in the order they come.
type dict struct {
	arena
	refs  []ref
	table []uint64 // hash in the high half, ordinal + 1 in the low; 0 is free
	mask  uint64
}

// grow makes room for one more value.
func (d *dict) grow() {
	if 4*(len(d.refs)+1) <= 3*len(d.table) {
		return
	}
	size := max(16, 2*len(d.table))
	old := d.table
	d.table, d.mask = make([]uint64, size), uint64(size-1)
	for _, e := range old {
		if e != 0 {
			i := e >> 32 & d.mask
			for d.table[i] != 0 {
				i = (i + 1) & d.mask
			}
			d.table[i] = e
		}
	}
}

// find is the ordinal of a value with its hash.
func (d *dict) find(v []byte, hash uint64) (uint32, bool) {
	if len(d.table) == 0 {
		return 0, false
	}
	tag := hash >> 32
	for i := tag & d.mask; d.table[i] != 0; i = (i + 1) & d.mask {
		if e := d.table[i]; e>>32 == tag {
			ord := uint32(e) - 1
			if r := d.refs[ord]; r.len() == len(v) && string(bytesOf(d.chunks, r)) == string(v) {
				return ord, true
			}
		}
	}
	return 0, false
}

// add is find, or a new ordinal.
func (d *dict) add(v []byte, hash uint64) (ord uint32, fresh bool) {
	if ord, ok := d.find(v, hash); ok {
		return ord, false
	}
	d.grow()
	ord = uint32(len(d.refs))
	d.refs = append(d.refs, d.put(v))
	tag := hash >> 32
	i := tag & d.mask
	for d.table[i] != 0 {
		i = (i + 1) & d.mask
	}
	d.table[i] = tag<<32 | uint64(ord+1)
	return ord, true
}

func (d *dict) value(ord uint32) []byte { return bytesOf(d.chunks, d.refs[ord]) }

// memory is an estimate in bytes.
func (d *dict) memory() int64 { return d.bytes + int64(8*cap(d.refs)+8*len(d.table)) }

func hashOf(b []byte) uint64 { return xxh3.Hash(b) }
