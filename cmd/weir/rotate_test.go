package main

import (
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// rotations are ways to rotate a file, by the name of the file; n counts from 1.
var rotations = map[string]func(path string, n int) error{
	"keep10":   func(path string, _ int) error { return shift(path, 10, false) },
	"keep3":    func(path string, _ int) error { return shift(path, 3, false) },
	"delaygz":  func(path string, _ int) error { return shift(path, 10, true) },
	"dateext":  func(path string, n int) error { return os.Rename(path, fmt.Sprintf("%s-%d", path, 1767225600+n)) },
	"copytrun": copyTruncate,
}

// shift renames path to path.1, that to path.2 and so on up to keep; packed compresses from path.2 on.
func shift(path string, keep int, packed bool) error {
	name := func(i int) string {
		if i == 0 {
			return path
		}
		if packed && i > 1 {
			return path + "." + strconv.Itoa(i) + ".gz"
		}
		return path + "." + strconv.Itoa(i)
	}
	for i := keep; i > 0; i-- {
		from, to := name(i-1), name(i)
		var err error
		if packed && i == 2 {
			err = pack(from, to)
		} else {
			err = os.Rename(from, to)
		}
		if err != nil && !os.IsNotExist(err) {
			return err
		}
	}
	return nil
}

func pack(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	defer f.Close()
	z := gzip.NewWriter(f)
	if _, err := z.Write(b); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.Remove(from)
}

func copyTruncate(path string, n int) error {
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path+"."+strconv.Itoa(n), b, 0o644)
	}
	if err == nil {
		err = os.Truncate(path, 0)
	}
	return err
}

// TestRotate: about 20,000 lines a second into files that are rotated every two seconds, each in its own way, while the process is
// killed and started again. WEIR_ROTATE is for how many seconds; without it the test is skipped.
func TestRotate(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("WEIR_ROTATE"))
	if err != nil {
		t.Skip("WEIR_ROTATE is not set")
	}
	dir := t.TempDir()
	config, logs := numbered(t, dir)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &scribe{dir: logs, rng: rand.New(rand.NewPCG(seed, 1)), next: map[string]int{}, rotated: map[string]int{}}
	args := append([]string{"up", "-c", config, "--data", filepath.Join(dir, "data")}, freePorts...)
	var stop, seen atomic.Bool // seen: the agent knows the files, whose rotations are by the table alone
	done := make(chan struct{})
	go func() {
		defer close(done)
		last := time.Now()
		for !stop.Load() {
			for name := range rotations {
				s.write(t, name, 16)
			}
			if seen.Load() && time.Since(last) > 2*time.Second {
				last = time.Now()
				for name, by := range rotations {
					s.rotated[name]++
					if err := by(filepath.Join(logs, name+".log"), s.rotated[name]); err != nil {
						t.Error(err)
					}
				}
			}
			time.Sleep(4 * time.Millisecond) // the load, not a wait: 80 lines each time
		}
	}()
	end := time.Now().Add(time.Duration(seconds) * time.Second)
	found, kills := int64(0), 0
	for time.Now().Before(end) {
		p := startWeir(t, args...)
		waitFor(t, 60*time.Second, "more documents than before", func() bool { return p.count(t) > found })
		seen.Store(true)
		time.Sleep(3 * time.Second) // some rotations while it runs
		found = p.count(t)
		p.kill()
		time.Sleep(time.Second) // and some while it is down
		kills++
	}
	stop.Store(true)
	<-done
	total := int64(0)
	for _, n := range s.next {
		total += int64(n)
	}
	p := startWeir(t, args...)
	catchUp(t, p, total)
	checkNumbers(t, p, s.next)
	p.stop(t)
	t.Logf("%d lines, %d kills, rotations %v", total, kills, s.rotated)
}
