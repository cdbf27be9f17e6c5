// Package demo plays three Spring Boot services that write log files: a REST API, notifications and stories.
//
// A Player invents requests. Each request touches several services under one trace id and leaves the lines that such services leave:
// request lines, business lines, slow queries, warnings, and now and then an exception with its causes. Lines go to one file per
// service, in Spring Boot's default format, rotated by renaming as Logback does.
package demo

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

// Bounds of the files.
const (
	rotateBytes = 32 << 20 // a file is renamed at this size
	keepFiles   = 3        // renamed files kept per service
	tick        = 20 * time.Millisecond
	burstEvery  = 30 * time.Second
)

// Config says where and how much to write.
type Config struct {
	Dir   string // folder of the log files
	Rate  int    // log events per second, all services together
	Burst int    // events written at once every half minute, 0: none
	Seed  uint64 // same seed, same requests
	// RotateBytes is the size at which a file is renamed; 0: 32 MiB.
	RotateBytes int64
}

// Player writes log files until its context ends.
type Player struct {
	cfg   Config
	rng   *rand.Rand
	files map[string]*logFile
	count int64 // events written
	extra int64 // of them in bursts, which do not count against the rate
}

// Open makes the folder and the files.
func Open(cfg Config) (*Player, error) {
	if cfg.Rate < 1 || cfg.Rate > 1_000_000 || cfg.Burst < 0 || cfg.Burst > 10_000_000 {
		return nil, fmt.Errorf("demo: rate %d must be 1 to 1000000, burst %d 0 to 10000000", cfg.Rate, cfg.Burst)
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make log folder: %w", err)
	}
	p := &Player{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 42)), files: map[string]*logFile{}}
	for _, s := range services {
		f, err := openLog(filepath.Join(cfg.Dir, s+".log"))
		if err != nil {
			return nil, err
		}
		if cfg.RotateBytes > 0 {
			f.limit = cfg.RotateBytes
		}
		p.files[s] = f
	}
	return p, nil
}

// Run writes at the configured rate until ctx ends, then closes the files.
func (p *Player) Run(ctx context.Context) error {
	defer p.close()
	start := time.Now()
	nextBurst := start.Add(burstEvery / 3)
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for due := int64(0); ; {
		select {
		case <-ctx.Done():
			return nil
		case now := <-timer.C:
			due = max(due, int64(now.Sub(start).Seconds()*float64(p.cfg.Rate)))
			if p.cfg.Burst > 0 && now.After(nextBurst) {
				if err := p.burst(now); err != nil {
					return err
				}
				nextBurst = now.Add(burstEvery)
			}
			for p.count-p.extra < due {
				if err := p.request(now); err != nil {
					return err
				}
			}
			if err := p.flush(); err != nil {
				return err
			}
		}
	}
}

// Write writes at least n events at once, dated now, and returns how many.
func (p *Player) Write(n int, now time.Time) (int64, error) {
	first := p.count
	for p.count-first < int64(n) {
		if err := p.request(now); err != nil {
			return 0, err
		}
	}
	return p.count - first, p.flush()
}

// burst is a peak of traffic with a deadlock in its middle.
func (p *Player) burst(now time.Time) error {
	first := p.count
	for n := 0; p.count-first < int64(p.cfg.Burst); n++ {
		var err error
		if n%50 == 25 {
			err = p.play(now, p.deadlock())
		} else {
			err = p.request(now)
		}
		if err != nil {
			return err
		}
	}
	p.extra += p.count - first
	return nil
}

// request plays one invented request.
func (p *Player) request(now time.Time) error { return p.play(now, p.invent()) }

// play writes a scene's events with its trace id.
func (p *Player) play(now time.Time, s scene) error {
	at := now
	for _, e := range s.events {
		at = at.Add(time.Duration(p.rng.IntN(900)) * time.Microsecond)
		if err := p.files[e.service].write(format(at, e, s)); err != nil {
			return err
		}
		p.count++
	}
	return nil
}

func (p *Player) flush() error {
	for _, f := range p.files {
		if err := f.flush(); err != nil {
			return err
		}
	}
	return nil
}

// close flushes and closes all files; Close is for players that do not Run.
func (p *Player) close() {
	for _, f := range p.files {
		f.flush()
		f.f.Close()
	}
}

// Close ends a player that was only written with Write.
func (p *Player) Close() { p.close() }
