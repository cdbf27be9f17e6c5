package store

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
)

// DataStream is what GET _data_stream tells.
type DataStream struct {
	Name       string
	Indices    []IndexRef // oldest first; the last one is written to
	Generation int
	Template   string
	Hidden     bool
}

// CreateDataStream makes a data stream whose name a template with data_stream matches.
func (s *Store) CreateDataStream(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	s.commit.Lock()
	mark, err := s.createNamedStream(name)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) createNamedStream(name string) (mark journal.Mark, err error) {
	m := s.meta.Load()
	if m.streams[name] != nil || m.indices[name] != nil || m.aliases[name] != nil {
		return mark, errorf(400, "resource_already_exists_exception", "data_stream [%s] already exists", name)
	}
	t, err := m.compose(name)
	if err != nil {
		return mark, err
	}
	if !t.stream {
		return mark, errorf(400, "illegal_argument_exception", "no matching index template found for data stream [%s]", name)
	}
	return s.createStreamLocked(name, t)
}

// createStreamLocked makes a data stream and its first backing index; the caller holds commit.
func (s *Store) createStreamLocked(name string, t *composed) (journal.Mark, error) {
	backing := backingName(name, 1, s.cfg.Now())
	c, err := s.planIndex(backing, CreateRequest{}, name, true)
	if err != nil {
		return journal.Mark{}, err
	}
	return s.changeLocked(c, command{PutStream: &streamMeta{Name: name, Indices: []string{backing}, Generation: 1, Template: t.name}})
}

// backingName is .ds-<name>-<yyyy.MM.dd>-<generation>.
func backingName(stream string, generation int, now time.Time) string {
	return fmt.Sprintf(".ds-%s-%s-%06d", stream, now.UTC().Format("2006.01.02"), generation)
}

// without is the stream less one backing index.
func (st *streamMeta) without(index string) *streamMeta {
	c := *st
	c.Indices = slices.DeleteFunc(slices.Clone(st.Indices), func(n string) bool { return n == index })
	return &c
}

// DataStreams lists the data streams a pattern names ("" for all), by name. A plain name that is not there is an error.
func (s *Store) DataStreams(pattern string) ([]DataStream, error) {
	m := s.meta.Load()
	if pattern == "" {
		pattern = "*"
	}
	var out []DataStream
	for _, one := range strings.Split(pattern, ",") {
		n := len(out)
		for _, name := range slices.Sorted(maps.Keys(m.streams)) {
			if !mapping.Glob(one, name) {
				continue
			}
			st := m.streams[name]
			d := DataStream{Name: name, Generation: st.Generation, Template: st.Template, Hidden: st.Hidden}
			for _, ix := range st.Indices {
				d.Indices = append(d.Indices, IndexRef{Name: ix, UUID: m.indices[ix].info().UUID})
			}
			out = append(out, d)
		}
		if len(out) == n && !strings.Contains(one, "*") {
			return nil, noSuchIndex(one)
		}
	}
	return out, nil
}

// DeleteDataStream removes data streams with their backing indices.
func (s *Store) DeleteDataStream(pattern string) error {
	list, err := s.DataStreams(pattern)
	if err != nil {
		return err
	}
	var cs []command
	for _, d := range list {
		cs = append(cs, command{DeleteStream: d.Name}, command{DeleteTemplate: &templateCmd{Kind: StreamLifecycle, Name: d.Name}})
		for _, ix := range d.Indices {
			cs = append(cs, command{DeleteIndex: ix.UUID})
		}
	}
	return s.change(cs...)
}

// RolloverResult is what a rollover did.
type RolloverResult struct {
	Old, New string
}

// generationName splits logs-000007 into its prefix and number.
var generationName = regexp.MustCompile(`^(.*)-(\d+)$`)

// Rollover gives a data stream or a write alias a new index; dry only says which.
func (s *Store) Rollover(target, newName string, req CreateRequest, dry bool) (RolloverResult, error) {
	s.commit.Lock()
	res, mark, err := s.rolloverLocked(target, newName, req, dry)
	s.commit.Unlock()
	if err != nil || dry {
		return res, err
	}
	return res, s.syncMeta(mark)
}

