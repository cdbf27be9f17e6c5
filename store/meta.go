package store

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// metadata is everything but documents: indices, data streams, templates. It is one immutable value; a change makes a new one.
type metadata struct {
	ClusterUUID string
	indices     map[string]*index
	byUUID      map[string]*index
	streams     map[string]*streamMeta
	templates   map[templateKey]*templateMeta
	aliases     map[string][]string // alias -> names of its indices, in order; derived
}

// indexMeta is what is known of an index. It is immutable.
type indexMeta struct {
	Name      string
	UUID      string
	Created   int64 // unix ms
	Settings  *Settings
	Mapping   *mapping.Mapping
	Aliases   map[string]AliasMeta
	Closed    bool
	Hidden    bool
	Stream    string // the data stream it backs
	limits    mapping.Limits
	analyzers *analysis.Set // nil: the built-in ones
}

// AliasMeta is an alias as one index has it.
type AliasMeta struct {
	Filter        json.RawMessage `json:"filter,omitempty"`
	IndexRouting  string          `json:"index_routing,omitempty"`
	SearchRouting string          `json:"search_routing,omitempty"`
	IsWriteIndex  *bool           `json:"is_write_index,omitempty"`
	IsHidden      *bool           `json:"is_hidden,omitempty"`
}

// streamMeta is a data stream.
type streamMeta struct {
	Name       string   `json:"name"`
	Indices    []string `json:"indices"` // names, oldest first; the last one is written to
	Generation int      `json:"generation"`
	Template   string   `json:"template"`
	Hidden     bool     `json:"hidden,omitempty"`
}

// templateKey names a template of one of the three kinds.
type templateKey struct {
	Kind string // "index", "component", "legacy"
	Name string
}

// templateMeta is a template as it was put.
type templateMeta struct {
	templateKey
	Body json.RawMessage
}

// command is a change of the metadata as the journal and CHECKPOINT hold it: exactly one field is set.
type command struct {
	Cluster        string        `json:"cluster,omitempty"`
	PutIndex       *indexCommand `json:"put_index,omitempty"`
	DeleteIndex    string        `json:"delete_index,omitempty"` // uuid
	PutStream      *streamMeta   `json:"put_stream,omitempty"`
	DeleteStream   string        `json:"delete_stream,omitempty"`
	PutTemplate    *templateCmd  `json:"put_template,omitempty"`
	DeleteTemplate *templateCmd  `json:"delete_template,omitempty"`
}

type indexCommand struct {
	Name     string               `json:"name"`
	UUID     string               `json:"uuid"`
	Created  int64                `json:"created"`
	Settings json.RawMessage      `json:"settings"`
	Mapping  json.RawMessage      `json:"mapping"`
	Fields   []string             `json:"fields"` // paths by field number
	Aliases  map[string]AliasMeta `json:"aliases,omitempty"`
	Closed   bool                 `json:"closed,omitempty"`
	Hidden   bool                 `json:"hidden,omitempty"`
	Stream   string               `json:"stream,omitempty"`
}

type templateCmd struct {
	Kind string          `json:"kind"`
	Name string          `json:"name"`
	Body json.RawMessage `json:"body,omitempty"`
}

func (m *indexMeta) command() command {
	c := &indexCommand{Name: m.Name, UUID: m.UUID, Created: m.Created, Settings: m.Settings.flatJSON(), Mapping: m.Mapping.JSON(), Aliases: m.Aliases,
		Closed: m.Closed, Hidden: m.Hidden, Stream: m.Stream}
	for i := range m.Mapping.Len() {
		c.Fields = append(c.Fields, m.Mapping.ByNum(i).Path)
	}
	return command{PutIndex: c}
}

func (c *indexCommand) meta() (*indexMeta, error) {
	settings, err := ParseSettings(c.Settings)
	if err != nil {
		return nil, err
	}
	mp, err := mapping.Parse(c.Mapping)
	if err != nil {
		return nil, fmt.Errorf("mapping of index %s: %w", c.Name, err)
	}
	if mp, err = mp.Numbered(c.Fields); err != nil {
		return nil, fmt.Errorf("mapping of index %s: %w", c.Name, err)
	}
	return newIndexMeta(indexMeta{Name: c.Name, UUID: c.UUID, Created: c.Created, Settings: settings, Mapping: mp, Aliases: c.Aliases, Closed: c.Closed,
		Hidden: c.Hidden, Stream: c.Stream}), nil
}

