// Package object keeps what people save in the UI (dashboards, searches, rules, imported originals) as documents of one index, weir-ui,
// through the Elasticsearch REST API. So a cluster keeps them as the embedded store does, several UIs share them, and a snapshot holds
// them.
//
// A document's id is "type:id". Its body is kept as text, so that what was put is given back to the letter; type, id, title and times
// are fields of their own. Changes carry the version that was read ("seq_no.primary_term"): a lost update is refused with 409.
package object

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/web/es"
)

// Index is where objects are kept.
const Index = "weir-ui"

// Bounds of what is kept.
const (
	MaxObjects = 10_000
	MaxBody    = 1 << 20 // bytes of one object
	maxID      = 200     // bytes of an id
)

// Create as a version says that the object must not exist yet.
const Create = "create"

// Object is one saved thing.
type Object struct {
	Type    string
	ID      string
	Title   string
	Body    json.RawMessage // exactly as it was put
	Raw     string          // the line it was imported from, unchanged; "" when it was made here
	Created time.Time
	Updated time.Time
	Version string // "seq_no.primary_term"
}

// Store reads and writes objects. It is safe for concurrent use.
type Store struct {
	h     http.Handler
	ready atomic.Bool // the index is known to exist
}

// New is a store over a REST API; it asks nothing yet.
func New(h http.Handler) *Store { return &Store{h: h} }

