package elastic

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/bulk"
)

// idLen is the length of the ids made here, in characters.
const idLen = 24

// appendID appends the id of the document with origin o: base64url of 18 bytes,
//
//	0-5    the first 48 bits of the source: its first sight in Unix ms, so that neighbours in time are neighbours in the index
//	6-17   the first 96 bits of xxh3-128 over source, first byte (8, big-endian) and k (2)
//
// It depends on nothing else: a line that is read again after a crash gets the same id.
func appendID(dst []byte, o bulk.Origin) []byte {
	var key [26]byte
	copy(key[:], o.Range.Source[:])
	binary.BigEndian.PutUint64(key[16:], uint64(o.Range.From))
	binary.BigEndian.PutUint16(key[24:], o.K)
	sum := xxh3.Hash128(key[:]).Bytes()
	var id [18]byte
	copy(id[:6], o.Range.Source[:6])
	copy(id[6:], sum[:12])
	return base64.RawURLEncoding.AppendEncode(dst, id[:])
}
