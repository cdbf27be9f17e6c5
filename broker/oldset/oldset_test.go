package oldset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"
)

// message lays one message out; ms counts with magic 1.
func message(magic, attributes byte, ms int64, key, value []byte) []byte {
	b := []byte{0, 0, 0, 0, magic, attributes}
	if magic == 1 {
		b = binary.BigEndian.AppendUint64(b, uint64(ms))
	}
	for _, f := range [][]byte{key, value} {
		if f == nil {
			b = append(b, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(f))), f...)
	}
	binary.BigEndian.PutUint32(b, crc32.ChecksumIEEE(b[4:]))
	return append(binary.BigEndian.AppendUint32(make([]byte, 8), uint32(len(b))), b...)
}

func gunzip(codec int, block []byte, _ bool) ([]byte, error) {
	if codec != 1 {
		return nil, errors.New("not gzip")
	}
	r, err := gzip.NewReader(bytes.NewReader(block))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, 1<<20))
}

func zipped(t testing.TB, b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWalk(t *testing.T) {
	t.Parallel()
	inner := append(message(1, 0, 7, nil, []byte("b")), message(1, 0, 8, []byte("k"), nil)...)
	set := append(message(0, 0, 0, []byte("k"), []byte("a")), message(1, 1, 0, nil, zipped(t, inner))...)
	set = append(set, message(1, 0, 9, nil, []byte{})...)
	var got []Message
	compressed, err := Walk(set, gunzip, func(m Message) error { got = append(got, m); return nil })
	want := []Message{{NoTime, []byte("k"), []byte("a")}, {7, nil, []byte("b")}, {8, []byte("k"), nil}, {9, nil, []byte{}}}
	if err != nil || !compressed || len(got) != len(want) {
		t.Fatalf("%d messages, compressed %v, %v", len(got), compressed, err)
	}
	for i := range want {
		if got[i].Time != want[i].Time || string(got[i].Key) != string(want[i].Key) || string(got[i].Value) != string(want[i].Value) ||
			(got[i].Value == nil) != (want[i].Value == nil) {
			t.Errorf("message %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestWalkRefuses(t *testing.T) {
	t.Parallel()
	good := message(1, 0, 1, []byte("k"), []byte("v"))
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	tests := []struct {
		name string
		b    []byte
		want error
	}{
		{"a flipped bit", flipped, ErrCorrupt},
		{"magic 2", message(2, 0, 0, nil, nil), ErrCorrupt},
		{"zstd", message(1, 4, 0, nil, []byte("x")), ErrCodec},
		{"compressed twice", message(1, 1, 0, nil, zipped(t, message(1, 1, 0, nil, zipped(t, good)))), ErrCorrupt},
		{"not gzip", message(1, 1, 0, nil, []byte("x")), ErrCorrupt},
	}
	for n := 1; n < len(good); n++ {
		tests = append(tests, struct {
			name string
			b    []byte
			want error
		}{"cut short", good[:n], ErrCorrupt})
	}
	for _, test := range tests {
		if _, err := Walk(test.b, gunzip, func(Message) error { return nil }); !errors.Is(err, test.want) {
			t.Errorf("%s (%d bytes): %v", test.name, len(test.b), err)
		}
	}
}

func FuzzWalk(f *testing.F) {
	f.Add(message(0, 0, 0, []byte("k"), []byte("a")))
	f.Add(message(1, 1, 0, nil, zipped(f, message(1, 0, 7, nil, []byte("b")))))
	f.Fuzz(func(t *testing.T, b []byte) {
		n := 0
		if _, err := Walk(b, gunzip, func(Message) error { n++; return nil }); err == nil && n == 0 && len(b) > 0 && b[frameSize+5]&codecMask == 0 {
			t.Fatal("bytes without a message")
		}
	})
}
