package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/weirlog/weir/vfs"
)

// rewriteSuffix ends the name of an extent's next form until it is whole; what a crash leaves of it goes at the next start.
const rewriteSuffix = ".log.tmp"

// Rewrite puts a smaller form in the place of the sealed extent based at base: fn is given each batch and returns the batch that stands
// for its offsets from now on, or nil when nothing is left of it; the bytes are valid during the call. A batch without records stands for
// offsets of which nothing is left, so that offsets stay without gaps. An extent with bad bytes is left alone: the error is a *Hole. It
// returns by how many bytes the extent shrank. The new form is durable before it is seen; readers of the old one are not disturbed.
func (j *Journal) Rewrite(ctx context.Context, base int64, fn func(h Header, b []byte) ([]byte, error)) (int64, error) {
	j.mu.Lock()
	i := slices.IndexFunc(j.extents, func(e *extent) bool { return e.base == base })
	if err := j.usableLocked(); err != nil || i < 0 || i == len(j.extents)-1 {
		j.mu.Unlock()
		return 0, errors.Join(err, errNotSealed)
	}
	old, p := j.extents[i], j.placeInLocked(i)
	j.mu.Unlock()
	name := fileName(j.cfg.Dir, base, rewriteSuffix)
	next, err := j.writeForm(ctx, p, name, fn)
	if err == nil && next.size < old.size {
		err = j.swap(old, next, name)
		if err == nil {
			return old.size - next.size, nil
		}
	}
	if rerr := j.cfg.FS.Remove(name); rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
		err = errors.Join(err, rerr)
	}
	if err != nil {
		return 0, fmt.Errorf("rewrite %s: %w", old.name(), err)
	}
	return 0, nil // it would not get smaller
}

var errNotSealed = errors.New("no sealed extent begins at this offset")

// writeForm writes the next form of an extent into a file of its own and syncs it.
func (j *Journal) writeForm(ctx context.Context, p place, name string, fn func(h Header, b []byte) ([]byte, error)) (*extent, error) {
	file, err := j.pool.files.use(j.cfg.FS, p.e)
	if err != nil {
		return nil, err
	}
	defer j.pool.files.done(file)
	f, err := j.cfg.FS.OpenFile(name, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	w := &formWriter{f: f, e: &extent{dir: j.cfg.Dir, base: p.e.base, end: p.limit, first: p.e.first, appended: p.e.appended, index: &index{}}}
	s := newScanner(file.f, 0, p.size)
	for want := p.e.base; err == nil; {
		if err = ctx.Err(); err != nil {
			break
		}
		var h Header
		var b, out []byte
		h, b, err = s.batch()
		if errors.Is(err, io.EOF) && want == p.limit {
			err = w.end()
			break
		}
		if err != nil || h.BaseOffset != want {
			err = &Hole{From: want, To: p.limit, Extent: p.e.base, Pos: s.pos, PosEnd: p.size}
			break
		}
		if out, err = fn(h, b); err == nil {
			err = w.put(&h, out)
		}
		want = h.Next()
		s.skip(&h)
	}
	if err == nil {
		err = f.Sync()
	}
	return w.e, errors.Join(err, f.Close())
}

// formWriter writes the batches of an extent's next form. Batches of which nothing is left are gathered into one without records.
type formWriter struct {
	f     vfs.File
	e     *extent
	buf   []byte
	empty []byte // gathered so far
}

// formStep is how many bytes are written at a time.
const formStep = 1 << 20

func (w *formWriter) put(h *Header, b []byte) error {
	if b == nil {
		return w.gather(h)
	}
	got, err := ParseHeader(b)
	switch {
	case err != nil:
		return err
	case got.BaseOffset != h.BaseOffset || got.Next() != h.Next() || got.Size() != len(b):
		return fmt.Errorf("%w: offsets %d to %d in the place of %d to %d", ErrCorrupt, got.BaseOffset, got.Next(), h.BaseOffset, h.Next())
	}
	if err := Verify(b); err != nil {
		return err
	}
	if err := w.flushEmpty(); err != nil {
		return err
	}
	return w.append(b)
}

// gather counts the offsets of h to the batch without records.
func (w *formWriter) gather(h *Header) error {
	if w.empty != nil {
		base := int64(binary.BigEndian.Uint64(w.empty))
		if span := h.Next() - 1 - base; span <= 1<<31-1 {
			binary.BigEndian.PutUint32(w.empty[23:], uint32(span))
			return nil
		}
		if err := w.flushEmpty(); err != nil {
			return err
		}
	}
	w.empty = emptyBatch(h)
	return nil
}

// emptyBatch stands for the offsets of h.
func emptyBatch(h *Header) []byte {
	b := make([]byte, HeaderSize)
	binary.BigEndian.PutUint64(b, uint64(h.BaseOffset))
	binary.BigEndian.PutUint32(b[12:], uint32(h.LeaderEpoch))
	b[16] = 2
	binary.BigEndian.PutUint32(b[23:], uint32(h.LastOffsetDelta))
	binary.BigEndian.PutUint64(b[27:], 1<<64-1)
	binary.BigEndian.PutUint64(b[35:], 1<<64-1)
	putNoProducer(b)
	SetCodec(b, CodecNone)
	return b
}

func (w *formWriter) flushEmpty() error {
	if w.empty == nil {
		return nil
	}
	b := w.empty
	w.empty = nil
	SetCodec(b, CodecNone) // the CRC of what was gathered
	return w.append(b)
}

func (w *formWriter) append(b []byte) error {
	w.e.noteBatches(b, w.e.size+int64(len(w.buf)))
	w.buf = append(w.buf, b...)
	if len(w.buf) < formStep {
		return nil
	}
	return w.flush()
}

func (w *formWriter) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	if _, err := w.f.WriteAt(w.buf, w.e.size); err != nil {
		return err
	}
	w.e.size += int64(len(w.buf))
	w.e.synced = w.e.size
	w.buf = w.buf[:0]
	return nil
}

func (w *formWriter) end() error { return errors.Join(w.flushEmpty(), w.flush()) }

// swap puts the next form of an extent in its place, unless the extent went meanwhile. Both checkpoints speak of later extents by then, so
// that none names a place in the old form.
func (j *Journal) swap(old, next *extent, name string) error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	j.mu.Lock()
	i := slices.Index(j.extents, old)
	err := j.usableLocked()
	j.mu.Unlock()
	if err != nil || i < 0 {
		return errors.Join(err, errNotSealed)
	}
	for range 2 {
		if err := j.checkpointLocked(false); err != nil {
			return err
		}
	}
	for _, suffix := range []string{indexSuffix, timeSuffix} {
		if err := j.removeStray(fileName(j.cfg.Dir, old.base, suffix)); err != nil {
			return err
		}
	}
	if err := j.cfg.FS.Rename(name, old.name()); err != nil {
		return err
	}
	j.mu.Lock()
	j.extents = slices.Clone(j.extents)
	j.extents[i] = next
	for len(j.tail.runs) > 0 && j.tail.runs[0].end <= next.end { // the old form is not shown any more
		j.pool.tail.Add(-j.tail.dropFirst())
	}
	if old.index == nil {
		j.indexes++
	}
	j.shrinkIndexesLocked()
	j.mu.Unlock()
	j.pool.files.drop(old)
	j.saveIndex(next, false)
	return j.cfg.FS.SyncDir(j.cfg.Dir)
}
