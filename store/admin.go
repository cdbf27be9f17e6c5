package store

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
)

// idxDir is the folder of the indices' folders.
const idxDir = "idx"

// change journals commands, carries them out and waits until they are durable.
func (s *Store) change(cs ...command) error {
	s.commit.Lock()
	mark, err := s.changeLocked(cs...)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

// changeLocked journals commands and carries them out; the caller holds commit and syncs the mark, or writes a record behind it that
// is synced.
func (s *Store) changeLocked(cs ...command) (mark journal.Mark, err error) {
	if err := s.writable(); err != nil {
		return mark, err
	}
	for _, c := range cs {
		next := s.meta.Load().clone()
		p, err := appendCommand(nil, c, s.cfg.Now().UnixMilli())
		if err != nil {
			return mark, err
		}
		if mark, err = s.jr.AppendPayload(p); err != nil {
			return mark, fmt.Errorf("write journal: %w", err)
		}
		if err := s.carryOut(next, c); err != nil {
			return mark, err
		}
		s.last = mark
		s.remember(mark.End, c)
	}
	return mark, nil
}

// carryOut applies a command to next and makes it the metadata. The caller holds commit, or nobody else knows the store yet.
func (s *Store) carryOut(next *metadata, c command) error {
	ix, err := next.apply(c, func(m *indexMeta) (*index, error) { return newIndex(m, s.indexDir(m.UUID)) })
	if err != nil {
		return err
	}
	s.meta.Store(next)
	if c.DeleteIndex != "" && ix != nil {
		s.forget(ix)
	}
	return nil
}

func (s *Store) indexDir(uuid string) string {
	u, err := parseUUID(uuid)
	if err != nil {
		return filepath.Join(s.cfg.Dir, idxDir, "unnamed")
	}
	return filepath.Join(s.cfg.Dir, idxDir, dirName(u))
}

// forget lets go of a deleted index's documents; the next checkpoint removes its files.
func (s *Store) forget(ix *index) {
	ix.gone = true
	s.pub.Lock()
	defer s.pub.Unlock()
	p := ix.parts.Load()
	ix.parts.Store(&parts{head: newHead(ix.uuid)})
	for _, seg := range p.segs {
		s.dropLocked(seg)
	}
	for _, h := range p.heads() {
		s.headBytes.Add(-h.counted.Swap(0))
	}
	s.leftovers.Store(true)
}

// CreateRequest is the body of PUT /{index}.
type CreateRequest struct {
	Settings, Mappings, Aliases json.RawMessage
}

// CreateIndex makes an index; templates apply, the request wins. The name may be date math.
func (s *Store) CreateIndex(name string, req CreateRequest) error {
	_, err := s.CreateNamed(name, req)
	return err
}

// CreateNamed is CreateIndex; it tells what a name of date math stands for at this moment.
func (s *Store) CreateNamed(name string, req CreateRequest) (string, error) {
	given := name
	name, err := dateMathName(name, s.cfg.Now())
	if err != nil {
		return "", err
	}
	if err := checkName(name); err != nil {
		return "", err
	}
	s.commit.Lock()
	c, err := s.planIndex(name, req, "", false)
	var mark journal.Mark
	if err == nil && given != name {
		c.PutIndex.Settings, err = withSetting(c.PutIndex.Settings, providedName, given)
	}
	if err == nil {
		mark, err = s.changeLocked(c)
	}
	s.commit.Unlock()
	if err != nil {
		return "", err
	}
	return name, s.syncMeta(mark)
}

// planIndex composes a new index from templates and a request. The caller holds commit.
func (s *Store) planIndex(name string, req CreateRequest, stream string, hidden bool) (command, error) {
	m := s.meta.Load()
	if ix := m.indices[name]; ix != nil {
		return command{}, &Error{Status: 400, Type: "resource_already_exists_exception", Reason: fmt.Sprintf("index [%s/%s] already exists", name, ix.info().UUID), Index: name}
	}
	if m.aliases[name] != nil || m.streams[name] != nil {
		return command{}, &Error{Status: 400, Type: "invalid_index_name_exception", Reason: fmt.Sprintf("Invalid index name [%s], already exists as alias or data stream", name), Index: name}
	}
	match := name
	if stream != "" {
		match = stream
	}
	t, err := m.compose(match)
	if err != nil {
		return command{}, err
	}
	im := indexMeta{Name: name, UUID: newUUID(), Created: s.cfg.Now().UnixMilli(), Settings: t.settings, Mapping: t.mapping, Aliases: t.aliases, Stream: stream, Hidden: hidden}
	if im.Settings, im.Mapping, err = overlay(im.Settings, im.Mapping, req.Settings, req.Mappings); err != nil {
		return command{}, err
	}
	if im.Aliases, err = mergeAliases(im.Aliases, req.Aliases); err != nil {
		return command{}, err
	}
	for a := range im.Aliases {
		if m.indices[a] != nil || m.streams[a] != nil || a == name {
			return command{}, errorf(400, "invalid_alias_name_exception", "Invalid alias name [%s]: an index or data stream exists with the same name as the alias", a)
		}
	}
	set, err := im.Settings.Analyzers()
	if err == nil {
		err = checkAnalyzers(set, im.Mapping)
	}
	if err != nil {
		return command{}, err
	}
	im.Hidden = im.Hidden || im.Settings.Bool("hidden", false)
	return newIndexMeta(im).command(), nil
}

// overlay puts a request's settings and mappings on top.
func overlay(set *Settings, mp *mapping.Mapping, settings, mappings []byte) (*Settings, *mapping.Mapping, error) {
	more, err := ParseSettings(settings)
	if err != nil {
		return nil, nil, err
	}
	over, err := mapping.Parse(mappings)
	if err == nil {
		mp, err = mp.Merge(over)
	}
	if err != nil {
		return nil, nil, mappingError(err)
	}
	return set.merge(more), mp, nil
}

// mappingError gives a mapping's error the store's type.
func mappingError(err error) error {
	if me, ok := err.(*mapping.Error); ok {
		return fromMapping(me)
	}
	return err
}

// maxNameBytes is the longest name of an index.
const maxNameBytes = 255

// checkName refuses what cannot name an index.
func checkName(name string) error {
	bad := func(why string) error {
		return &Error{Status: 400, Type: "invalid_index_name_exception", Reason: fmt.Sprintf("Invalid index name [%s], %s", name, why), Index: name}
	}
	switch {
	case name == "" || name == "." || name == "..":
		return bad("must not be '.' or '..'")
	case strings.ContainsAny(name, `\/*?"<>| ,#:`):
		return bad(`must not contain the following characters ['\','/','*','?','"','<','>','|',' ',',','#',':']`)
	case strings.ContainsAny(name[:1], "_-+"):
		return bad("must not start with '_', '-', or '+'")
	case name != strings.ToLower(name):
		return bad("must be lowercase")
	case len(name) > maxNameBytes:
		return bad(fmt.Sprintf("index name is too long, (%d > 255)", len(name)))
	}
	return nil
}

// DeleteIndex removes indices by an expression that names no alias.
func (s *Store) DeleteIndex(expr string, opts ResolveOptions) error {
	s.commit.Lock()
	cs, err := s.planDelete(expr, opts)
	var mark journal.Mark
	if err == nil {
		mark, err = s.changeLocked(cs...)
	}
	s.commit.Unlock()
	if err != nil || len(cs) == 0 {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) planDelete(expr string, opts ResolveOptions) ([]command, error) {
	m := s.meta.Load()
	for _, part := range strings.Split(expr, ",") {
		if m.aliases[part] != nil {
			return nil, errorf(400, "illegal_argument_exception", "The provided expression [%s] matches an alias, specify the corresponding concrete indices instead.", part)
		}
		if m.streams[part] != nil {
			return nil, errorf(400, "illegal_argument_exception", "The provided expression [%s] matches a data stream, specify the corresponding concrete indices instead.", part)
		}
	}
	opts.noAliases = true
	refs, err := m.resolve(expr, opts, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	var cs []command
	for _, r := range refs {
		im := m.indices[r.Name].info()
		if err := im.alterable(); err != nil {
			return nil, err
		}
		if st := m.streams[im.Stream]; st != nil {
			if st.Indices[len(st.Indices)-1] == im.Name {
				return nil, errorf(400, "illegal_argument_exception", "index [%s] is the write index for data stream [%s] and cannot be deleted", im.Name, st.Name)
			}
			cs = append(cs, command{PutStream: st.without(im.Name)})
		}
		cs = append(cs, command{DeleteIndex: im.UUID})
	}
	return cs, nil
}

// PutMapping merges a mapping into the indices an expression names.
func (s *Store) PutMapping(expr string, body []byte, opts ResolveOptions) error {
	over, err := mapping.Parse(body)
	if err != nil {
		return mappingError(err)
	}
	return s.changeIndices(expr, opts, func(im indexMeta) (indexMeta, error) {
		if err := im.alterable(); err != nil {
			return im, err
		}
		mp, err := im.Mapping.Merge(over)
		if err != nil {
			return im, mappingError(err)
		}
		im.Mapping = mp
		return im, checkAnalyzers(im.analyzers, mp)
	})
}

// PutSettings merges settings into the indices an expression names.
func (s *Store) PutSettings(expr string, body []byte, opts ResolveOptions) error {
	more, err := ParseSettings(body)
	if err != nil {
		return err
	}
	for _, n := range more.Names() {
		if Private(n) || n == "number_of_shards" || n == "uuid" || n == "creation_date" || n == "version.created" || strings.HasPrefix(n, "analysis.") {
			return errorf(400, "illegal_argument_exception", "Can't update non dynamic settings [[index.%s]] for open indices", n)
		}
	}
	onlyBlocks := !slices.ContainsFunc(more.Names(), func(n string) bool { return !strings.HasPrefix(n, "blocks.") })
	return s.changeIndices(expr, opts, func(im indexMeta) (indexMeta, error) {
		if err := im.alterable(); err != nil && !onlyBlocks {
			return im, err
		}
		im.Settings = im.Settings.merge(more)
		return im, nil
	})
}

// SetClosed opens or closes the indices an expression names. A closed one is neither searched nor written.
func (s *Store) SetClosed(expr string, closed bool, opts ResolveOptions) error {
	opts.Closed = true
	return s.changeIndices(expr, opts, func(im indexMeta) (indexMeta, error) {
		im.Closed = closed
		return im, nil
	})
}

// changeIndices changes the metadata of every index an expression names, all or none.
func (s *Store) changeIndices(expr string, opts ResolveOptions, f func(indexMeta) (indexMeta, error)) error {
	s.commit.Lock()
	mark, n, err := s.changeIndicesLocked(expr, opts, f)
	s.commit.Unlock()
	if err != nil || n == 0 {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) changeIndicesLocked(expr string, opts ResolveOptions, f func(indexMeta) (indexMeta, error)) (mark journal.Mark, n int, err error) {
	m := s.meta.Load()
	refs, err := m.resolve(expr, opts, s.cfg.Now())
	if err != nil {
		return mark, 0, err
	}
	var cs []command
	for _, r := range refs {
		im, err := f(*m.indices[r.Name].info())
		if err != nil {
			return mark, 0, err
		}
		cs = append(cs, newIndexMeta(im).command())
	}
	mark, err = s.changeLocked(cs...)
	return mark, len(cs), err
}

// extendMapping adds fields that a document needs and returns the paths there was no room for. The record of the document, which is
// written later, makes the change durable.
func (s *Store) extendMapping(ix *index, missing []mapping.Missing) ([]string, error) {
	s.commit.Lock()
	defer s.commit.Unlock()
	return s.extendMappingLocked(ix, missing)
}

func (s *Store) extendMappingLocked(ix *index, missing []mapping.Missing) ([]string, error) {
	im := *ix.info()
	mp, beyond, err := im.Mapping.Extend(missing, im.limits)
	if err != nil {
		return nil, err
	}
	if string(mp.JSON()) == string(im.Mapping.JSON()) {
		return beyond, nil
	}
	im.Mapping = mp
	if ix.gone {
		return nil, noSuchIndex(im.Name)
	}
	_, err = s.changeLocked(newIndexMeta(im).command())
	return beyond, err
}