// document is how an object is kept.
type document struct {
	Type    string `json:"type"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	Body    string `json:"body"`
	Raw     string `json:"raw,omitempty"`
	Created string `json:"created_at"`
	Updated string `json:"updated_at"`
}

// definition of the index: only what lists sort and filter by is indexed.
var definition = map[string]any{
	"settings": map[string]any{"index": map[string]any{"hidden": true, "number_of_shards": 1, "auto_expand_replicas": "0-1"}},
	"mappings": map[string]any{"dynamic": false, "properties": map[string]any{
		"type": map[string]any{"type": "keyword"}, "id": map[string]any{"type": "keyword"},
		"title":      map[string]any{"type": "keyword", "ignore_above": 1000},
		"created_at": map[string]any{"type": "date"}, "updated_at": map[string]any{"type": "date"}}},
}

// ensure makes the index when it is not there.
func (s *Store) ensure(ctx context.Context, as es.Caller) error {
	if s.ready.Load() {
		return nil
	}
	_, err := es.Do(ctx, s.h, as, "PUT", "/"+Index, definition)
	var e *es.Error
	if err != nil && (!errors.As(err, &e) || e.Type != "resource_already_exists_exception") {
		return fmt.Errorf("create index %s: %w", Index, err)
	}
	s.ready.Store(true)
	return nil
}

// Get reads one object; one that is not there is a 404.
func (s *Store) Get(ctx context.Context, as es.Caller, typ, id string) (Object, error) {
	v, err := es.Do(ctx, s.h, as, "GET", docPath(typ, id), nil)
	var e *es.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return Object{}, es.Refuse(http.StatusNotFound, "not_found", fmt.Sprintf("no %s with id %q", typ, id))
	}
	if err != nil {
		return Object{}, err
	}
	return objectOf(v)
}

func docPath(typ, id string) string {
	return "/" + Index + "/_doc/" + url.PathEscape(typ+":"+id)
}

func objectOf(v *fastjson.Value) (Object, error) {
	var d document
	if err := json.Unmarshal(v.Get("_source").MarshalTo(nil), &d); err != nil {
		return Object{}, fmt.Errorf("read object %s: %w", v.GetStringBytes("_id"), err)
	}
	o := Object{Type: d.Type, ID: d.ID, Title: d.Title, Body: json.RawMessage(d.Body), Raw: d.Raw,
		Version: fmt.Sprintf("%d.%d", v.GetInt64("_seq_no"), v.GetInt64("_primary_term"))}
	o.Created, _ = time.Parse(time.RFC3339Nano, d.Created)
	o.Updated, _ = time.Parse(time.RFC3339Nano, d.Updated)
	return o, nil
}

// Put writes an object and gives it back with its new version. version "" writes over whatever is there, Create only where nothing is,
// any other only over that very version; else the answer is a 409.
func (s *Store) Put(ctx context.Context, as es.Caller, o Object, version string) (Object, error) {
	if err := check(o); err != nil {
		return o, err
	}
	if err := s.ensure(ctx, as); err != nil {
		return o, err
	}
	o.Updated = time.Now().UTC().Truncate(time.Millisecond)
	if o.Created.IsZero() {
		o.Created = o.Updated
		if version == Create {
			if err := s.room(ctx, as); err != nil {
				return o, err
			}
		} else if old, err := s.Get(ctx, as, o.Type, o.ID); err == nil {
			o.Created = old.Created
		}
	}
	params, err := condition(version)
	if err != nil {
		return o, err
	}
	v, err := es.Do(ctx, s.h, as, "PUT", docPath(o.Type, o.ID)+"?refresh=true"+params, document{Type: o.Type, ID: o.ID, Title: o.Title,
		Body: string(o.Body), Raw: o.Raw, Created: o.Created.Format(time.RFC3339Nano), Updated: o.Updated.Format(time.RFC3339Nano)})
	if err != nil {
		s.forget(err)
		return o, conflict(err, o.Type, o.ID)
	}
	o.Version = fmt.Sprintf("%d.%d", v.GetInt64("_seq_no"), v.GetInt64("_primary_term"))
	return o, nil
}

// forget makes the next write look for the index again: somebody deleted it.
func (s *Store) forget(err error) {
	var e *es.Error
	if errors.As(err, &e) && e.Type == "index_not_found_exception" {
		s.ready.Store(false)
	}
}

func check(o Object) error {
	if o.Type == "" || o.ID == "" || len(o.ID) > maxID || strings.ContainsAny(o.ID, "\x00\n\r") {
		return es.Refuse(http.StatusBadRequest, "bad_id", fmt.Sprintf("id %q: want 1 to %d bytes without line ends", o.ID, maxID))
	}
	if len(o.Body)+len(o.Raw) > 2*MaxBody || len(o.Body) > MaxBody {
		return es.Refuse(http.StatusRequestEntityTooLarge, "too_large", fmt.Sprintf("%s %q has %d bytes, at most %d", o.Type, o.ID, len(o.Body), MaxBody))
	}
	return nil
}

// room refuses a new object when there are too many.
func (s *Store) room(ctx context.Context, as es.Caller) error {
	v, err := es.Do(ctx, s.h, as, "GET", "/"+Index+"/_count?ignore_unavailable=true", nil)
	if err == nil && v.GetInt64("count") >= MaxObjects {
		return es.Refuse(http.StatusInsufficientStorage, "too_many_objects", fmt.Sprintf("%d objects are kept already, at most %d", v.GetInt64("count"), MaxObjects))
	}
	return err
}

// condition is a version as parameters of a request, each with its "&" in front.
func condition(version string) (string, error) {
	switch version {
	case "":
		return "", nil
	case Create:
		return "&op_type=create", nil
	}
	var seq, term int64
	if n, err := fmt.Sscanf(version, "%d.%d", &seq, &term); n != 2 || err != nil {
		return "", es.Refuse(http.StatusBadRequest, "bad_version", fmt.Sprintf("version %q: want seq_no.primary_term", version))
	}
	return fmt.Sprintf("&if_seq_no=%d&if_primary_term=%d", seq, term), nil
}

func conflict(err error, typ, id string) error {
	var e *es.Error
	if errors.As(err, &e) && e.Status == http.StatusConflict {
		return es.Refuse(http.StatusConflict, "version_conflict", fmt.Sprintf("%s %q was changed by somebody else meanwhile", typ, id))
	}
	return err
}

// Delete removes an object; version as in Put.
func (s *Store) Delete(ctx context.Context, as es.Caller, typ, id, version string) error {
	params, err := condition(version)
	if err != nil {
		return err
	}
	_, err = es.Do(ctx, s.h, as, "DELETE", docPath(typ, id)+"?refresh=true"+params, nil)
	var e *es.Error
	if errors.As(err, &e) && e.Status == http.StatusNotFound {
		return es.Refuse(http.StatusNotFound, "not_found", fmt.Sprintf("no %s with id %q", typ, id))
	}
	return conflict(err, typ, id)
}

// List gives all objects of the types, by title; bodies too when whole. An index that is not there has none.
func (s *Store) List(ctx context.Context, as es.Caller, whole bool, types ...string) ([]Object, error) {
	body := map[string]any{"size": MaxObjects, "seq_no_primary_term": true, "track_total_hits": false,
		"query": map[string]any{"bool": map[string]any{"filter": []any{map[string]any{"terms": map[string]any{"type": types}}}}}}
	if !whole {
		body["_source"] = map[string]any{"excludes": []string{"body", "raw"}}
	}
	v, err := es.Search(ctx, s.h, as, Index, body)
	if err != nil {
		return nil, err
	}
	list := []Object{}
	for _, h := range v.GetArray("hits", "hits") {
		o, err := objectOf(h)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Object) int {
		if c := strings.Compare(strings.ToLower(a.Title), strings.ToLower(b.Title)); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, nil
}
