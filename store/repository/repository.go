// Package repository keeps snapshots of a store in a folder or in S3.
//
// A repository is files by name:
//
//	index-N                          JSON: the snapshots there are; the greatest N holds, older ones are removed
//	snap-<uuid>.json                 JSON: one snapshot, see manifest
//	data/<index uuid>/<segment>.seg  a segment, as the store has it; immutable, written once, shared by snapshots
//	data/<index uuid>/<segment>-<hash>.del  its deleted rows at the moment of a snapshot, portable roaring
//
// The manifest of a snapshot is written when all its data is there, the list last: what is not in the list does not exist. Deleting a
// snapshot removes it from the list, then its manifest, then the data no other snapshot names.
package repository

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"crypto/rand"

	"github.com/zeebo/xxh3"

	"github.com/weirlog/weir/store"
)

// Files are the files of a repository.
type Files interface {
	// Put writes a file in the place of one of its name, durably when it returns.
	Put(ctx context.Context, name string, data []byte) error
	// Get opens a file; fs.ErrNotExist when there is none.
	Get(ctx context.Context, name string) (io.ReadCloser, error)
	// List gives the names that begin with prefix.
	List(ctx context.Context, prefix string) ([]string, error)
	// Remove removes files; those that are not there are no error.
	Remove(ctx context.Context, names ...string) error
}

// Repository is snapshots in files. It is safe for concurrent use of one process; two processes must not write to one.
type Repository struct {
	Name  string
	files Files
	mu    sync.Mutex // one change of the list at a time
}

// New makes a repository over files.
func New(name string, files Files) *Repository { return &Repository{Name: name, files: files} }

