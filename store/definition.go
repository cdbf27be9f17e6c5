package store

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/mapping"
)

// Kinds of definitions beside templates: what clients put by name and get back, and what a store keeps for itself.
const (
	IngestPipeline  = "pipeline"
	StoredScript    = "script"
	LifecyclePolicy = "ilm"
	SnapshotRepo    = "repository"
	SnapshotPolicy  = "slm"
	NodeSettings    = "settings"
	LifecycleState  = "lifecycle"
)

// PutDefinition keeps a definition, in the place of the one of its name, durably.
func (s *Store) PutDefinition(kind, name string, body []byte) error {
	return s.change(command{PutTemplate: &templateCmd{kind, name, mapping.AppendCompact(nil, body)}})
}

// Definition is the definition of a name.
func (s *Store) Definition(kind, name string) (json.RawMessage, bool) {
	t := s.meta.Load().templates[templateKey{kind, name}]
	if t == nil {
		return nil, false
	}
	return t.Body, true
}

// Definitions are those whose names match one of a comma list of patterns, by name; "" is all. missing are plain names that are not there.
func (s *Store) Definitions(kind, patterns string) (list []Template, missing []string) {
	m := s.meta.Load()
	if patterns == "" || patterns == "_all" {
		patterns = "*"
	}
	names := m.templateNames(kind)
	chosen := map[string]bool{}
	for _, p := range strings.Split(patterns, ",") {
		hit := false
		for _, n := range names {
			if mapping.Glob(p, n) {
				chosen[n], hit = true, true
			}
		}
		if !hit && !strings.Contains(p, "*") {
			missing = append(missing, p)
		}
	}
	for _, n := range names {
		if chosen[n] {
			list = append(list, Template{n, m.templates[templateKey{kind, n}].Body})
		}
	}
	return list, missing
}

// DeleteDefinitions removes definitions by name.
func (s *Store) DeleteDefinitions(kind string, names ...string) error {
	var cs []command
	for _, n := range slices.Compact(slices.Sorted(slices.Values(names))) {
		cs = append(cs, command{DeleteTemplate: &templateCmd{Kind: kind, Name: n}})
	}
	return s.change(cs...)
}