func (s *Store) rolloverLocked(target, newName string, req CreateRequest, dry bool) (res RolloverResult, mark journal.Mark, err error) {
	m := s.meta.Load()
	if st := m.streams[target]; st != nil {
		res.Old = st.Indices[len(st.Indices)-1]
		res.New = backingName(st.Name, st.Generation+1, s.cfg.Now())
		c, err := s.planIndex(res.New, req, st.Name, true)
		if err != nil || dry {
			return res, mark, err
		}
		next := *st
		next.Generation++
		next.Indices = append(slices.Clone(st.Indices), res.New)
		mark, err = s.changeLocked(c, command{PutStream: &next}, s.markRolled(m.indices[res.Old]))
		return res, mark, err
	}
	if m.aliases[target] == nil {
		return res, mark, errorf(400, "illegal_argument_exception", "rollover target [%s] does not exist", target)
	}
	old, err := m.aliasWrite(target)
	if err != nil {
		return res, mark, err
	}
	res.Old = old.name()
	given := newName
	if given == "" {
		if given, err = nextName(old.info()); err != nil {
			return res, mark, err
		}
	}
	if res.New, err = dateMathName(given, s.cfg.Now()); err != nil {
		return res, mark, err
	}
	if err := checkName(res.New); err != nil {
		return res, mark, err
	}
	c, err := s.planIndex(res.New, req, "", false)
	if err == nil && given != res.New {
		c.PutIndex.Settings, err = withSetting(c.PutIndex.Settings, providedName, given)
	}
	if err != nil || dry {
		return res, mark, err
	}
	cs := moveAlias(old.info(), &c, target)
	last := &cs[len(cs)-1]
	if last.PutIndex.Settings, err = withSetting(last.PutIndex.Settings, RolledOver, strconv.FormatInt(s.cfg.Now().UnixMilli(), 10)); err != nil {
		return res, mark, err
	}
	mark, err = s.changeLocked(cs...)
	return res, mark, err
}

// nextName is the name behind an index's: its trailing number plus one in six digits, date math as it was.
func nextName(im *indexMeta) (string, error) {
	name, open, shut := im.Name, "", ""
	if given, ok := im.Settings.Get(providedName); ok && len(given) > 2 {
		name, open, shut = given[1:len(given)-1], "<", ">"
	}
	g := generationName.FindStringSubmatch(name)
	if g == nil {
		return "", errorf(400, "illegal_argument_exception", "index name [%s] does not match pattern '^.*-\\d+$'", im.Name)
	}
	n, err := strconv.Atoi(g[2])
	if err != nil {
		return "", errorf(400, "illegal_argument_exception", "index name [%s] ends with a number that is too large", im.Name)
	}
	return fmt.Sprintf("%s%s-%06d%s", open, g[1], n+1, shut), nil
}

// moveAlias makes the new index the one an alias writes to: with is_write_index the old one stays in the alias, else it leaves.
func moveAlias(old *indexMeta, c *command, alias string) []command {
	a := old.Aliases[alias]
	aliases := map[string]AliasMeta{}
	maps.Copy(aliases, old.Aliases)
	delete(aliases, alias)
	fresh := a
	if a.IsWriteIndex != nil {
		yes, no := true, false
		fresh.IsWriteIndex = &yes
		a.IsWriteIndex = &no
		aliases[alias] = a
	}
	if c.PutIndex.Aliases == nil {
		c.PutIndex.Aliases = map[string]AliasMeta{}
	}
	c.PutIndex.Aliases[alias] = fresh
	om := *old
	om.Aliases = aliases
	return []command{*c, newIndexMeta(om).command()}
}

// withSetting is a command's settings with one more.
func withSetting(settings []byte, name, value string) ([]byte, error) {
	set, err := ParseSettings(settings)
	if err != nil {
		return nil, err
	}
	return set.merge(&Settings{values: map[string]string{name: value}}).flatJSON(), nil
}
