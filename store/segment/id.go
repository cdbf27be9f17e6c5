package segment

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// AutoIDLen is the length of an id the store gave.
const AutoIDLen = 20

// AutoID is the _id of the document with a sequence number in an index, when nobody chose one. It is never stored:
//
//	bytes 0-7    seq scrambled by a bijection keyed by the uuid
//	bytes 8-11   first bytes of the uuid
//	bytes 12-14  check: xxh3 of the rest and the uuid
//
// in base64url.
func AutoID(uuid [16]byte, seq int64) string {
	var b [15]byte
	binary.BigEndian.PutUint64(b[:], scramble(uint64(seq), key(uuid)))
	copy(b[8:], uuid[:4])
	check(b[12:], b[:12], uuid)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// ParseAutoID is the sequence number of an AutoID of the index; ok is false for ids that are none.
func ParseAutoID(uuid [16]byte, id string) (seq int64, ok bool) {
	var b [15]byte
	if len(id) != AutoIDLen {
		return 0, false
	}
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(id)); err != nil || n != len(b) || [4]byte(b[8:12]) != [4]byte(uuid[:4]) {
		return 0, false
	}
	var c [3]byte
	if check(c[:], b[:12], uuid); [3]byte(b[12:]) != c {
		return 0, false
	}
	s := int64(unscramble(binary.BigEndian.Uint64(b[:]), key(uuid)))
	return s, s >= 0
}

func key(uuid [16]byte) uint64 { return xxh3.Hash(uuid[:]) }

func check(dst, b []byte, uuid [16]byte) {
	var full [8]byte
	binary.BigEndian.PutUint64(full[:], xxh3.HashSeed(b, key(uuid)))
	copy(dst[:3], full[:])
}

const (
	mul1, inv1 = 0x9E3779B97F4A7C15, 0xF1DE83E19937733D
	mul2, inv2 = 0xBF58476D1CE4E5B9, 0x96DE1B173F119089
)

func scramble(x, k uint64) uint64 {
	x = (x ^ k) * mul1
	x ^= x >> 32
	return x * mul2
}

func unscramble(x, k uint64) uint64 {
	x *= inv2
	x ^= x >> 32
	return x*inv1 ^ k
}
