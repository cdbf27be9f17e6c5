package store

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/mapping"
)

// AliasRequest is an alias as requests spell it.
type AliasRequest struct {
	Filter        json.RawMessage `json:"filter"`
	Routing       string          `json:"routing"`
	IndexRouting  string          `json:"index_routing"`
	SearchRouting string          `json:"search_routing"`
	IsWriteIndex  *bool           `json:"is_write_index"`
	IsHidden      *bool           `json:"is_hidden"`
}

func (a AliasRequest) meta() AliasMeta {
	m := AliasMeta{IndexRouting: a.IndexRouting, SearchRouting: a.SearchRouting, IsWriteIndex: a.IsWriteIndex, IsHidden: a.IsHidden}
	if len(a.Filter) > 0 && string(a.Filter) != "null" {
		m.Filter = compactJSON(a.Filter)
	}
	if a.Routing != "" {
		if m.IndexRouting == "" {
			m.IndexRouting = a.Routing
		}
		if m.SearchRouting == "" {
			m.SearchRouting = a.Routing
		}
	}
	return m
}

func checkAlias(name string) error {
	if err := checkName(name); err != nil {
		return errorf(400, "invalid_alias_name_exception", "Invalid alias name [%s]: %s", name, strings.TrimPrefix(err.(*Error).Reason, "Invalid index name ["+name+"], "))
	}
	return nil
}

// AliasAction is one step of POST _aliases.
type AliasAction struct {
	Kind    string // "add", "remove", "remove_index"
	Indices []string
	Aliases []string
	Spec    AliasRequest
	MustBe  bool // must_exist
}

// UpdateAliases carries all actions out, or none.
func (s *Store) UpdateAliases(actions []AliasAction) error {
	s.commit.Lock()
	mark, err := s.updateAliasesLocked(actions)
	s.commit.Unlock()
	if err != nil {
		return err
	}
	return s.syncMeta(mark)
}

func (s *Store) updateAliasesLocked(actions []AliasAction) (mark journal.Mark, err error) {
	m := s.meta.Load()
	changed := map[string]*indexMeta{}
	var deletes []command
	for _, a := range actions {
		refs, err := m.resolve(strings.Join(a.Indices, ","), ResolveOptions{noAliases: true, Closed: true}, s.cfg.Now())
		if err != nil {
			return mark, err
		}
		hit := false
		for _, r := range refs {
			im := changed[r.Name]
			if im == nil {
				im = m.indices[r.Name].info()
			}
			if a.Kind == "remove_index" {
				deletes = append(deletes, command{DeleteIndex: im.UUID})
				continue
			}
			next, did, err := a.apply(m, *im)
			if err != nil {
				return mark, err
			}
			hit = hit || did
			changed[r.Name] = newIndexMeta(next)
		}
		if a.Kind == "remove" && !hit {
			return mark, errorf(404, "aliases_not_found_exception", "aliases [%s] missing", strings.Join(a.Aliases, ","))
		}
	}
	var cs []command
	for _, name := range slices.Sorted(maps.Keys(changed)) {
		cs = append(cs, changed[name].command())
	}
	return s.changeLocked(append(cs, deletes...)...)
}

// apply adds or removes the action's aliases on one index; did tells whether anything was removed.
func (a *AliasAction) apply(m *metadata, im indexMeta) (out indexMeta, did bool, err error) {
	next := map[string]AliasMeta{}
	maps.Copy(next, im.Aliases)
	for _, name := range a.Aliases {
		if a.Kind == "add" {
			if err := checkAlias(name); err != nil {
				return im, false, err
			}
			if m.indices[name] != nil || m.streams[name] != nil {
				return im, false, errorf(400, "invalid_alias_name_exception", "Invalid alias name [%s]: an index or data stream exists with the same name as the alias", name)
			}
			next[name] = a.Spec.meta()
			continue
		}
		for have := range im.Aliases {
			if mapping.Glob(name, have) {
				delete(next, have)
				did = true
			}
		}
	}
	im.Aliases = next
	return im, did, nil
}

