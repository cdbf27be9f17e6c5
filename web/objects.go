package web

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
)

// objectTypes are what /weir/objects keeps; dashboards have Kibana's address instead, rules their own checks.
var objectTypes = map[string]bool{"search": true, "setting": true}

// objectView is an object as the pages see it.
type objectView struct {
	Type    string          `json:"type"`
	ID      string          `json:"id"`
	Title   string          `json:"title"`
	Body    json.RawMessage `json:"body,omitempty"`
	Updated string          `json:"updated_at,omitempty"`
	Version string          `json:"version"`
}

func viewOf(o object.Object) objectView {
	v := objectView{Type: o.Type, ID: o.ID, Title: o.Title, Body: o.Body, Version: o.Version}
	if !o.Updated.IsZero() {
		v.Updated = o.Updated.UTC().Format(timeFormat)
	}
	return v
}

const timeFormat = "2006-01-02T15:04:05.000Z"

func (s *Server) listObjects(w http.ResponseWriter, r *http.Request) {
	typ := r.PathValue("type")
	if !objectTypes[typ] {
		fail(w, http.StatusNotFound, "unknown_type", "no objects of type "+typ)
		return
	}
	list, err := s.objects.List(r.Context(), es.As(r), true, typ)
	if err != nil {
		failWith(w, err)
		return
	}
	views := []objectView{}
	for _, o := range list {
		views = append(views, viewOf(o))
	}
	reply(w, map[string]any{"objects": views})
}

// object serves GET, PUT and DELETE of /weir/objects/{type}/{id}. If-Match carries the version a change is based on, "create" for none.
func (s *Server) object(w http.ResponseWriter, r *http.Request) {
	typ, id := r.PathValue("type"), r.PathValue("id")
	if !objectTypes[typ] {
		fail(w, http.StatusNotFound, "unknown_type", "no objects of type "+typ)
		return
	}
	switch r.Method {
	case http.MethodGet:
		o, err := s.objects.Get(r.Context(), es.As(r), typ, id)
		answerObject(w, o, err)
	case http.MethodPut:
		var body struct {
			Title string          `json:"title"`
			Body  json.RawMessage `json:"body"`
		}
		if !readJSON(w, r, &body) {
			return
		}
		o, err := s.objects.Put(r.Context(), es.As(r), object.Object{Type: typ, ID: id, Title: body.Title, Body: body.Body}, ifMatch(r))
		answerObject(w, o, err)
	case http.MethodDelete:
		if err := s.objects.Delete(r.Context(), es.As(r), typ, id, ifMatch(r)); err != nil {
			failWith(w, err)
			return
		}
		reply(w, map[string]any{})
	default:
		fail(w, http.StatusMethodNotAllowed, "method", r.Method+" is not one of GET, PUT, DELETE")
	}
}

func answerObject(w http.ResponseWriter, o object.Object, err error) {
	if err != nil {
		failWith(w, err)
		return
	}
	w.Header().Set("ETag", `"`+o.Version+`"`)
	reply(w, viewOf(o))
}

func ifMatch(r *http.Request) string { return strings.Trim(r.Header.Get("If-Match"), `"`) }

// readRaw reads a bounded JSON object as it stands; nil means the answer is written.
func readRaw(w http.ResponseWriter, r *http.Request) json.RawMessage {
	b, err := io.ReadAll(http.MaxBytesReader(w, r.Body, object.MaxBody))
	if err != nil {
		fail(w, http.StatusRequestEntityTooLarge, "too_large", "body: "+err.Error())
		return nil
	}
	var o map[string]json.RawMessage
	if err := json.Unmarshal(b, &o); err != nil {
		fail(w, http.StatusBadRequest, "bad_request", "body: "+err.Error())
		return nil
	}
	return b
}
