package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/weirlog/weir/vfs"
)

// model knows what a journal was told and what it promised.
type model struct {
	own    bool
	acked  int64                     // offsets below were acknowledged
	start  int64                     // a Trim to here was acknowledged
	tried  int64                     // the furthest Trim that was attempted
	state  int64                     // a state of this offset was acknowledged, -1 none
	holes  map[int64]bool            // where holes begin that an earlier recovery found
	values map[int64]map[string]bool // what was appended at each offset, acknowledged or not
	final  map[int64]string          // what was acknowledged or read
}

func newModel(own bool) *model {
	return &model{own: own, state: -1, holes: map[int64]bool{}, values: map[int64]map[string]bool{}, final: map[int64]string{}}
}

func (m *model) append(j *Journal, rng *rand.Rand, name string) (Mark, error) {
	if m.own {
		v := name + strings.Repeat("p", rng.IntN(1<<rng.IntN(14)))
		m.note(j.End(), v)
		return j.AppendPayload([]byte(v))
	}
	var b []byte
	var vals []string
	for range 1 + rng.IntN(3) {
		var e Builder
		e.Reset(b)
		for range 1 + rng.IntN(4) {
			v := fmt.Sprintf("%s-%d%s", name, len(vals), strings.Repeat("x", rng.IntN(1<<rng.IntN(14))))
			vals = append(vals, v)
			e.Add(int64(len(vals)), nil, []byte(v), nil)
		}
		b = e.Finish()
	}
	for i, v := range vals {
		m.note(j.End()+int64(i), v)
	}
	return j.Append(b)
}

func (m *model) note(at int64, v string) {
	if m.values[at] == nil {
		m.values[at] = map[string]bool{}
	}
	m.values[at][v] = true
	m.final[at] = v
}

// step does something random. Errors are for the caller to judge.
func (m *model) step(j *Journal, rng *rand.Rand, name string) error {
	switch rng.IntN(12) {
	case 0:
		return j.Roll()
	case 1:
		if err := j.Checkpoint([]byte(fmt.Sprint("state at ", j.End()))); err != nil {
			return err
		}
		m.state = j.End()
		m.acked = max(m.acked, j.End())
		return nil
	case 2:
		limit := j.DurableEnd()
		if m.own && j.State() != nil {
			limit = j.StateOffset()
		}
		at := j.Start() + rng.Int64N(max(1, limit-j.Start()+1))
		m.tried = max(m.tried, at)
		start, err := j.Trim(at)
		if err == nil {
			m.start = max(m.start, start)
		}
		return err
	case 3, 4, 5:
		_, err := m.append(j, rng, name)
		return err
	default:
		mark, err := m.append(j, rng, name)
		if err == nil {
			err = j.Sync(mark)
		}
		if err == nil {
			m.acked = max(m.acked, mark.End)
		}
		return err
	}
}

// check compares a journal after a crash with what was promised.
func (m *model) check(j *Journal) error {
	start, end := j.Start(), j.DurableEnd()
	if start < m.start && start < end || start > m.tried {
		return fmt.Errorf("start %d, want between %d and %d", start, m.start, m.tried)
	}
	if end < m.acked || j.End() != end {
		return fmt.Errorf("end %d, durable %d, acknowledged %d", j.End(), end, m.acked)
	}
	seen := start
	for at := start; at < end; {
		s, err := j.Read(at, 1<<14)
		if hole := asHole(err); hole != nil && !m.own && (hole.From >= m.acked || m.holes[hole.From]) && hole.To > at {
			at, seen = hole.To, hole.To
			continue
		}
		if err != nil {
			return err
		}
		err = eachBatch(s.Bytes(), func(h Header, b []byte) error {
			it, err := Records(b)
			if err != nil {
				return err
			}
			var r Record
			for it.Next(&r) {
				v := r.Value
				if m.own {
					if _, v, err = splitPayload(b); err != nil {
						return err
					}
				}
				if r.Offset < seen {
					continue
				}
				if r.Offset != seen || !m.values[r.Offset][string(v)] {
					return fmt.Errorf("offset %d holds %.20q, want offset %d", r.Offset, v, seen)
				}
				if r.Offset < m.acked && m.final[r.Offset] != string(v) {
					return fmt.Errorf("offset %d holds %.20q, acknowledged %.20q", r.Offset, v, m.final[r.Offset])
				}
				m.final[r.Offset] = string(v)
				seen++
			}
			return it.Err()
		})
		at = s.Next
		s.Release()
		if err != nil {
			return err
		}
	}
	if seen != end {
		return fmt.Errorf("read up to %d, end %d", seen, end)
	}
	return m.checkState(j)
}

func (m *model) checkState(j *Journal) error {
	if m.state < 0 && j.State() == nil {
		return nil
	}
	at := j.StateOffset()
	if at < m.state || string(j.State()) != fmt.Sprint("state at ", at) {
		return fmt.Errorf("state %q at %d, want at least %d", j.State(), at, m.state)
	}
	return nil
}

