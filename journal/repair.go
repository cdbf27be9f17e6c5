package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Repaired tells what Repair did.
type Repaired struct {
	Holes []Hole   // accepted now: offsets that are gone
	Kept  []string // files in the quarantine folder with the bad bytes
}

// Repair makes a damaged journal usable: every good batch stays, bad bytes are copied into the quarantine folder, and the offsets they
// took become accepted holes, which readers step over. Nothing is deleted. The caller holds the lock of the data folder and nobody has
// the journal open.
func Repair(ctx context.Context, cfg Config) (Repaired, error) {
	cfg.repair = true
	j, err := Open(cfg)
	if err != nil {
		return Repaired{}, err
	}
	out, err := j.acceptDamage(ctx)
	err = errors.Join(err, j.Close())
	if err != nil {
		return out, fmt.Errorf("repair journal %s: %w", cfg.Dir, err)
	}
	return out, nil
}

// acceptDamage looks at every byte, since rot behind the checkpoint is not seen at start.
func (j *Journal) acceptDamage(ctx context.Context) (Repaired, error) {
	var out Repaired
	report, err := VerifyDir(ctx, j.cfg.FS, j.cfg.Dir)
	if err != nil {
		return out, err
	}
	found := slices.DeleteFunc(append(j.Recovered().Holes, report.Bad...), func(h Hole) bool { return h.From >= h.To || h.Accepted })
	for _, h := range found {
		known := func(o Hole) bool { return o.From <= h.From && h.To <= o.To && o.Accepted }
		if slices.ContainsFunc(j.holes, known) || slices.ContainsFunc(out.Holes, known) {
			continue
		}
		name, err := j.keepBad(h)
		if err != nil {
			return out, err
		}
		if name != "" {
			out.Kept = append(out.Kept, name)
		}
		h.Accepted = true
		out.Holes = append(out.Holes, h)
	}
	if name := j.Recovered().TailSaved; name != "" {
		out.Kept = append(out.Kept, name)
	}
	return out, j.accept(out.Holes)
}

func (j *Journal) keepBad(h Hole) (string, error) {
	if h.PosEnd <= h.Pos {
		return "", nil
	}
	e := &extent{dir: j.cfg.Dir, base: h.Extent}
	f, err := j.cfg.FS.Open(e.name())
	if err != nil {
		return "", err
	}
	defer f.Close()
	return j.quarantine(e, f, h.Pos, h.PosEnd-h.Pos)
}

// accept puts holes in the place of those they cover and makes that durable.
func (j *Journal) accept(holes []Hole) error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	j.mu.Lock()
	for _, h := range holes {
		j.holes = slices.DeleteFunc(j.holes, func(o Hole) bool { return h.From <= o.From && o.To <= h.To })
	}
	j.holes = append(j.holes, holes...)
	slices.SortFunc(j.holes, func(a, b Hole) int { return cmp.Compare(a.From, b.From) })
	n := len(j.holes)
	j.mu.Unlock()
	if n > maxHoles {
		return fmt.Errorf("%d holes are more than the %d that can be noted", n, maxHoles)
	}
	return j.checkpointLocked(false)
}
