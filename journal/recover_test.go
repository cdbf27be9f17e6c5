package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/weirlog/weir/vfs"
)

// copyTo gives a new file system in which every file of dir is as in m, but for one that edit changes.
func copyTo(t testing.TB, m vfs.FS, dir, edited string, edit func([]byte) []byte) *vfs.Mem {
	t.Helper()
	out := vfs.NewMem()
	if err := vfs.MkdirDurable(out, dir); err != nil {
		t.Fatal(err)
	}
	entries, err := m.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		b, err := vfs.ReadFile(m, dir+"/"+e.Name())
		if err != nil {
			t.Fatal(err)
		}
		if e.Name() == edited {
			if b = edit(b); b == nil {
				continue
			}
		}
		if err := vfs.WriteFileAtomic(out, dir+"/"+e.Name(), b); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

const firstLog = "00000000000000000000.log"

// fill appends n batches of one record or payloads, synced each.
func fill(t testing.TB, j *Journal, n int) []string {
	t.Helper()
	var out []string
	for i := range n {
		v := fmt.Sprintf("value %d %s", i, strings.Repeat("y", 40*(i%5)))
		if j.cfg.Own {
			m, err := j.AppendPayload([]byte(v))
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Sync(m); err != nil {
				t.Fatal(err)
			}
		} else {
			var e Builder
			e.Reset(nil)
			e.Add(int64(i*10), nil, []byte(v), nil)
			mustAppend(t, j, e.Finish())
		}
		out = append(out, v)
	}
	return out
}

func payloads(t testing.TB, j *Journal, from int64) []string {
	t.Helper()
	var out []string
	err := j.ReplayBatches(from, func(h Header, b []byte) error {
		if j.cfg.Own {
			_, p, err := splitPayload(b)
			out = append(out, string(p))
			return err
		}
		it, err := Records(b)
		var r Record
		for it.Next(&r) {
			out = append(out, string(r.Value))
		}
		return errors.Join(err, it.Err())
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTornAtEveryByteOfTheLastRecord(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		mem := vfs.NewMem()
		j := open(t, Config{FS: mem, Own: own})
		want := fill(t, j, 6)
		end := j.active().size
		last := mustSize(t, j, 5)
		for cut := end - last; cut < end; cut++ {
			for _, how := range []string{"cut", "zero", "flip"} {
				same := false
				fsys := copyTo(t, mem, "/j", firstLog, func(b []byte) []byte {
					switch how {
					case "cut":
						return b[:cut]
					case "zero":
						same = allZero(b[cut:])
						clear(b[cut:])
					case "flip":
						b[cut] ^= 0x40
					}
					return b
				})
				k, err := Open(Config{FS: fsys, Dir: "/j", Own: own, Pool: j.pool})
				if err != nil {
					t.Fatalf("own %v, %s at %d: %v", own, how, cut, err)
				}
				n := 5
				// The leader epoch is not under the CRC and does not count.
				if at := cut - (end - last); same || how == "flip" && at >= 12 && at < 16 {
					n = 6
				}
				if got := payloads(t, k, 0); !slices.Equal(got, want[:n]) {
					t.Fatalf("own %v, %s at %d of %d: %d values, want %d", own, how, cut, end, len(got), n)
				}
				if n == 5 && k.Recovered().TailCut == 0 && !(how == "cut" && cut == end-last) {
					t.Fatalf("own %v, %s at %d: nothing said of the tail", own, how, cut)
				}
				fill(t, k, 1)
				if err := k.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

func mustSize(t testing.TB, j *Journal, offset int64) int64 {
	t.Helper()
	s, err := j.Read(offset, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Release()
	return int64(len(s.Bytes()))
}

// flipAt changes a byte in the middle of the batch at offset.
func flipAt(t testing.TB, j *Journal, offset int64) func([]byte) []byte {
	var pos, size int64
	for at := int64(0); at <= offset; at++ {
		pos, size = pos+size, mustSize(t, j, at)
	}
	return func(b []byte) []byte {
		b[pos+size/2] ^= 1
		return b
	}
}

func TestDamageInTheMiddle(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, Own: true})
	fill(t, j, 20)
	for offset := range int64(19) {
		fsys := copyTo(t, mem, "/j", firstLog, flipAt(t, j, offset))
		_, err := Open(Config{FS: fsys, Dir: "/j", Own: true})
		var damage *DamageError
		if offset == 18 { // the payload at 19 says that 18 and below were synced, so 18 itself was
			if !errors.As(err, &damage) {
				t.Fatalf("offset 18: %v", err)
			}
			continue
		}
		if !errors.As(err, &damage) || damage.Want != offset || damage.File != "/j/"+firstLog {
			t.Fatalf("offset %d: %v", offset, err)
		}
	}
}

func TestUnprovenBytesAreATornTail(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, Own: true})
	want := fill(t, j, 5)
	for i := range 5 { // not synced: none of them says that another was
		if _, err := j.AppendPayload(fmt.Appendf(nil, "unsynced %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	m := Mark{End: j.End(), life: j.life}
	if err := j.Sync(m); err != nil { // so that Read shows their sizes
		t.Fatal(err)
	}
	fsys := copyTo(t, mem, "/j", firstLog, flipAt(t, j, 6))
	k := open(t, Config{FS: fsys, Own: true})
	if got := payloads(t, k, 0); len(got) != 6 || !slices.Equal(got[:5], want) {
		t.Fatalf("%d payloads: %q", len(got), got)
	}
	if r := k.Recovered(); r.TailCut == 0 || r.TailSaved == "" {
		t.Fatalf("%+v", r)
	}
	if _, err := fsys.Stat(k.Recovered().TailSaved); err != nil {
		t.Fatal(err)
	}
}

func TestDamageAfterACleanStop(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem, Own: true})
	fill(t, j, 5)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func([]byte) []byte{
		"shorter": func(b []byte) []byte { return b[:len(b)-1] },
		"longer":  func(b []byte) []byte { return append(b, 7) },
		"gone":    func(b []byte) []byte { return nil },
	} {
		_, err := Open(Config{FS: copyTo(t, mem, "/j", firstLog, edit), Dir: "/j", Own: true})
		var damage *DamageError
		if !errors.As(err, &damage) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestHoleInAPartition(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem})
	want := fill(t, j, 40)
	for offset := range int64(39) {
		fsys := copyTo(t, mem, "/j", firstLog, flipAt(t, j, offset))
		k := open(t, Config{FS: fsys})
		holes := k.Recovered().Holes
		if len(holes) != 1 || holes[0].From != offset || holes[0].To != offset+1 || holes[0].Torn {
			t.Fatalf("offset %d: holes %+v", offset, holes)
		}
		for at := range int64(40) {
			s, err := k.Read(at, 1)
			if at == offset {
				if h := asHole(err); h == nil || h.From != at {
					t.Fatalf("read at the hole: %v", err)
				}
				continue
			}
			if err != nil || s.From != at {
				t.Fatalf("hole at %d, read at %d: %v, from %d", offset, at, err, s.From)
			}
			s.Release()
		}
		if got := payloads(t, k, 0); !slices.Equal(got, slices.Delete(slices.Clone(want), int(offset), int(offset)+1)) {
			t.Fatalf("offset %d: %d values", offset, len(got))
		}
		if err := k.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := VerifyDir(context.Background(), fsys, "/j")
		if err != nil || len(r.Bad) != 1 || r.Bad[0].From != offset || r.Records != 39 || r.End != 40 {
			t.Fatalf("%+v, %v", r, err)
		}
		k = open(t, Config{FS: fsys})
		if r := k.Recovered(); len(r.Holes) != 1 || r.Scanned != 0 {
			t.Fatalf("after a clean stop: %+v", r)
		}
	}
}

// TestRotBehindTheCheckpoint: what is not scanned at start is found by the CRC when read, and harms no neighbour.
func TestRotBehindTheCheckpoint(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem})
	fill(t, j, 400)
	flip := flipAt(t, j, 200)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, length := range []bool{false, true} {
		fsys := copyTo(t, mem, "/j", firstLog, func(b []byte) []byte {
			if !length {
				return flip(b)
			}
			s := newScanner(memOpen(t, mem), 0, int64(len(b)))
			for {
				h, err := s.header()
				if err != nil {
					t.Fatal(err)
				}
				if h.BaseOffset == 200 {
					b[s.pos+11] ^= 8 // the length, which nothing protects but what follows
					return b
				}
				s.skip(&h)
			}
		})
		k := open(t, Config{FS: fsys})
		if r := k.Recovered(); !r.Clean || len(r.Holes) != 0 {
			t.Fatalf("%+v", r)
		}
		for at := range int64(400) {
			s, err := k.Read(at, 1)
			if at == 200 {
				if h := asHole(err); h == nil || h.From != 200 || h.To != 201 {
					t.Fatalf("length %v: %v", length, err)
				}
				continue
			}
			if err != nil || s.From != at {
				t.Fatalf("length %v, read at %d: %v", length, at, err)
			}
			s.Release()
		}
	}
}

func memOpen(t testing.TB, fsys vfs.FS) vfs.File {
	t.Helper()
	f, err := fsys.Open("/j/" + firstLog)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestHintsMayBeLostOrWrong(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	cfg := Config{FS: mem, Dir: "/j", SegmentBytes: minSegmentBytes, Pool: testPool()}
	j := open(t, cfg)
	want := fill(t, j, 2000)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := mem.ReadDir("/j")
	if err != nil {
		t.Fatal(err)
	}
	edits := map[string]func([]byte) []byte{
		"gone":  func([]byte) []byte { return nil },
		"empty": func([]byte) []byte { return []byte{} },
		"zero":  func(b []byte) []byte { clear(b); return b },
		"half":  func(b []byte) []byte { return b[:len(b)/2/4*4] },
		"ff": func(b []byte) []byte {
			for i := range b {
				b[i] = 0xff
			}
			return b
		},
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), logSuffix) {
			continue
		}
		for what, edit := range edits {
			c := cfg
			c.FS = copyTo(t, mem, "/j", e.Name(), edit)
			k := open(t, c)
			if got := payloads(t, k, 0); !slices.Equal(got, want) {
				t.Fatalf("%s %s: %d values", e.Name(), what, len(got))
			}
			for _, i := range []int64{0, 1, 700, 1999} {
				if offset, at, err := k.OffsetForTime(i * 10); err != nil || offset != i || at != i*10 {
					t.Fatalf("%s %s: time %d gives %d, %d, %v", e.Name(), what, i*10, offset, at, err)
				}
			}
		}
	}
}

func TestMissingExtent(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		mem := vfs.NewMem()
		cfg := Config{FS: mem, Dir: "/j", SegmentBytes: minSegmentBytes, Own: own, Pool: testPool()}
		j := open(t, cfg)
		fill(t, j, 2000)
		end := j.End()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		for i, e := range j.extents {
			c := cfg
			c.FS = copyTo(t, mem, "/j", fmt.Sprintf("%020d.log", e.base), func([]byte) []byte { return nil })
			k, err := Open(c)
			if own {
				var damage *DamageError
				if err == nil { // a file in the middle is missed when it is read
					err = k.Replay(0, func(int64, []byte) error { return nil })
					if asHole(err) == nil {
						t.Fatalf("extent %d: %v", i, err)
					}
				} else if !errors.As(err, &damage) {
					t.Fatalf("extent %d: %v", i, err)
				}
				continue
			}
			if err != nil {
				t.Fatalf("extent %d: %v", i, err)
			}
			if k.End() != end || k.Start() != 0 {
				t.Fatalf("extent %d: start %d, end %d", i, k.Start(), k.End())
			}
			if _, err := k.Read(e.base, 1); asHole(err) == nil {
				t.Fatalf("extent %d: %v", i, err)
			}
			fill(t, k, 2)
			if err := k.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestNewerFormatIsRefusedUnchanged(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	j := open(t, Config{FS: mem})
	fill(t, j, 5)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"start":0}`)
	slot := encodeSlot(99, false, body)
	slot[5]++
	copy(slot[20:], []byte{0, 0, 0, 0})
	crc := slotCRC(slot[:20], body)
	for i := range 4 {
		slot[20+i] = byte(crc >> (24 - 8*i))
	}
	fsys := copyTo(t, mem, "/j", checkpointName, func(b []byte) []byte { copy(b, slot); return b })
	before := fsys.CrashClone(nil)
	if _, err := Open(Config{FS: fsys, Dir: "/j"}); !errors.Is(err, ErrVersion) {
		t.Fatal(err)
	}
	entries, _ := before.ReadDir("/j")
	for _, e := range entries {
		a, _ := vfs.ReadFile(before, "/j/"+e.Name())
		b, err := vfs.ReadFile(fsys, "/j/"+e.Name())
		if err != nil || string(a) != string(b) {
			t.Fatalf("%s changed", e.Name())
		}
	}
}

// TestDeadBytes: what stands in an old extent at or past the base of the next was void when the journal was reopened.
func TestDeadBytes(t *testing.T) {
	t.Parallel()
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem)
	j := open(t, Config{FS: fault})
	want := fill(t, j, 3)
	fault.SetRules(vfs.Rule{Op: vfs.OpSync, At: 1})
	lost, err := j.Append(batchOf("lost", 2))
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Sync(lost); !errors.Is(err, ErrPoisoned) {
		t.Fatal(err)
	}
	if _, err := j.Append(batchOf("refused", 1)); !errors.Is(err, ErrPoisoned) {
		t.Fatal(err)
	}
	if got := payloads(t, j, 0); !slices.Equal(got, want) {
		t.Fatalf("reads of a poisoned journal: %q", got)
	}
	if err := j.Reopen(); err != nil {
		t.Fatal(err)
	}
	if m := mustAppend(t, j, batchOf("new", 2)); m.Base != 3 {
		t.Fatalf("base %d", m.Base)
	}
	if err := j.Sync(lost); !errors.Is(err, ErrPoisoned) {
		t.Fatalf("a mark of an old life: %v", err)
	}
	want = append(want, "new-0", "new-1")
	f, err := mem.OpenFile("/j/"+firstLog, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil { // the old bytes are there all the same
		t.Fatal(err)
	}
	if got := payloads(t, j, 0); !slices.Equal(got, want) {
		t.Fatalf("got %q", got)
	}
	k := open(t, Config{FS: mem.CrashClone(nil)})
	if got := payloads(t, k, 0); !slices.Equal(got, want) {
		t.Fatalf("after a crash: %q", got)
	}
}