// ResolveOptions say how an expression of names is read. The zero value is Elasticsearch's default: wildcards expand to open, visible
// indices, and a plain name must exist.
type ResolveOptions struct {
	IgnoreUnavailable bool
	NoWildcardMatch   bool // allow_no_indices=false: an expression that names nothing is an error
	Closed            bool // wildcards expand to closed indices too, and naming a closed one is no error
	Hidden            bool // wildcards expand to hidden ones too
	noAliases         bool
}

// IndexRef is an index that an expression names.
type IndexRef struct {
	Name    string
	UUID    string
	Aliases []string          // the aliases through which it was named; empty when it was named itself too
	Filters []json.RawMessage // of those aliases, in order; to be ORed. Empty: no filter
}

// Resolve reads an expression: names, wildcards, -exclusions, _all, aliases, data streams, <date-math{now/d}>, comma separated.
func (s *Store) Resolve(expr string, opts ResolveOptions) ([]IndexRef, error) {
	return s.meta.Load().resolve(expr, opts, s.cfg.Now())
}

// resolver gathers the indices of an expression.
type resolver struct {
	m    *metadata
	opts ResolveOptions
	via  map[string][]string // index -> aliases; "" when named itself
}

func (m *metadata) resolve(expr string, opts ResolveOptions, now time.Time) ([]IndexRef, error) {
	r := &resolver{m: m, opts: opts, via: map[string][]string{}}
	if expr == "" {
		expr = "_all"
	}
	wild := false
	for _, part := range splitNames(expr) {
		name, err := dateMathName(part, now)
		if err != nil {
			return nil, err
		}
		if name == "_all" {
			name = "*"
		}
		switch {
		case wild && strings.HasPrefix(name, "-"):
			for have := range r.via {
				if mapping.Glob(name[1:], have) {
					delete(r.via, have)
				}
			}
		case strings.Contains(name, "*"):
			wild = true
			if n := r.wildcard(name); n == 0 && opts.NoWildcardMatch {
				return nil, noSuchIndex(name)
			}
		default:
			if err := r.plain(name); err != nil {
				return nil, err
			}
		}
	}
	if len(r.via) == 0 && opts.NoWildcardMatch {
		return nil, noSuchIndex(expr)
	}
	return r.refs(), nil
}

// splitNames cuts at commas outside <...>.
func splitNames(expr string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(expr); i++ {
		switch expr[i] {
		case '<', '{':
			depth++
		case '>', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, expr[from:i])
				from = i + 1
			}
		}
	}
	return append(out, expr[from:])
}

func (r *resolver) add(index, alias string) { r.via[index] = append(r.via[index], alias) }

func (r *resolver) wildcard(pattern string) int {
	n := 0
	for name, ix := range r.m.indices {
		im := ix.info()
		if mapping.Glob(pattern, name) && (!im.Closed || r.opts.Closed) && (!im.Hidden || r.opts.Hidden || strings.HasPrefix(pattern, ".") && strings.HasPrefix(name, ".")) {
			r.add(name, "")
			n++
		}
	}
	for name, st := range r.m.streams {
		if mapping.Glob(pattern, name) {
			for _, ix := range st.Indices {
				r.add(ix, "")
				n++
			}
		}
	}
	if r.opts.noAliases {
		return n
	}
	for alias, names := range r.m.aliases {
		if mapping.Glob(pattern, alias) {
			for _, ix := range names {
				if !r.m.indices[ix].info().Closed || r.opts.Closed {
					r.add(ix, alias)
					n++
				}
			}
		}
	}
	return n
}

func (r *resolver) plain(name string) error {
	names, alias := []string{name}, ""
	switch {
	case r.m.indices[name] != nil:
	case r.m.streams[name] != nil:
		names = r.m.streams[name].Indices
	case r.m.aliases[name] != nil && !r.opts.noAliases:
		names, alias = r.m.aliases[name], name
	case r.opts.IgnoreUnavailable:
		return nil
	default:
		return noSuchIndex(name)
	}
	for _, n := range names {
		if im := r.m.indices[n].info(); im.Closed && !r.opts.Closed {
			if r.opts.IgnoreUnavailable {
				continue
			}
			return &Error{Status: 400, Type: "index_closed_exception", Reason: "closed", Index: n}
		}
		r.add(n, alias)
	}
	return nil
}

