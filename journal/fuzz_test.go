package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/weirlog/weir/vfs"
)

func FuzzBatch(f *testing.F) {
	f.Add(batchOf("seed", 3))
	f.Add(batchOf("", 1)[:HeaderSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= HeaderSize { // let the walk see the rest with any CRC
			b = bytes.Clone(b)
			sealCRC(b)
		}
		h, err := ParseHeader(b)
		if err != nil {
			return
		}
		if h.Size() < HeaderSize || h.Size() > MaxBatch || h.Next() <= h.BaseOffset {
			t.Fatalf("%+v", h)
		}
		it, err := Records(b)
		if err != nil {
			return
		}
		var e Builder
		e.Reset(nil)
		n := int32(0)
		for r := (Record{}); it.Next(&r); n++ {
			if r.Offset < h.BaseOffset || r.Offset >= h.Next() {
				t.Fatalf("offset %d of %+v", r.Offset, h)
			}
			e.Add(r.Time, r.Key, r.Value, r.Headers)
		}
		if it.Err() == nil && n != h.Count {
			t.Fatalf("%d records, count %d", n, h.Count)
		}
		if n > 0 {
			if err := Verify(e.Finish()); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzPayload(f *testing.F) {
	l := layPayload(5, 300)
	b := make([]byte, l.total)
	l.encode(b, []byte("hello"), 1)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		synced, _, err := splitPayload(b)
		if err == nil && synced < 0 {
			t.Fatal(synced)
		}
	})
}

func FuzzIndex(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 64, 0}, []byte{0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 1}, int64(100000))
	f.Fuzz(func(t *testing.T, b, times []byte, limit int64) {
		x, err := parseIndex(b, times, limit)
		if err != nil {
			return
		}
		for rel := int64(0); rel < 1<<33; rel = rel*3 + 1 {
			n := x.seek(rel)
			if int64(n.rel) > rel || n.pos > 0 && int64(n.pos) >= limit {
				t.Fatalf("seek %d gives %+v of %d", rel, n, limit)
			}
			x.before(rel, 0)
		}
	})
}

func FuzzCheckpoint(f *testing.F) {
	f.Add(encodeSlot(7, true, []byte(`{"start":1,"extent":0,"position":5,"end":9,"state":-1}`)))
	f.Fuzz(func(t *testing.T, b []byte) {
		sequence, clean, _, err := parseSlot(b)
		if err != nil {
			return
		}
		n := slotHeader + int(binary.BigEndian.Uint32(b[16:]))
		again := encodeSlot(sequence, clean, b[slotHeader:n])
		if binary.BigEndian.Uint16(b[6:]) <= slotClean && !bytes.Equal(again, b[:n]) {
			t.Fatalf("%x\n%x", again, b[:n])
		}
	})
}

func FuzzState(f *testing.F) {
	f.Add([]byte("WJST\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x00x"), int64(3))
	f.Fuzz(func(t *testing.T, b []byte, offset int64) {
		if data, err := parseState(b, offset); err == nil && len(data) != len(b)-stateHeader {
			t.Fatal(len(data))
		}
	})
}

// FuzzOpen opens a journal whose only extent holds any bytes: it opens or names the damage, and what it then gives is right by its CRC.
func FuzzOpen(f *testing.F) {
	good := append(batchOf("one", 1), batchOf("two", 2)...)
	stamp(good[len(batchOf("one", 1)):], 1, 0)
	f.Add(good, false)
	f.Add(append(make([]byte, 600), good...), false)
	f.Add(good[:len(good)-5], true)
	f.Fuzz(func(t *testing.T, b []byte, own bool) {
		fsys := vfs.NewMem()
		if err := errors.Join(vfs.MkdirDurable(fsys, "/j"), vfs.WriteFileAtomic(fsys, "/j/"+firstLog, b)); err != nil {
			t.Fatal(err)
		}
		j, err := Open(Config{FS: fsys, Dir: "/j", Own: own})
		var damage *DamageError
		if errors.As(err, &damage) && own {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		for at := j.Start(); at < j.End(); {
			s, err := j.Read(at, 1<<16)
			if h := asHole(err); h != nil && h.To > at {
				at = h.To
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := eachBatch(s.Bytes(), func(_ Header, b []byte) error { return Verify(b) }); err != nil {
				t.Fatal(err)
			}
			at = s.Next
			s.Release()
		}
		if m, err := j.Append(batchOf("more", 2)); err != nil || j.Sync(m) != nil || m.Base != j.DurableEnd()-2 {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	})
}
