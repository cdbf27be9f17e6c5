package journal

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirlog/weir/vfs"
)

// benchRecord is the record of the benchmarks: 200 bytes of key, value and frame.
var benchValue = make([]byte, 180)

const benchRecordBytes = 200

func benchBatch(dst []byte, n int) []byte {
	var e Builder
	e.Reset(dst)
	for i := range n {
		e.Add(int64(i), nil, benchValue, nil)
	}
	return e.Finish()
}

func rate(b *testing.B, records int64) {
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkEncode(b *testing.B) {
	buf := make([]byte, 0, 2<<20)
	b.SetBytes(4000 * benchRecordBytes)
	for b.Loop() {
		benchBatch(buf, 4000)
	}
	rate(b, int64(b.N)*4000)
}

func BenchmarkDecode(b *testing.B) {
	batch := benchBatch(nil, 4000)
	b.SetBytes(4000 * benchRecordBytes)
	for b.Loop() {
		it, err := Records(batch)
		if err != nil {
			b.Fatal(err)
		}
		for r := (Record{}); it.Next(&r); {
		}
		if it.Err() != nil {
			b.Fatal(it.Err())
		}
	}
	rate(b, int64(b.N)*4000)
}

func BenchmarkVerify(b *testing.B) {
	batch := benchBatch(nil, 4000)
	b.SetBytes(int64(len(batch)))
	for b.Loop() {
		if err := Verify(batch); err != nil {
			b.Fatal(err)
		}
	}
}

// benchDir is on the disk that WEIR_BENCH_DIR names, else in the temporary folder.
func benchDir(b *testing.B) string {
	dir := os.Getenv("WEIR_BENCH_DIR")
	if dir == "" {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(dir, "journal")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func benchOpen(b *testing.B, cfg Config) *Journal {
	cfg.Dir = benchDir(b)
	j, err := Open(cfg)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { j.Close() })
	return j
}

// BenchmarkFloor is the disk alone: write and fdatasync, the same sizes as below.
func BenchmarkFloor(b *testing.B) {
	for _, n := range []int{4 << 10, 64 << 10, 4000 * benchRecordBytes} {
		b.Run(fmt.Sprintf("%dKiB", n>>10), func(b *testing.B) {
			f, err := vfs.OS().Create(benchDir(b) + "/floor")
			if err != nil {
				b.Fatal(err)
			}
			defer f.Close()
			buf := make([]byte, n)
			b.SetBytes(int64(n))
			at := int64(0)
			for b.Loop() {
				if _, err := f.WriteAt(buf, at); err != nil {
					b.Fatal(err)
				}
				if err := f.Sync(); err != nil {
					b.Fatal(err)
				}
				at += int64(n)
			}
		})
	}
}

// BenchmarkThrough is a record's whole way in one process: encode, append, fdatasync, read from the tail, decode. "pipelined" encodes
// the next call while the disk syncs the last, as a broker's connection does.
func BenchmarkThrough(b *testing.B) {
	for _, n := range []int{200, 1000, 4000} {
		b.Run(fmt.Sprintf("call=%d", n), func(b *testing.B) {
			j := benchOpen(b, Config{})
			b.SetBytes(int64(n) * benchRecordBytes)
			b.ReportAllocs()
			for b.Loop() {
				through(b, j, benchAppend(b, j, n))
			}
			rate(b, int64(b.N)*int64(n))
		})
		b.Run(fmt.Sprintf("pipelined/call=%d", n), func(b *testing.B) {
			j := benchOpen(b, Config{})
			b.SetBytes(int64(n) * benchRecordBytes)
			marks, done := make(chan Mark, 16), make(chan struct{})
			go func() {
				defer close(done)
				for m := range marks {
					through(b, j, m)
				}
			}()
			for b.Loop() {
				marks <- benchAppend(b, j, n)
			}
			close(marks)
			<-done
			rate(b, int64(b.N)*int64(n))
		})
	}
}

func benchAppend(b *testing.B, j *Journal, n int) Mark {
	s := j.pool.Slab(n*benchRecordBytes + HeaderSize)
	m, err := j.AppendSlab(s, benchBatch(s.Bytes()[:0], n))
	s.Release()
	if err != nil {
		b.Error(err)
	}
	return m
}

func through(b *testing.B, j *Journal, m Mark) {
	if err := j.Sync(m); err != nil {
		b.Error(err)
		return
	}
	for at := m.Base; at < m.End; {
		span, err := j.Read(at, 1<<20)
		if err != nil {
			b.Error(err)
			return
		}
		it, err := Records(span.Bytes())
		if err != nil {
			b.Error(err)
		}
		for r := (Record{}); it.Next(&r); {
		}
		at = span.Next
		span.Release()
	}
}

func BenchmarkAppendSync(b *testing.B) {
	for _, waiters := range []int{1, 4, 16, 64} {
		b.Run(fmt.Sprintf("waiters=%d", waiters), func(b *testing.B) {
			fault := vfs.NewFault(vfs.OS())
			j := benchOpen(b, Config{FS: fault})
			batch := benchBatch(nil, 20)
			b.SetBytes(int64(len(batch)))
			before := fault.Count(vfs.OpSync)
			var left atomic.Int64
			left.Store(int64(b.N))
			done := make(chan struct{})
			b.ResetTimer()
			for range waiters {
				go func() {
					for left.Add(-1) >= 0 {
						m, err := j.Append(batch)
						if err == nil {
							err = j.Sync(m)
						}
						if err != nil {
							b.Error(err)
						}
					}
					done <- struct{}{}
				}()
			}
			for range waiters {
				<-done
			}
			b.ReportMetric(float64(fault.Count(vfs.OpSync)-before)/float64(b.N), "syncs/op")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, cold := range []bool{false, true} {
		b.Run(fmt.Sprintf("cold=%v", cold), func(b *testing.B) {
			j := benchOpen(b, Config{TailBytes: 8 << 20})
			batch := benchBatch(nil, 1000)
			for range 30 {
				mustAppend(b, j, batch)
			}
			if cold {
				j.dropTail()
			}
			b.SetBytes(int64(len(batch)))
			at := int64(0)
			for b.Loop() {
				span, err := j.Read(at, len(batch))
				if err != nil {
					b.Fatal(err)
				}
				span.Release()
				if at = span.Next; at == j.DurableEnd() {
					at = 0
				}
			}
		})
	}
}

// BenchmarkRecover opens 256 MiB without a checkpoint, from the page cache.
func BenchmarkRecover(b *testing.B) {
	dir := benchDir(b)
	j, err := Open(Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	batch := benchBatch(nil, 1000)
	for n := 0; n < 256<<20; n += len(batch) {
		if _, err := j.Append(batch); err != nil {
			b.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(256 << 20)
	for b.Loop() {
		b.StopTimer()
		if err := os.Remove(dir + "/" + checkpointName); err != nil && !os.IsNotExist(err) {
			b.Fatal(err)
		}
		b.StartTimer()
		began := time.Now()
		k, err := Open(Config{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(began).Seconds(), "s/open")
		b.StopTimer()
		if k.Recovered().Scanned < 256<<20 {
			b.Fatal(k.Recovered())
		}
		if err := k.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// BenchmarkAppend is an append without a sync: what a batch costs besides the disk.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 100, 4000} {
		b.Run(fmt.Sprintf("records=%d", n), func(b *testing.B) {
			j := benchOpen(b, Config{})
			batch := benchBatch(nil, n)
			b.SetBytes(int64(len(batch)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := j.Append(batch); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkAppendPayload(b *testing.B) {
	j := benchOpen(b, Config{Own: true})
	p := make([]byte, 1000)
	b.SetBytes(1000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := j.AppendPayload(p); err != nil {
			b.Fatal(err)
		}
	}
}