// newIndexMeta fills what is derived.
func newIndexMeta(m indexMeta) *indexMeta {
	m.limits = m.Settings.Limits()
	m.analyzers, _ = m.Settings.Analyzers() // they were checked when the settings were given
	return &m
}

func newMetadata(cluster string) *metadata {
	return &metadata{ClusterUUID: cluster, indices: map[string]*index{}, byUUID: map[string]*index{}, streams: map[string]*streamMeta{},
		templates: map[templateKey]*templateMeta{}, aliases: map[string][]string{}}
}

func (m *metadata) clone() *metadata {
	return &metadata{ClusterUUID: m.ClusterUUID, indices: maps.Clone(m.indices), byUUID: maps.Clone(m.byUUID), streams: maps.Clone(m.streams),
		templates: maps.Clone(m.templates), aliases: m.aliases}
}

// apply carries a command out on m, which nobody else sees yet. fresh makes the runtime side of a new index; the index that a command
// changed or deleted is returned.
func (m *metadata) apply(c command, fresh func(*indexMeta) (*index, error)) (*index, error) {
	switch {
	case c.Cluster != "":
		m.ClusterUUID = c.Cluster
	case c.PutIndex != nil:
		im, err := c.PutIndex.meta()
		if err != nil {
			return nil, err
		}
		return m.putIndex(im, fresh)
	case c.DeleteIndex != "":
		ix := m.byUUID[c.DeleteIndex]
		if ix != nil {
			delete(m.byUUID, c.DeleteIndex)
			delete(m.indices, ix.name())
			m.deriveAliases()
		}
		return ix, nil
	case c.PutStream != nil:
		m.streams[c.PutStream.Name] = c.PutStream
	case c.DeleteStream != "":
		delete(m.streams, c.DeleteStream)
	case c.PutTemplate != nil:
		k := templateKey{c.PutTemplate.Kind, c.PutTemplate.Name}
		m.templates[k] = &templateMeta{k, c.PutTemplate.Body}
	case c.DeleteTemplate != nil:
		delete(m.templates, templateKey{c.DeleteTemplate.Kind, c.DeleteTemplate.Name})
	}
	return nil, nil
}

func (m *metadata) putIndex(im *indexMeta, fresh func(*indexMeta) (*index, error)) (*index, error) {
	ix := m.byUUID[im.UUID]
	if ix == nil {
		var err error
		if ix, err = fresh(im); err != nil {
			return nil, err
		}
		m.byUUID[im.UUID] = ix
		m.indices[im.Name] = ix
	}
	ix.setMeta(im)
	m.deriveAliases()
	return ix, nil
}

func (m *metadata) deriveAliases() {
	m.aliases = map[string][]string{}
	for _, name := range slices.Sorted(maps.Keys(m.indices)) {
		for a := range m.indices[name].info().Aliases {
			m.aliases[a] = append(m.aliases[a], name)
		}
	}
}

// commands are the metadata as commands that make it anew.
func (m *metadata) commands() []command {
	out := []command{{Cluster: m.ClusterUUID}}
	for _, name := range slices.Sorted(maps.Keys(m.indices)) {
		out = append(out, m.indices[name].info().command())
	}
	for _, name := range slices.Sorted(maps.Keys(m.streams)) {
		out = append(out, command{PutStream: m.streams[name]})
	}
	keys := slices.SortedFunc(maps.Keys(m.templates), func(a, b templateKey) int {
		if a.Kind != b.Kind {
			return compare(a.Kind, b.Kind)
		}
		return compare(a.Name, b.Name)
	})
	for _, k := range keys {
		out = append(out, command{PutTemplate: &templateCmd{k.Kind, k.Name, m.templates[k].Body}})
	}
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// parseUUID reads the 22 characters of an index's uuid.
func parseUUID(s string) ([16]byte, error) {
	var u [16]byte
	if n, err := uuidEncoding.Decode(u[:], []byte(s)); err != nil || n != 16 || len(s) != 22 {
		return u, fmt.Errorf("uuid %q: want 22 characters of base64", s)
	}
	return u, nil
}

// dirName is the folder of an index below idx: its uuid in hexadecimal, because file systems may fold case.
func dirName(uuid [16]byte) string { return hex.EncodeToString(uuid[:]) }
