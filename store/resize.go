package store

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// resizePage is how many documents a resize copies at a time.
const resizePage = 1000

// Resize makes target of source's documents, mapping and settings, as _clone, _shrink and _split ask; templates have no say. The source
// must not be written to (index.blocks.write). Documents are copied, because ids depend on the index.
func (s *Store) Resize(ctx context.Context, kind, source, target string, req CreateRequest) error {
	src := s.meta.Load().indices[source]
	if src == nil {
		return noSuchIndex(source)
	}
	im := src.info()
	if !im.Settings.Bool("blocks.write", false) && !im.Settings.Bool("blocks.read_only", false) {
		return errorf(500, "illegal_state_exception", "index %s must be read-only to resize index. use \"index.blocks.write=true\"", source)
	}
	more, err := ParseSettings(req.Settings)
	if err != nil {
		return err
	}
	if err := shardCount(kind, im.Settings.Int("number_of_shards", 1), more); err != nil {
		return err
	}
	if err := s.createFrom(im, target, more, req.Aliases); err != nil {
		return err
	}
	if err := s.copyDocuments(ctx, source, target); err != nil {
		return fmt.Errorf("resize %s into %s: %w", source, target, err)
	}
	return s.Flush([]string{target})
}

// shardCount checks the new number of shards, and gives the default of its kind: 1 of a shrink, the source's of a clone.
func shardCount(kind string, have int, set *Settings) error {
	text, given := set.Get("number_of_shards")
	want := have
	if given {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return errorf(400, "illegal_argument_exception", "Failed to parse value [%s] for setting [index.number_of_shards] must be >= 1", text)
		}
		want = n
	} else if kind == "shrink" {
		want = 1
	}
	switch kind {
	case "clone":
		if want != have {
			return errorf(400, "illegal_argument_exception", "the number of shards must be the same, the source has [%d], the target [%d]", have, want)
		}
	case "shrink":
		if want > have || have%want != 0 {
			return errorf(400, "illegal_argument_exception", "the number of source shards [%d] must be a multiple of [%d]", have, want)
		}
	case "split":
		if !given {
			return errorf(400, "action_request_validation_exception", "Validation Failed: 1: index.number_of_shards is required for split operations;")
		}
		if want < have || want%have != 0 {
			return errorf(400, "illegal_argument_exception", "the number of source shards [%d] must be a factor of [%d]", have, want)
		}
	}
	set.values["number_of_shards"] = strconv.Itoa(want)
	return nil
}

// createFrom makes an index with the mapping and settings of another.
func (s *Store) createFrom(im *indexMeta, target string, more *Settings, aliases []byte) error {
	if err := checkName(target); err != nil {
		return err
	}
	set := &Settings{values: maps.Clone(im.Settings.values)}
	for n := range set.values {
		if Private(n) || n == "blocks.write" || n == "blocks.read_only" || n == "default_pipeline" || n == "final_pipeline" || n == "lifecycle.name" || n == "lifecycle.rollover_alias" {
			delete(set.values, n)
		}
	}
	m := indexMeta{Name: target, UUID: newUUID(), Created: s.cfg.Now().UnixMilli(), Settings: set.merge(more), Mapping: im.Mapping}
	var err error
	if m.Aliases, err = mergeAliases(map[string]AliasMeta{}, aliases); err != nil {
		return err
	}
	m.Hidden = m.Settings.Bool("hidden", false)
	s.commit.Lock()
	mark, err := s.createFromLocked(m)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) createFromLocked(im indexMeta) (mark journal.Mark, err error) {
	meta := s.meta.Load()
	if meta.indices[im.Name] != nil || meta.aliases[im.Name] != nil || meta.streams[im.Name] != nil {
		return mark, &Error{Status: 400, Type: "resource_already_exists_exception", Reason: fmt.Sprintf("index [%s] already exists", im.Name), Index: im.Name}
	}
	return s.changeLocked(newIndexMeta(im).command())
}

// copyDocuments copies every document with its id, routing and version.
func (s *Store) copyDocuments(ctx context.Context, source, target string) error {
	v, err := s.View(source, ResolveOptions{Hidden: true})
	if err != nil {
		return err
	}
	defer v.Release()
	req := query.NewRequest()
	req.Size, req.TrackTotal, req.Version, req.Sort = resizePage, 0, true, []query.SortKey{{Field: "_doc"}}
	var after *search.Cursor
	for {
		resp, err := s.SearchView(ctx, v, req, after)
		if err != nil || len(resp.Hits) == 0 {
			return err
		}
		ops := make([]Op, len(resp.Hits))
		for i := range resp.Hits {
			h := &resp.Hits[i]
			ops[i] = NewOp(bulk.Op{Action: bulk.Index, Index: target, ID: h.ID, Routing: h.Routing, Source: h.Source})
			ops[i].Version, ops[i].VersionType = h.Version, "external_gte"
		}
		results, err := s.Apply(ctx, ops)
		if err != nil {
			return err
		}
		for i := range results {
			if results[i].Err != nil {
				return results[i].Err
			}
		}
		after = resp.Last
	}
}

// applyAll is Apply for work of the store's own, which no request bounds.
func (s *Store) applyAll(ops []Op) ([]ItemResult, error) { return s.Apply(context.Background(), ops) }

// globSetting tells whether a pattern fits a setting's name, with or without "index.".
func globSetting(pattern, name string) bool {
	return mapping.Glob(strings.TrimPrefix(pattern, "index."), name)
}
