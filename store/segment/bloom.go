package segment

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/zeebo/xxh3"
)

// BLOOM is a split-block filter of 32-byte blocks over (field number, value) of every dictionary and token dictionary, about 10 bits
// each: a value that is nowhere is mostly known without touching a dictionary.

func crcOf(b []byte) uint32 { return crc32.Checksum(b, crcTable) }

type bloomBuilder struct{ hashes []uint64 }

// bloomMinimum: dictionaries below that many values are searched directly.
const bloomMinimum = 64

func bloomHash(field int, v []byte) uint64 { return xxh3.HashSeed(v, uint64(field)+1) }

func (b *bloomBuilder) addAll(field int, values [][]byte) {
	for _, v := range values {
		b.hashes = append(b.hashes, bloomHash(field, v))
	}
}

// salts spread a hash over the eight words of a block.
var salts = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

func (b *bloomBuilder) encode() ([]byte, int) {
	if len(b.hashes) < bloomMinimum {
		return nil, 0
	}
	blocks := (len(b.hashes)*10 + 255) / 256
	out := make([]byte, 32*blocks)
	for _, h := range b.hashes {
		blk := out[32*bloomBlock(h, blocks):]
		for i, s := range salts {
			at := 4 * i
			binary.LittleEndian.PutUint32(blk[at:], le32(blk, at)|1<<(uint32(h)*s>>27))
		}
	}
	return out, len(b.hashes)
}

func bloomBlock(h uint64, blocks int) int { return int((h >> 32) * uint64(blocks) >> 32) }

// mayHave tells whether a value may be among those of the filter.
func mayHave(filter []byte, h uint64) bool {
	blocks := len(filter) / 32
	if blocks == 0 {
		return true
	}
	blk := filter[32*bloomBlock(h, blocks):]
	for i, s := range salts {
		if le32(blk, 4*i)>>(uint32(h)*s>>27)&1 == 0 {
			return false
		}
	}
	return true
}
