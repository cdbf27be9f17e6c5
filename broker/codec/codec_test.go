package codec

import (
	"bytes"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/pierrec/lz4/v4"

	"github.com/weirlog/weir/journal"
)

func testCodecs() *Codecs { return New(journal.NewPool(journal.PoolConfig{Poison: true})) }

// noise is n bytes that do not get smaller.
func noise(n int) []byte {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// builtOf is a batch as Produce builds it.
func builtOf(value []byte) []byte {
	var b journal.Builder
	b.Reset(nil)
	b.Add(1, nil, value, nil)
	return b.Finish()
}

// TestPack: what is packed is a valid batch, smaller, and opens to the same records, whatever its size.
func TestPack(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		for _, size := range []int{2 << 10, 100_000, packChunk - 68, packChunk - 67, packChunk, packChunk + 1, packChunk + 20, 3*packChunk + 5} {
			in := builtOf(bytes.Repeat([]byte("0123456789abcdef"), size/16+1)[:size])
			s, out := c.Pack(codec, in)
			if s == nil {
				t.Fatalf("codec %d, %d bytes: not packed", codec, size)
			}
			if err := journal.Verify(out); err != nil {
				t.Fatal(err)
			}
			h, err := journal.ParseHeader(out)
			if err != nil || h.Codec() != codec || h.Count != 1 || len(out) > len(in)/8 {
				t.Fatalf("codec %d, %d bytes: packed to %d as %+v, %v", codec, size, len(out), h, err)
			}
			opened, got, err := c.Open(codec, out[journal.HeaderSize:])
			if err != nil || !bytes.Equal(got, in[journal.HeaderSize:]) {
				t.Fatalf("codec %d, %d bytes: opens to %d bytes, %v", codec, size, len(got), err)
			}
			opened.Release()
			if codec == journal.CodecLZ4 {
				got, err := io.ReadAll(lz4.NewReader(bytes.NewReader(out[journal.HeaderSize:])))
				if err != nil || !bytes.Equal(got, in[journal.HeaderSize:]) {
					t.Fatalf("%d bytes: a reader of frames gets %d bytes, %v", size, len(got), err)
				}
			}
			s.Release()
		}
		for _, size := range []int{2 << 10, 100_000, 3 * packChunk} {
			if s, out := c.Pack(codec, builtOf(noise(size))); s != nil {
				t.Errorf("codec %d: noise of %d bytes packed to %d", codec, size, len(out))
			}
		}
		half := append(bytes.Repeat([]byte("again "), 2*packChunk/6), noise(packChunk)...)
		s, out := c.Pack(codec, builtOf(half))
		if s == nil {
			t.Fatalf("codec %d: a batch of which a third is noise is not packed", codec)
		}
		got, err := c.Decompress(codec, out[journal.HeaderSize:])
		if err != nil || !bytes.Equal(got, builtOf(half)[journal.HeaderSize:]) {
			t.Errorf("codec %d: opens to %d bytes, %v", codec, len(got), err)
		}
		s.Release()
	}
	if n := c.pool.InUse(); n != 0 {
		t.Errorf("%d bytes of slabs not released", n)
	}
}

// TestOpenDamaged: every frame cut short is an error, and so is a lie about its size; no slab stays behind.
func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	in := builtOf([]byte(strings.Repeat("some words ", 300)))
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		s, out := c.Pack(codec, in)
		block := bytes.Clone(out[journal.HeaderSize:])
		s.Release()
		for n := 1; n < len(block); n++ { // nothing at all opens to nothing, which is no record
			if codec == journal.CodecSnappy && n == xerialHeader {
				continue // no block at all
			}
			if s, got, err := c.Open(codec, block[:n:n]); err == nil {
				t.Errorf("codec %d: the first %d of %d bytes open to %d", codec, n, len(block), len(got))
				s.Release()
			}
		}
	}
	lie, ok := c.appendLZ4(make([]byte, 0, 1<<20), in)
	if !ok {
		t.Fatal("no frame")
	}
	lie[6]++
	lie[lz4Header-1] = lz4Check(lie[4 : lz4Header-1])
	if _, _, err := c.Open(journal.CodecLZ4, lie); err == nil {
		t.Error("a wrong content size is not noticed")
	}
	if n := c.pool.InUse(); n != 0 {
		t.Errorf("%d bytes of slabs not released", n)
	}
}

// FuzzOpen: any bytes open to a bounded size or to an error, without a slab left behind.
func FuzzOpen(f *testing.F) {
	c := testCodecs()
	for _, codec := range []int{journal.CodecLZ4, journal.CodecSnappy} {
		s, out := c.Pack(codec, builtOf([]byte(strings.Repeat("some words ", 300))))
		f.Add(codec, bytes.Clone(out[journal.HeaderSize:]))
		s.Release()
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	w.Write([]byte("some words"))
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(journal.CodecGzip, zipped.Bytes())
	f.Add(journal.CodecZstd, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 0})
	f.Fuzz(func(t *testing.T, codec int, block []byte) {
		s, out, err := c.Open(codec, block)
		if err != nil {
			return
		}
		if len(out) > MaxOpened {
			t.Fatalf("opened to %d bytes", len(out))
		}
		s.Release()
	})
}

// TestFixLZ4: the checksum of old clients takes the magic number in; any other wrong one is left alone.
func TestFixLZ4(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	good, ok := c.appendLZ4(make([]byte, 0, 1<<16), []byte(strings.Repeat("words ", 100)))
	if !ok {
		t.Fatal("no frame")
	}
	old := bytes.Clone(good)
	old[lz4Header-1] = lz4Check(old[:lz4Header-1])
	if _, err := c.Decompress(journal.CodecLZ4, old); err == nil {
		t.Fatal("the old checksum passes as it is")
	}
	if got := FixLZ4(old); !bytes.Equal(got, good) {
		t.Error("the old checksum is not put right")
	}
	bad := bytes.Clone(good)
	bad[lz4Header-1] ^= 0x55
	if !bytes.Equal(FixLZ4(bad), bad) || !bytes.Equal(FixLZ4(good), good) {
		t.Error("a frame is changed for no reason")
	}
}

// TestRepack: records go from each codec to each, and stay the same; noise stays uncompressed.
func TestRepack(t *testing.T) {
	t.Parallel()
	c := testCodecs()
	plain := builtOf([]byte(strings.Repeat("some words ", 500)))
	for from := journal.CodecNone; from <= journal.CodecZstd; from++ {
		in, err := c.Repack(plain, journal.CodecNone, from)
		if err != nil {
			t.Fatal(err)
		}
		for to := journal.CodecNone; to <= journal.CodecZstd; to++ {
			out, err := c.Repack(in, from, to)
			if err != nil {
				t.Fatal(err)
			}
			h, err := journal.ParseHeader(out)
			if err != nil || journal.Verify(out) != nil || h.Codec() != to {
				t.Fatalf("%d to %d: %+v, %v", from, to, h, err)
			}
			back, err := c.Repack(out, to, journal.CodecNone)
			if err != nil || !bytes.Equal(back, plain) {
				t.Errorf("%d to %d: other records, %v", from, to, err)
			}
		}
	}
	if out, err := c.Repack(builtOf(noise(5000)), journal.CodecNone, journal.CodecZstd); err != nil || out[22]&7 != journal.CodecNone {
		t.Errorf("noise: codec %d, %v", out[22]&7, err)
	}
	if n := c.pool.InUse(); n != 0 {
		t.Errorf("%d bytes of slabs not released", n)
	}
}
