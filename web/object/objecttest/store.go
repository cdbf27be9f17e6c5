// Package objecttest is a small store of documents behind the few Elasticsearch requests that saved objects need: get, put and delete by
// id with versions, and a search by type. It keeps everything in memory.
package objecttest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
)

// Store answers requests about one index; any other path goes to Next.
type Store struct {
	Next http.Handler // may be nil

	mu      sync.Mutex
	created bool
	seq     int64
	docs    map[string]doc
}

type doc struct {
	seq    int64
	source json.RawMessage
}

// New is an empty store for index weir-ui.
func New(next http.Handler) *Store { return &Store{Next: next, docs: map[string]doc{}} }

func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	if parts[0] != "weir-ui" {
		if s.Next == nil {
			answer(w, 404, `{"error":"no such path"}`)
			return
		}
		s.Next.ServeHTTP(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	switch {
	case len(parts) == 1 && r.Method == "PUT":
		if s.created {
			answer(w, 400, `{"error":{"type":"resource_already_exists_exception","reason":"there"}}`)
			return
		}
		s.created = true
		answer(w, 200, `{"acknowledged":true}`)
	case parts[1] == "_count":
		answer(w, 200, fmt.Sprintf(`{"count":%d}`, len(s.docs)))
	case parts[1] == "_search":
		s.search(w, body)
	case parts[1] == "_doc":
		id, _ := url.PathUnescape(parts[2])
		s.doc(w, r, id, body)
	default:
		answer(w, 400, `{"error":"not answered here"}`)
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.WriteHeader(status)
	io.WriteString(w, body)
}

func (s *Store) doc(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	old, there := s.docs[id]
	if r.Method == "GET" {
		if !there {
			answer(w, 404, `{"found":false}`)
			return
		}
		answer(w, 200, hit(id, old))
		return
	}
	if r.Method == "DELETE" && !there {
		answer(w, 404, `{"result":"not_found"}`)
		return
	}
	q := r.URL.Query()
	want, err := strconv.ParseInt(q.Get("if_seq_no"), 10, 64)
	if q.Get("op_type") == "create" && there || err == nil && (!there || old.seq != want) {
		answer(w, 409, `{"error":{"type":"version_conflict_engine_exception","reason":"conflict"}}`)
		return
	}
	s.seq++
	if r.Method == "DELETE" {
		delete(s.docs, id)
	} else {
		s.docs[id] = doc{s.seq, body}
	}
	answer(w, 200, fmt.Sprintf(`{"_seq_no":%d,"_primary_term":1}`, s.seq))
}

func hit(id string, d doc) string {
	name, _ := json.Marshal(id)
	return fmt.Sprintf(`{"_id":%s,"found":true,"_seq_no":%d,"_primary_term":1,"_source":%s}`, name, d.seq, d.source)
}

// search answers a terms query on type; what a source filter leaves out is given all the same.
func (s *Store) search(w http.ResponseWriter, body []byte) {
	var hits []string
	for id, d := range s.docs {
		typ, _, _ := strings.Cut(id, ":")
		if strings.Contains(string(body), strconv.Quote(typ)) {
			hits = append(hits, hit(id, d))
		}
	}
	answer(w, 200, fmt.Sprintf(`{"hits":{"total":{"value":%d},"hits":[%s]}}`, len(hits), strings.Join(hits, ",")))
}