// Snapshot is what the list tells of a snapshot.
type Snapshot struct {
	Name     string   `json:"name"`
	UUID     string   `json:"uuid"`
	State    string   `json:"state"` // SUCCESS, PARTIAL
	Indices  []string `json:"indices"`
	Streams  []string `json:"data_streams,omitempty"`
	Start    int64    `json:"start"` // unix ms
	End      int64    `json:"end"`
	Global   bool     `json:"global,omitempty"`
	Shards   int      `json:"shards"`
	Files    int      `json:"files"`
	Bytes    int64    `json:"bytes"`
	NewFiles int      `json:"new_files"`
	NewBytes int64    `json:"new_bytes"`

	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// list is index-N.
type list struct {
	Form      int        `json:"form"`
	Snapshots []Snapshot `json:"snapshots"`
}

const form = 1

// manifest is snap-<uuid>.json.
type manifest struct {
	Form        int               `json:"form"`
	Snapshot    Snapshot          `json:"snapshot"`
	Indices     []indexManifest   `json:"indices"`
	Streams     []json.RawMessage `json:"streams,omitempty"`
	Definitions []definition      `json:"definitions,omitempty"` // templates, policies, pipelines ...
}

type indexManifest struct {
	Name     string            `json:"name"`
	UUID     string            `json:"uuid"`
	Meta     json.RawMessage   `json:"meta"`
	Seq      int64             `json:"seq"`
	Docs     int64             `json:"docs"`
	Segments []segmentManifest `json:"segments"`
}

type segmentManifest struct {
	File  string `json:"file"`
	Bytes int64  `json:"bytes"`
	Hash  string `json:"hash"` // xxh3 of the file, 16 hexadecimal digits
	Level int    `json:"level,omitempty"`
	Rows  int    `json:"rows"`
	Dead  string `json:"dead,omitempty"` // file of the deleted rows
}

type definition struct {
	Kind string          `json:"kind"`
	Name string          `json:"name"`
	Body json.RawMessage `json:"body"`
}

// globalKinds are the definitions that make a cluster's state.
var globalKinds = []string{store.IndexTemplate, store.ComponentTemplate, store.LegacyTemplate, store.IngestPipeline, store.StoredScript, store.LifecyclePolicy, store.SnapshotPolicy, store.StreamLifecycle}

// Missing is the answer to a snapshot that is not there.
func (r *Repository) Missing(name string) error {
	return &store.Error{Status: 404, Type: "snapshot_missing_exception", Reason: fmt.Sprintf("[%s:%s] is missing", r.Name, name)}
}

// Snapshots lists the snapshots, oldest first.
func (r *Repository) Snapshots(ctx context.Context) ([]Snapshot, error) {
	l, _, err := r.read(ctx)
	return l.Snapshots, err
}

// read finds the newest list and its number.
func (r *Repository) read(ctx context.Context) (l list, n int, err error) {
	names, err := r.files.List(ctx, "index-")
	if err != nil {
		return l, 0, fmt.Errorf("list repository %s: %w", r.Name, err)
	}
	n = -1
	for _, name := range names {
		if i, err := strconv.Atoi(strings.TrimPrefix(name, "index-")); err == nil {
			n = max(n, i)
		}
	}
	if n < 0 {
		return list{Form: form}, -1, nil
	}
	if err := r.readJSON(ctx, "index-"+strconv.Itoa(n), &l); err != nil {
		return l, n, err
	}
	if l.Form != form {
		return l, n, fmt.Errorf("repository %s has form %d, this program reads %d", r.Name, l.Form, form)
	}
	return l, n, nil
}

func (r *Repository) readJSON(ctx context.Context, name string, to any) error {
	b, err := r.readAll(ctx, name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("read %s of repository %s: %w", name, r.Name, err)
	}
	return nil
}

// maxSmall bounds files that are read whole: lists, manifests, deleted rows.
const maxSmall = 256 << 20

func (r *Repository) readAll(ctx context.Context, name string) ([]byte, error) {
	f, err := r.files.Get(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("read %s of repository %s: %w", name, r.Name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSmall))
	if err != nil {
		return nil, fmt.Errorf("read %s of repository %s: %w", name, r.Name, err)
	}
	return b, nil
}

// write replaces the list.
func (r *Repository) write(ctx context.Context, l list, n int) error {
	b, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if err := r.files.Put(ctx, "index-"+strconv.Itoa(n+1), b); err != nil {
		return fmt.Errorf("write the list of repository %s: %w", r.Name, err)
	}
	if n < 0 {
		return nil
	}
	return r.files.Remove(ctx, "index-"+strconv.Itoa(n))
}

// Verify writes, reads and removes a file.
func (r *Repository) Verify(ctx context.Context) error {
	name, text := "tests-"+newID(), []byte("weir")
	fail := func(err error) error {
		return &store.Error{Status: 500, Type: "repository_verification_exception", Reason: fmt.Sprintf("[%s] cannot be used: %v", r.Name, err)}
	}
	if err := r.files.Put(ctx, name, text); err != nil {
		return fail(err)
	}
	b, err := r.readAll(ctx, name)
	if err == nil && string(b) != string(text) {
		err = errors.New("what was written reads differently")
	}
	if rerr := r.files.Remove(ctx, name); err == nil {
		err = rerr
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

func newID() string {
	b := make([]byte, 12)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func hashOf(b []byte) string { return fmt.Sprintf("%016x", xxh3.Hash(b)) }

// Request is a snapshot to make.
type Request struct {
	Name     string
	Indices  []string // concrete
	Global   bool
	Metadata json.RawMessage
	Progress func(files int, bytes int64) // may be nil
}

// Create makes a snapshot of a store.
func (r *Repository) Create(ctx context.Context, s *store.Store, req Request) (Snapshot, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, n, err := r.read(ctx)
	if err != nil {
		return Snapshot{}, err
	}
	if slices.ContainsFunc(l.Snapshots, func(x Snapshot) bool { return x.Name == req.Name }) {
		return Snapshot{}, &store.Error{Status: 400, Type: "invalid_snapshot_name_exception", Reason: fmt.Sprintf("[%s:%s] Invalid snapshot name [%s], snapshot with the same name already exists", r.Name, req.Name, req.Name)}
	}
	snap := Snapshot{Name: req.Name, UUID: newID(), State: "SUCCESS", Indices: req.Indices, Start: time.Now().UnixMilli(), Global: req.Global, Metadata: req.Metadata}
	b, err := s.Backup(req.Indices)
	if err != nil {
		return snap, err
	}
	defer b.Release()
	m := manifest{Form: form, Streams: b.Streams}
	for _, st := range b.Streams {
		var name struct {
			Name string `json:"name"`
		}
		if json.Unmarshal(st, &name) == nil {
			snap.Streams = append(snap.Streams, name.Name)
		}
	}
	if m.Indices, err = r.upload(ctx, b, &snap, req.Progress); err != nil {
		return snap, err
	}
	if req.Global {
		for _, kind := range globalKinds {
			defs, _ := s.Definitions(kind, "")
			for _, d := range defs {
				m.Definitions = append(m.Definitions, definition{kind, d.Name, d.Body})
			}
		}
	}
	snap.End = time.Now().UnixMilli()
	m.Snapshot = snap
	if err := r.commit(ctx, m, l, n); err != nil {
		return snap, err
	}
	return snap, nil
}

// commit writes the manifest, then the list.
func (r *Repository) commit(ctx context.Context, m manifest, l list, n int) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := r.files.Put(ctx, "snap-"+m.Snapshot.UUID+".json", text); err != nil {
		return fmt.Errorf("write snapshot %s: %w", m.Snapshot.Name, err)
	}
	l.Snapshots = append(l.Snapshots, m.Snapshot)
	return r.write(ctx, l, n)
}

// upload copies the segments that are not there yet.
func (r *Repository) upload(ctx context.Context, b *store.Backup, snap *Snapshot, progress func(int, int64)) ([]indexManifest, error) {
	var out []indexManifest
	for _, ix := range b.Indices {
		dir := "data/" + strings.Map(plainName, ix.UUID) + "-" + hashOf([]byte(ix.UUID))[:4] + "/"
		names, err := r.files.List(ctx, dir)
		if err != nil {
			return nil, err
		}
		im := indexManifest{Name: ix.Name, UUID: ix.UUID, Meta: ix.Meta, Seq: ix.Seq, Docs: ix.Docs, Segments: []segmentManifest{}}
		for _, seg := range ix.Segments {
			sm := segmentManifest{Bytes: int64(len(seg.Data)), Level: seg.Level, Rows: seg.Rows, Hash: hashOf(seg.Data)}
			sm.File = fmt.Sprintf("%s%016x-%s.seg", dir, seg.ID, sm.Hash)
			if err := r.put(ctx, names, sm.File, seg.Data, snap); err != nil {
				return nil, err
			}
			if seg.Dead != nil {
				sm.Dead = fmt.Sprintf("%s%016x-%s.del", dir, seg.ID, hashOf(seg.Dead))
				if err := r.put(ctx, names, sm.Dead, seg.Dead, snap); err != nil {
					return nil, err
				}
			}
			im.Segments = append(im.Segments, sm)
			if progress != nil {
				progress(snap.Files, snap.Bytes)
			}
		}
		snap.Shards++
		out = append(out, im)
	}
	return out, nil
}

// plainName keeps what any file system and S3 take as it is.
func plainName(c rune) rune {
	if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_' {
		return c
	}
	return '_'
}

// put uploads a file unless it is there: names hold the hash of what is in them.
func (r *Repository) put(ctx context.Context, have []string, name string, data []byte, snap *Snapshot) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	snap.Files++
	snap.Bytes += int64(len(data))
	if slices.Contains(have, name) {
		return nil
	}
	snap.NewFiles++
	snap.NewBytes += int64(len(data))
	if err := r.files.Put(ctx, name, data); err != nil {
		return fmt.Errorf("write %s to repository %s: %w", name, r.Name, err)
	}
	return nil
}

// manifest reads a snapshot.
func (r *Repository) manifest(ctx context.Context, name string) (m manifest, err error) {
	l, _, err := r.read(ctx)
	if err != nil {
		return m, err
	}
	i := slices.IndexFunc(l.Snapshots, func(x Snapshot) bool { return x.Name == name })
	if i < 0 {
		return m, r.Missing(name)
	}
	if err := r.readJSON(ctx, "snap-"+l.Snapshots[i].UUID+".json", &m); err != nil {
		return m, err
	}
	if m.Form != form {
		return m, fmt.Errorf("snapshot %s has form %d, this program reads %d", name, m.Form, form)
	}
	return m, nil
}

// Delete removes snapshots, and the data that none of the others names.
func (r *Repository) Delete(ctx context.Context, names ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, n, err := r.read(ctx)
	if err != nil {
		return err
	}
	var gone []string
	kept := slices.DeleteFunc(slices.Clone(l.Snapshots), func(x Snapshot) bool {
		if slices.Contains(names, x.Name) {
			gone = append(gone, "snap-"+x.UUID+".json")
			return true
		}
		return false
	})
	for _, name := range names {
		if !slices.ContainsFunc(l.Snapshots, func(x Snapshot) bool { return x.Name == name }) {
			return r.Missing(name)
		}
	}
	l.Snapshots = kept
	if err := r.write(ctx, l, n); err != nil {
		return err
	}
	if err := r.files.Remove(ctx, gone...); err != nil {
		return err
	}
	_, err = r.sweep(ctx, l)
	return err
}

// Cleanup removes data that no snapshot names: what a snapshot that failed left behind.
func (r *Repository) Cleanup(ctx context.Context) (files int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l, _, err := r.read(ctx)
	if err != nil {
		return 0, err
	}
	return r.sweep(ctx, l)
}

func (r *Repository) sweep(ctx context.Context, l list) (int, error) {
	used := map[string]bool{}
	for _, s := range l.Snapshots {
		var m manifest
		if err := r.readJSON(ctx, "snap-"+s.UUID+".json", &m); err != nil {
			return 0, err
		}
		used["snap-"+s.UUID+".json"] = true
		for _, ix := range m.Indices {
			for _, seg := range ix.Segments {
				used[seg.File], used[seg.Dead] = true, true
			}
		}
	}
	var gone []string
	for _, prefix := range []string{"data/", "snap-"} {
		names, err := r.files.List(ctx, prefix)
		if err != nil {
			return 0, err
		}
		for _, name := range names {
			if !used[name] {
				gone = append(gone, name)
			}
		}
	}
	return len(gone), r.files.Remove(ctx, gone...)
}

// Clone makes a snapshot of some of the indices of another.
func (r *Repository) Clone(ctx context.Context, from, to string, keep func(index string) bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, err := r.manifest(ctx, from)
	if err != nil {
		return err
	}
	l, n, err := r.read(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(l.Snapshots, func(x Snapshot) bool { return x.Name == to }) {
		return &store.Error{Status: 400, Type: "invalid_snapshot_name_exception", Reason: fmt.Sprintf("[%s:%s] Invalid snapshot name [%s], snapshot with the same name already exists", r.Name, to, to)}
	}
	m.Indices = slices.DeleteFunc(m.Indices, func(i indexManifest) bool { return !keep(i.Name) })
	if len(m.Indices) == 0 {
		return &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no index of the snapshot is named"}
	}
	m.Snapshot.Name, m.Snapshot.UUID, m.Snapshot.Start, m.Snapshot.End = to, newID(), time.Now().UnixMilli(), time.Now().UnixMilli()
	m.Snapshot.Indices, m.Snapshot.Shards, m.Definitions, m.Snapshot.Global = nil, len(m.Indices), nil, false
	m.Snapshot.Files, m.Snapshot.Bytes, m.Snapshot.NewFiles, m.Snapshot.NewBytes = 0, 0, 0, 0
	for _, ix := range m.Indices {
		m.Snapshot.Indices = append(m.Snapshot.Indices, ix.Name)
		for _, seg := range ix.Segments {
			m.Snapshot.Files++
			m.Snapshot.Bytes += seg.Bytes
		}
	}
	return r.commit(ctx, m, l, n)
}

// IndexStatus is what a snapshot holds of an index.
type IndexStatus struct {
	Name        string
	Files, Docs int64
	Bytes       int64
}

// Status tells what a snapshot holds.
func (r *Repository) Status(ctx context.Context, name string) (Snapshot, []IndexStatus, error) {
	m, err := r.manifest(ctx, name)
	if err != nil {
		return Snapshot{}, nil, err
	}
	var out []IndexStatus
	for _, ix := range m.Indices {
		st := IndexStatus{Name: ix.Name, Docs: ix.Docs}
		for _, seg := range ix.Segments {
			st.Files++
			st.Bytes += seg.Bytes
		}
		out = append(out, st)
	}
	return m.Snapshot, out, nil
}

// RestoreRequest says what of a snapshot is brought back.
type RestoreRequest struct {
	Keep     func(index string) bool
	Rename   func(index string) string
	Aliases  bool
	Global   bool
	Settings []byte // put over those of each index
	Ignore   []string
}

// Restore brings indices back and gives their new names.
func (r *Repository) Restore(ctx context.Context, s *store.Store, name string, req RestoreRequest) ([]string, error) {
	m, err := r.manifest(ctx, name)
	if err != nil {
		return nil, err
	}
	var done []string
	for _, ix := range m.Indices {
		if !req.Keep(ix.Name) {
			continue
		}
		one := store.RestoreIndex{Name: req.Rename(ix.Name), Meta: ix.Meta, Seq: ix.Seq, Aliases: req.Aliases, Overrides: req.Settings, Ignore: req.Ignore}
		for _, seg := range ix.Segments {
			rs := store.RestoreSegment{Level: seg.Level, Open: func() (io.ReadCloser, error) { return r.files.Get(ctx, seg.File) }}
			if seg.Dead != "" {
				if rs.Dead, err = r.readAll(ctx, seg.Dead); err != nil {
					return done, err
				}
			}
			one.Segments = append(one.Segments, rs)
		}
		if err := s.Restore(one); err != nil {
			return done, err
		}
		done = append(done, one.Name)
	}
	if len(done) == 0 && len(m.Indices) > 0 {
		return nil, &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no index of the snapshot is named"}
	}
	for _, st := range m.Streams {
		var stream struct{ Indices []string }
		if err := json.Unmarshal(st, &stream); err != nil {
			return done, err
		}
		if slices.ContainsFunc(stream.Indices, func(i string) bool { return !req.Keep(i) }) {
			continue
		}
		if err := s.RestoreStream(st, req.Rename); err != nil {
			return done, err
		}
	}
	if !req.Global {
		return done, nil
	}
	for _, d := range m.Definitions {
		if err := s.PutDefinition(d.Kind, d.Name, d.Body); err != nil {
			return done, err
		}
	}
	return done, nil
}

// Damage reads every file of a snapshot and tells which differ from what was written.
func (r *Repository) Damage(ctx context.Context, name string) ([]string, error) {
	m, err := r.manifest(ctx, name)
	if err != nil {
		return nil, err
	}
	var bad []string
	for _, ix := range m.Indices {
		for _, seg := range ix.Segments {
			f, err := r.files.Get(ctx, seg.File)
			if errors.Is(err, fs.ErrNotExist) {
				bad = append(bad, seg.File+" is missing")
				continue
			}
			if err != nil {
				return bad, err
			}
			h := xxh3.New()
			_, err = io.Copy(h, f)
			f.Close()
			if err != nil {
				return bad, err
			}
			if fmt.Sprintf("%016x", h.Sum64()) != seg.Hash {
				bad = append(bad, seg.File+" is damaged")
			}
		}
	}
	return bad, nil
}
