package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/vfs"
)

// Version is a text a pipeline had.
type Version struct {
	Version int               `json:"version"`
	Hash    string            `json:"hash"`
	Time    time.Time         `json:"time"`
	Note    string            `json:"note"`
	Active  bool              `json:"active"`
	Files   []pipeline.Source `json:"files,omitempty"`
}

// maxVersions is how many texts are kept; older ones go.
const maxVersions = 200

// note adds texts to the history, unless they are its newest; again adds them all the same. It gives the version's number.
func (u *unit) note(texts []pipeline.Source, note string, again bool) int {
	if u.spec.Dir == "" {
		return 0
	}
	numbers := u.numbers()
	last := 0
	if n := len(numbers); n > 0 {
		last = numbers[n-1]
		if v, err := u.version(last); err == nil && v.Hash == hashOf(texts) && !again {
			return last
		}
	}
	v := Version{Version: last + 1, Hash: hashOf(texts), Time: u.f.cfg.Now().UTC(), Note: note, Files: texts}
	b, err := json.MarshalIndent(v, "", "  ")
	if err == nil {
		err = vfs.MkdirDurable(vfs.OS(), filepath.Dir(u.file(v.Version)))
	}
	if err == nil {
		err = vfs.WriteFileAtomic(vfs.OS(), u.file(v.Version), append(b, '\n'))
	}
	if err != nil {
		u.f.cfg.Log.Warn("version of a configuration cannot be kept", "pipeline", u.id, "err", err)
		return 0
	}
	for len(numbers) >= maxVersions {
		os.Remove(u.file(numbers[0]))
		numbers = numbers[1:]
	}
	return v.Version
}

func (u *unit) file(version int) string {
	return filepath.Join(u.spec.Dir, "history", fmt.Sprintf("%06d.json", version))
}

// numbers is the versions there are, oldest first.
func (u *unit) numbers() []int {
	if u.spec.Dir == "" {
		return nil
	}
	entries, err := os.ReadDir(filepath.Join(u.spec.Dir, "history"))
	if err != nil {
		return nil // none yet
	}
	var l []int
	for _, e := range entries {
		if n, err := strconv.Atoi(strings.TrimSuffix(e.Name(), ".json")); err == nil {
			l = append(l, n)
		}
	}
	slices.Sort(l)
	return l
}

func (u *unit) version(n int) (Version, error) {
	var v Version
	b, err := os.ReadFile(u.file(n))
	if errors.Is(err, fs.ErrNotExist) {
		return v, ErrUnknown
	}
	if err == nil {
		err = json.Unmarshal(b, &v)
	}
	if err != nil {
		return v, fmt.Errorf("read version %d of pipeline %s: %w", n, u.id, err)
	}
	return v, nil
}

// History is the versions of a pipeline, newest first, without their texts.
func (f *Fleet) History(id string) ([]Version, error) {
	u := f.unit(id)
	if u == nil {
		return nil, ErrUnknown
	}
	u.mu.Lock()
	hash := u.hash
	u.mu.Unlock()
	active := false
	l := []Version{}
	numbers := u.numbers()
	slices.Reverse(numbers)
	for _, n := range numbers {
		v, err := u.version(n)
		if err != nil {
			return nil, err
		}
		v.Files = nil
		v.Active = !active && v.Hash == hash
		active = active || v.Active
		l = append(l, v)
	}
	return l, nil
}

// Version is one version with its texts.
func (f *Fleet) Version(id string, n int) (Version, error) {
	u := f.unit(id)
	if u == nil || u.spec.Dir == "" {
		return Version{}, ErrUnknown
	}
	return u.version(n)
}

// applied is a text that replaces another until that one changes.
type applied struct {
	Base  string            `json:"base"` // hash of the text it replaces
	Files []pipeline.Source `json:"files"`
}

func (u *unit) appliedFile() string { return filepath.Join(u.spec.Dir, "applied.json") }

// texts is the configuration as it is now: what was applied, or what Texts gives.
func (u *unit) texts() ([]pipeline.Source, error) {
	texts, err := u.spec.Texts()
	if err != nil || u.spec.Write != nil || u.spec.Dir == "" {
		return texts, err
	}
	b, err := os.ReadFile(u.appliedFile())
	if errors.Is(err, fs.ErrNotExist) {
		return texts, nil
	}
	var a applied
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", u.appliedFile(), err)
	}
	if a.Base != hashOf(texts) {
		return texts, nil
	}
	return a.Files, nil
}

// keep puts texts where they are found at the next start.
func (u *unit) keep(texts []pipeline.Source) error {
	if u.spec.Write != nil {
		return u.spec.Write(texts)
	}
	if u.spec.Dir == "" {
		return nil
	}
	own, err := u.spec.Texts()
	if err != nil {
		return err
	}
	b, err := json.Marshal(applied{Base: hashOf(own), Files: texts})
	if err == nil {
		err = vfs.MkdirDurable(vfs.OS(), u.spec.Dir)
	}
	if err == nil {
		err = vfs.WriteFileAtomic(vfs.OS(), u.appliedFile(), append(b, '\n'))
	}
	return err
}