// settle takes what a recovered journal has for what was promised.
func (m *model) settle(j *Journal) {
	for _, h := range j.Recovered().Holes {
		m.holes[h.From] = true
	}
	m.acked, m.start, m.tried = j.DurableEnd(), j.Start(), j.Start()
	if j.State() != nil {
		m.state = j.StateOffset()
	}
}

// crashSeeds power losses are tried for each kind of journal.
const crashSeeds = 600

func TestCrash(t *testing.T) {
	t.Parallel()
	pool := testPool()
	for _, own := range []bool{false, true} {
		for seed := range uint64(crashSeeds) {
			if err := crashOnce(pool, seed, own); err != nil {
				t.Fatalf("seed %d, own %v: %v", seed, own, err)
			}
		}
	}
}

// crashOnce lets a journal live three times; each life but the last ends in a power loss.
func crashOnce(pool *Pool, seed uint64, own bool) error {
	rng := rand.New(rand.NewPCG(seed, 1))
	fsys := vfs.NewMem()
	m := newModel(own)
	for life := range 3 {
		j, err := Open(Config{FS: fsys, Dir: "/d/j", Own: own, SegmentBytes: minSegmentBytes, TailBytes: 1 << 14, Pool: pool})
		if err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		if err := m.check(j); err != nil {
			return fmt.Errorf("life %d: %w", life, err)
		}
		m.settle(j)
		for i := range rng.IntN(30) {
			if err := m.step(j, rng, fmt.Sprintf("%d.%d", life, i)); err != nil {
				return fmt.Errorf("life %d, step %d: %w", life, i, err)
			}
		}
		if rng.IntN(6) == 0 {
			if err := j.Close(); err != nil {
				return err
			}
			m.acked = max(m.acked, j.End())
		}
		fsys = fsys.CrashClone(rng)
	}
	return nil
}

func TestFaultAtEveryOperation(t *testing.T) {
	t.Parallel()
	pool := testPool()
	for _, own := range []bool{false, true} {
		for _, forever := range []bool{false, true} {
			for n := 1; ; n++ {
				fired, err := faultOnce(pool, n, own, forever)
				if err != nil {
					t.Fatalf("operation %d, own %v, for ever %v: %v", n, own, forever, err)
				}
				if !fired {
					if n < 100 {
						t.Fatalf("only %d operations", n)
					}
					break
				}
			}
		}
	}
}

// faultOnce makes the n-th change of the file system fail in a row of steps, then takes the power away.
func faultOnce(pool *Pool, n int, own, forever bool) (fired bool, err error) {
	rng := rand.New(rand.NewPCG(7, 1))
	mem := vfs.NewMem()
	fault := vfs.NewFault(mem, vfs.Rule{Op: vfs.OpChanges | vfs.OpOpen, At: n, Forever: forever})
	m := newModel(own)
	cfg := Config{FS: fault, Dir: "/d/j", Own: own, SegmentBytes: minSegmentBytes, TailBytes: 1 << 14, Pool: pool}
	for life := range 2 {
		j, err := Open(cfg)
		if err != nil {
			if !errors.Is(err, vfs.ErrInjected) {
				return false, fmt.Errorf("open: %w", err)
			}
			continue
		}
		if err := m.check(j); err != nil && !errors.Is(err, vfs.ErrInjected) {
			return false, fmt.Errorf("life %d: %w", life, err)
		}
		m.settle(j)
		for i := range 40 {
			err := m.step(j, rng, fmt.Sprintf("%d.%d", life, i))
			if err != nil && !errors.Is(err, vfs.ErrInjected) && !errors.Is(err, ErrPoisoned) && !errors.Is(err, ErrOutOfRange) {
				return false, fmt.Errorf("step %d: %w", i, err)
			}
			if j.Poisoned() != nil {
				if err := j.Reopen(); err != nil && !errors.Is(err, vfs.ErrInjected) {
					return false, err
				}
			}
		}
		if err := j.Close(); err != nil && !errors.Is(err, vfs.ErrInjected) && !errors.Is(err, ErrPoisoned) {
			return false, err
		}
	}
	fired = fault.Fired() > 0
	for seed := range uint64(4) {
		var pcg *rand.Rand
		if seed > 0 {
			pcg = rand.New(rand.NewPCG(uint64(n), seed))
		}
		c := cfg
		c.FS = mem.CrashClone(pcg)
		j, err := Open(c)
		if err != nil {
			return fired, fmt.Errorf("after the crash: %w", err)
		}
		if err := m.check(j); err != nil {
			return fired, fmt.Errorf("after the crash: %w", err)
		}
		if err := j.Close(); err != nil {
			return fired, err
		}
	}
	return fired, nil
}
