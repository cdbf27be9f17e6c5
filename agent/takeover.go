package agent

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/weirlog/weir/agent/takeover"
	"github.com/weirlog/weir/ledger"
)

// TakeOver names a Filebeat whose places in files the agent starts from.
type TakeOver struct {
	// Data is its path.data: meta.json holds its id, filebeat.lock tells that it runs.
	Data string
	// Registry is its registry; empty: registry in Data.
	Registry string
}

var errFilebeatRuns = errors.New("a Filebeat runs on this data folder: stop it first")

// takeOver fills an empty registry from that of a Filebeat, whose files are never changed.
func (a *Agent) takeOver() error {
	t := a.cfg.TakeOver
	if t.Data == "" && t.Registry == "" || len(a.reg.sources()) > 0 {
		return nil
	}
	registry := t.Registry
	if registry == "" {
		registry = filepath.Join(t.Data, "registry")
	}
	places, err := takeover.Read(registry)
	if err != nil || len(places) == 0 {
		return err
	}
	if isLocked(filepath.Join(t.Data, "filebeat.lock")) {
		return fmt.Errorf("take over %s: %w", registry, errFilebeatRuns)
	}
	type found struct {
		file string
		st   fileStat
		at   takeover.Place
	}
	var list []found
	taken := map[inode]bool{}
	for _, p := range places {
		if file, st, ok := fileOf(&p); ok && !taken[st.place.inode()] {
			taken[st.place.inode()] = true
			list = append(list, found{file, st, p})
		}
	}
	slices.SortFunc(list, func(x, y found) int { return x.st.mtime.Compare(y.st.mtime) })
	chains := map[string]ledger.Source{}
	n := 0
	for _, f := range list {
		sv := saved{id: ledger.NewSource(time.Now()), place: f.st.place, seen: time.Now().UnixMilli(), path: f.file}
		in, about := a.inputOf(&sv)
		if in == nil || f.at.Finished {
			continue
		}
		if _, ok := chains[about]; !ok {
			chains[about] = sv.id
		}
		sv.chain, sv.input = chains[about], in.conf.ID
		if err := a.placeAt(&sv, f.st.size, f.at.Offset); err != nil {
			a.log.Warn("place of a Filebeat not taken over, the file is read from its beginning", "path", f.file, "error", err)
			continue
		}
		a.reg.add(sv)
		n++
	}
	a.log.Info("places of a Filebeat taken over", "registry", registry, "files", n, "of", len(places))
	return a.reg.flush()
}

// placeAt fills position and proofs of a file in.
func (a *Agent) placeAt(sv *saved, size, offset int64) error {
	if offset > size {
		return fmt.Errorf("place %d is behind the end of the file, %d", offset, size)
	}
	f, err := openAt(sv.path, sv.place)
	if err != nil {
		return err
	}
	defer f.Close()
	head := make([]byte, min(size, headBytes))
	if _, err := io.ReadFull(io.NewSectionReader(f, 0, int64(len(head))), head); err != nil {
		return err
	}
	t := make([]byte, min(offset, tailBytes))
	if _, err := io.ReadFull(io.NewSectionReader(f, offset-int64(len(t)), int64(len(t))), t); err != nil {
		return err
	}
	sv.headLen, sv.headSum = len(head), sha256.Sum256(head)
	sv.pos, sv.size, sv.tail, sv.at, sv.start = offset, offset, tailSum(t), sv.seen, offset
	return nil
}

// fileOf finds the file of a place: at its path, or rotated in the same folder.
func fileOf(p *takeover.Place) (file string, st fileStat, ok bool) {
	if st, err := statPath(p.Path, true); err == nil && holds(p, p.Path, &st) {
		return p.Path, st, true
	}
	if p.Identity == "path" {
		return "", st, false
	}
	dir := filepath.Dir(p.Path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", st, false
	}
	for i, e := range entries {
		if i == maxStrays {
			break
		}
		name := filepath.Join(dir, e.Name())
		if st, err := statPath(name, false); err == nil && name != p.Path && holds(p, name, &st) {
			return name, st, true
		}
	}
	return "", st, false
}

// holds reports whether a file is the one a Filebeat meant.
func holds(p *takeover.Place, name string, st *fileStat) bool {
	if !st.regular() {
		return false
	}
	switch p.Identity {
	case "native":
		return st.place.ino == p.Inode && st.place.dev == p.Device
	case "inode_marker":
		return st.place.ino == p.Inode
	case "path":
		return name == p.Path
	}
	f, err := openAt(name, st.place)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, headBytes)
	n, _ := f.ReadAt(head, 0)
	sum := sha256.Sum256(head[:n])
	return n == headBytes && hex.EncodeToString(sum[:]) == p.Value
}

// isLocked reports whether somebody holds the lock of a file; a missing one is free.
func isLocked(name string) bool {
	f, err := os.Open(name)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}
