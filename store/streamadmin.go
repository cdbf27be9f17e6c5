package store

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/journal"
)

// privatePrefix begins the names of settings that the store keeps for itself and does not show.
const privatePrefix = "_"

// Settings the store keeps for itself.
const (
	RolledOver = "_rolled_over" // unix ms at which the index stopped being written to
	ILMState   = "_ilm"         // what package lifecycle remembers of an index

	providedName = "_provided_name" // date math that an index was made by; its rollovers read it again
)

// Private tells whether a setting is the store's own.
func Private(name string) bool { return strings.HasPrefix(name, privatePrefix) }

// SetPrivate keeps a value of the store's own with an index; "" takes it away.
func (s *Store) SetPrivate(index, name, value string) error {
	return s.changeIndices(index, ResolveOptions{Closed: true, Hidden: true, noAliases: true}, func(im indexMeta) (indexMeta, error) {
		im.Settings = im.Settings.merge(&Settings{values: map[string]string{name: value}})
		return im, nil
	})
}

// markRolled is the command that notes when an index was rolled over.
func (s *Store) markRolled(ix *index) command {
	im := *ix.info()
	im.Settings = im.Settings.merge(&Settings{values: map[string]string{RolledOver: strconv.FormatInt(s.cfg.Now().UnixMilli(), 10)}})
	return newIndexMeta(im).command()
}

// StreamAction adds a backing index to a data stream, or takes one out.
type StreamAction struct {
	Add           bool
	Stream, Index string
}

// ModifyStreams carries all actions out, or none.
func (s *Store) ModifyStreams(actions []StreamAction) error {
	s.commit.Lock()
	mark, err := s.modifyStreamsLocked(actions)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) modifyStreamsLocked(actions []StreamAction) (mark journal.Mark, err error) {
	m := s.meta.Load()
	var cs []command
	streams := map[string]*streamMeta{}
	for _, a := range actions {
		st := streams[a.Stream]
		if st == nil {
			st = m.streams[a.Stream]
		}
		ix := m.indices[a.Index]
		switch {
		case st == nil:
			return mark, errorf(400, "illegal_argument_exception", "data stream [%s] not found", a.Stream)
		case ix == nil:
			return mark, noSuchIndex(a.Index)
		}
		im := *ix.info()
		next := *st
		if a.Add {
			if im.Stream != "" {
				return mark, errorf(400, "illegal_argument_exception", "cannot add index [%s] to data stream [%s] because it is already a backing index on data stream [%s]", a.Index, a.Stream, im.Stream)
			}
			next.Indices = append([]string{a.Index}, st.Indices...)
			im.Stream, im.Hidden = a.Stream, true
		} else {
			at := slices.Index(st.Indices, a.Index)
			switch {
			case at < 0:
				return mark, errorf(400, "illegal_argument_exception", "index [%s] not found in data stream [%s]", a.Index, a.Stream)
			case at == len(st.Indices)-1:
				return mark, errorf(400, "illegal_argument_exception", "cannot remove backing index [%s] of data stream [%s] because it is the write index", a.Index, a.Stream)
			}
			next = *st.without(a.Index)
			im.Stream, im.Hidden = "", false
		}
		streams[a.Stream] = &next
		cs = append(cs, command{PutStream: &next}, newIndexMeta(im).command())
	}
	return s.changeLocked(cs...)
}

// MigrateAlias turns an alias with a write index into a data stream of its name.
func (s *Store) MigrateAlias(alias string) error {
	s.commit.Lock()
	mark, err := s.migrateLocked(alias)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) migrateLocked(alias string) (mark journal.Mark, err error) {
	m := s.meta.Load()
	names := m.aliases[alias]
	if names == nil {
		return mark, errorf(400, "illegal_argument_exception", "alias [%s] does not exist", alias)
	}
	t, err := m.compose(alias)
	if err != nil {
		return mark, err
	}
	if !t.stream {
		return mark, errorf(400, "illegal_argument_exception", "no matching index template found for data stream [%s]", alias)
	}
	w, err := m.aliasWrite(alias)
	if err != nil {
		return mark, errorf(400, "illegal_argument_exception", "alias [%s] must specify a write index", alias)
	}
	order := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == w.name() })
	order = append(order, w.name())
	var cs []command
	for _, n := range order {
		im := *m.indices[n].info()
		if f := im.Mapping.Field(timestampField); f == nil || !f.Type.IsDate() {
			return mark, errorf(400, "illegal_argument_exception", "index [%s] has no date field [%s]", n, timestampField)
		}
		aliases := map[string]AliasMeta{}
		for a, v := range im.Aliases {
			if a != alias {
				aliases[a] = v
			}
		}
		im.Aliases, im.Stream, im.Hidden = aliases, alias, true
		cs = append(cs, newIndexMeta(im).command())
	}
	return s.changeLocked(append(cs, command{PutStream: &streamMeta{Name: alias, Indices: order, Generation: len(order), Template: t.name}})...)
}
