package fleet

import (
	"errors"
	"fmt"
	"slices"

	"github.com/weirlog/weir/pipeline"
)

// ErrChanged says that a pipeline has another text than the one a change was made from.
var ErrChanged = errors.New("the pipeline was changed meanwhile")

// Applied is the outcome of a change.
type Applied struct {
	Version int    `json:"version"`
	Hash    string `json:"hash"`
	How     string `json:"how"` // filters, restart or same
}

// reload takes over the text as it is now.
func (u *unit) reload() {
	u.changing.Lock()
	defer u.changing.Unlock()
	texts, err := u.texts()
	if err != nil {
		u.f.cfg.Log.Warn("configuration cannot be read again", "pipeline", u.id, "err", err)
		return
	}
	if h := hashOf(texts) + fingerprint(u.running().Files()); h == u.refused {
		return
	} else if how, err := u.swap(texts); err != nil {
		u.refused = h
		u.count(err)
		u.f.cfg.Log.Error("changed configuration is not taken; the one before goes on", "pipeline", u.id, "err", firstLine(err))
	} else if how != "same" {
		u.refused = ""
		u.count(nil)
		u.note(texts, "read again", false)
		u.f.cfg.Log.Info("configuration changed", "pipeline", u.id, "by", how)
	}
}

// Apply makes texts the configuration of a pipeline, where it is kept too. base is the hash of the text the change was made from, ""
// for any. The names must be those the pipeline has. On an error the text before goes on; one of the text is a conf.Errors.
func (f *Fleet) Apply(id string, texts []pipeline.Source, base, note string) (Applied, error) {
	u := f.unit(id)
	if u == nil {
		return Applied{}, ErrUnknown
	}
	u.changing.Lock()
	defer u.changing.Unlock()
	u.mu.Lock()
	before, hash := u.cfg.Text, u.hash
	u.mu.Unlock()
	if base != "" && base != hash {
		return Applied{}, ErrChanged
	}
	if !slices.EqualFunc(texts, before, func(a, b pipeline.Source) bool { return a.Name == b.Name }) {
		return Applied{}, fmt.Errorf("the texts of pipeline %s are not those it has", id)
	}
	how, err := u.swap(texts)
	if err == nil && how != "same" {
		if err = u.keep(texts); err != nil {
			_, back := u.swap(before)
			err = errors.Join(fmt.Errorf("keep the text: %w", err), back)
		}
	}
	if how != "same" || err != nil {
		u.count(err)
	}
	if err != nil {
		return Applied{}, err
	}
	v := u.note(texts, note, how != "same")
	return Applied{Version: v, Hash: hashOf(texts), How: how}, nil
}

// Rollback applies a text of the history.
func (f *Fleet) Rollback(id string, version int) (Applied, error) {
	v, err := f.Version(id, version)
	if err != nil {
		return Applied{}, err
	}
	return f.Apply(id, v.Files, "", fmt.Sprintf("back to version %d", version))
}

// Texts is what a pipeline runs, and its hash.
func (f *Fleet) Texts(id string) ([]pipeline.Source, string, error) {
	u := f.unit(id)
	if u == nil {
		return nil, "", ErrUnknown
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Clone(u.cfg.Text), u.hash, nil
}

// Settings is the configuration of a pipeline with other texts, to check or trace them.
func (f *Fleet) Settings(id string, texts []pipeline.Source) (pipeline.Config, error) {
	u := f.unit(id)
	if u == nil {
		return pipeline.Config{}, ErrUnknown
	}
	return u.with(texts), nil
}