func (r *resolver) refs() []IndexRef {
	var out []IndexRef
	for _, name := range slices.Sorted(maps.Keys(r.via)) {
		im := r.m.indices[name].info()
		ref := IndexRef{Name: name, UUID: im.UUID}
		if via := r.via[name]; !slices.Contains(via, "") {
			slices.Sort(via)
			ref.Aliases = slices.Compact(via)
			for _, a := range ref.Aliases {
				if f := im.Aliases[a].Filter; len(f) > 0 {
					ref.Filters = append(ref.Filters, f)
				} else {
					ref.Filters = nil
					break
				}
			}
		}
		out = append(out, ref)
	}
	return out
}

// dateMathName resolves <logs-{now/d{yyyy.MM.dd|+09:00}}>; other names stay as they are.
func dateMathName(name string, now time.Time) (string, error) {
	if !strings.HasPrefix(name, "<") || !strings.HasSuffix(name, ">") {
		return name, nil
	}
	var b strings.Builder
	rest := name[1 : len(name)-1]
	for {
		before, in, ok := strings.Cut(rest, "{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		depth, end := 1, 0
		for end < len(in) && depth > 0 {
			switch in[end] {
			case '{':
				depth++
			case '}':
				depth--
			}
			end++
		}
		if depth > 0 {
			return "", errorf(400, "parse_exception", "invalid dynamic name expression [%s]. date math placeholder is open ended", name)
		}
		text, err := dateMathPart(in[:end-1], now)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
		rest = in[end:]
	}
}

// dateMathPart formats "now/d{yyyy.MM.dd|+09:00}".
func dateMathPart(expr string, now time.Time) (string, error) {
	math, format, _ := strings.Cut(expr, "{")
	format, zone, hasZone := strings.Cut(strings.TrimSuffix(format, "}"), "|")
	if format == "" {
		format = "yyyy.MM.dd"
	}
	loc := time.UTC
	if hasZone {
		z, err := mapping.ParseZone(zone)
		if err != nil {
			return "", mappingError(err)
		}
		loc = z
	}
	f, err := mapping.ParseDateFormat(format)
	if err != nil {
		return "", mappingError(err)
	}
	ns, err := mapping.ParseDateMath(math, now, f, loc, false)
	if err != nil {
		return "", errorf(400, "parse_exception", "%v", err)
	}
	return f.Format(ns, loc), nil
}

// resolveWrite finds the index an operation writes to, nil when it would have to be made.
func (s *Store) resolveWrite(m *metadata, op *Op) (*index, error) {
	name := op.Index
	if strings.HasPrefix(name, "<") {
		var err error
		if name, err = dateMathName(name, s.cfg.Now()); err != nil {
			return nil, err
		}
	}
	if op.RequireAlias && m.aliases[name] == nil {
		return nil, &Error{Status: 404, Type: "index_not_found_exception", Reason: fmt.Sprintf("no such index [%s] and [require_alias] request flag is [true] and [%s] is not an alias", name, name), Index: name}
	}
	if op.RequireDataStream && m.streams[name] == nil && m.indices[name] != nil {
		return nil, &Error{Status: 404, Type: "index_not_found_exception", Reason: fmt.Sprintf("no such index [%s] and the index abstraction is not a data stream", name), Index: name}
	}
	if ix := m.indices[name]; ix != nil {
		im := ix.info()
		if im.Stream != "" && op.Action == bulk.Create {
			return nil, errorf(400, "illegal_argument_exception", "index request with op_type=create targeting backing indices is disallowed, target corresponding data stream [%s] instead", im.Stream)
		}
		return ix, ix.open()
	}
	if st := m.streams[name]; st != nil {
		if op.Action != bulk.Create {
			return nil, errorf(400, "illegal_argument_exception", "only write ops with an op_type of create are allowed in data streams")
		}
		ix := m.indices[st.Indices[len(st.Indices)-1]]
		return ix, ix.open()
	}
	if m.aliases[name] != nil {
		ix, err := m.aliasWrite(name)
		if err != nil {
			return nil, err
		}
		return ix, ix.open()
	}
	return nil, nil
}

// open refuses writes to a closed or blocked index.
func (ix *index) open() error {
	im := ix.info()
	switch {
	case im.Closed:
		return &Error{Status: 400, Type: "index_closed_exception", Reason: "closed", Index: im.Name}
	case im.Settings.Bool("blocks.read_only", false):
		return blocked(im.Name, "FORBIDDEN/5/index read-only (api)")
	case im.Settings.Bool("blocks.write", false):
		return blocked(im.Name, "FORBIDDEN/8/index write (api)")
	case im.Settings.Bool("blocks.read_only_allow_delete", false):
		e := blocked(im.Name, "TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block")
		e.Status = 429
		return e
	}
	return nil
}

func blocked(index, why string) *Error {
	return &Error{Status: 403, Type: "cluster_block_exception", Reason: fmt.Sprintf("index [%s] blocked by: [%s];", index, why), Index: index}
}

// readable refuses reads of an index with a read block.
func (im *indexMeta) readable() error {
	if im.Settings.Bool("blocks.read", false) {
		return blocked(im.Name, "FORBIDDEN/7/index read (api)")
	}
	return nil
}

// alterable refuses changes of the metadata of an index with a metadata or read-only block; blocks themselves can always be changed.
func (im *indexMeta) alterable() error {
	switch {
	case im.Settings.Bool("blocks.read_only", false):
		return blocked(im.Name, "FORBIDDEN/5/index read-only (api)")
	case im.Settings.Bool("blocks.metadata", false):
		return blocked(im.Name, "FORBIDDEN/9/index metadata (api)")
	}
	return nil
}

// aliasWrite is the index that an alias writes to.
func (m *metadata) aliasWrite(alias string) (*index, error) {
	names := m.aliases[alias]
	for _, n := range names {
		if w := m.indices[n].info().Aliases[alias].IsWriteIndex; w != nil && *w {
			return m.indices[n], nil
		}
	}
	if len(names) == 1 {
		if w := m.indices[names[0]].info().Aliases[alias].IsWriteIndex; w == nil {
			return m.indices[names[0]], nil
		}
	}
	return nil, errorf(400, "illegal_argument_exception", "no write index is defined for alias [%s]. The write index may be explicitly disabled using is_write_index=false or the alias "+
		"points to multiple indices without one being designated as a write index", alias)
}

// writeTarget is resolveWrite, making the index or data stream when there is none.
func (s *Store) writeTarget(op *Op) (*index, error) {
	ix, err := s.resolveWrite(s.meta.Load(), op)
	if ix != nil || err != nil {
		return ix, err
	}
	if op.Action == bulk.Delete || op.Action == bulk.Update && !op.upserts() {
		return nil, noSuchIndex(op.Index)
	}
	name, err := dateMathName(op.Index, s.cfg.Now())
	if err != nil {
		return nil, err
	}
	return s.autoCreate(name, op)
}

// upserts tells whether an update may make its document.
func (op *Op) upserts() bool { return strings.Contains(string(op.Source), "upsert") }

// autoCreate makes what a write's name says: a data stream when the template says so, else an index.
func (s *Store) autoCreate(name string, op *Op) (*index, error) {
	s.commit.Lock()
	defer s.commit.Unlock()
	if ix, err := s.resolveWrite(s.meta.Load(), op); ix != nil || err != nil {
		return ix, err
	}
	if err := checkName(name); err != nil {
		return nil, err
	}
	t, err := s.meta.Load().compose(name)
	if err != nil {
		return nil, err
	}
	switch {
	case t.stream:
		_, err = s.createStreamLocked(name, t)
	case op.RequireDataStream:
		return nil, noSuchIndex(name)
	default:
		var c command
		if c, err = s.planIndex(name, CreateRequest{}, "", false); err == nil {
			_, err = s.changeLocked(c)
		}
	}
	if err != nil {
		return nil, err
	}
	return s.resolveWrite(s.meta.Load(), op)
}
