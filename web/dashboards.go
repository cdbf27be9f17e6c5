package web

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
)

// apiVersion is the only version of Kibana's Dashboards API that is answered.
const apiVersion = "2023-10-31"

// maxPerPage bounds a page of a list.
const maxPerPage = 1000

// contentAPI serves Kibana's /api/dashboards or /api/visualizations over the objects of one type. The body is kept to the letter.
type contentAPI struct {
	s   *Server
	typ string
}

func (c contentAPI) handler() http.Handler {
	mux := http.NewServeMux()
	path := "/api/" + c.typ + "s"
	mux.HandleFunc("GET "+path, c.list)
	mux.HandleFunc("POST "+path, c.create)
	mux.HandleFunc("GET "+path+"/{id}", c.get)
	mux.HandleFunc("PUT "+path+"/{id}", c.put)
	mux.HandleFunc("DELETE "+path+"/{id}", c.delete)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := r.Header.Get("Elastic-Api-Version"); v != "" && v != apiVersion {
			kibanaFail(w, http.StatusBadRequest, fmt.Sprintf("version %q is not %s", v, apiVersion))
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// contentMeta is what the API tells beside the data.
type contentMeta struct {
	Managed   bool   `json:"managed"`
	CreatedAt string `json:"created_at,omitempty"`
	UpdatedAt string `json:"updated_at,omitempty"`
	Version   string `json:"version,omitempty"`
}

type content struct {
	ID     string          `json:"id"`
	Data   json.RawMessage `json:"data"`
	Meta   contentMeta     `json:"meta"`
	Spaces []string        `json:"spaces"`
}

func contentOf(o object.Object) content {
	return content{o.ID, o.Body, contentMeta{CreatedAt: o.Created.UTC().Format(timeFormat), UpdatedAt: o.Updated.UTC().Format(timeFormat), Version: o.Version}, []string{"default"}}
}

func managed(d dashboard.Ready) content {
	return content{d.ID, d.Data, contentMeta{Managed: true}, []string{"default"}}
}

func (c contentAPI) list(w http.ResponseWriter, r *http.Request) {
	objects, err := c.s.objects.List(r.Context(), es.As(r), false, c.typ)
	if err != nil {
		kibanaFailWith(w, err)
		return
	}
	var all []content
	for _, o := range objects {
		item := contentOf(o)
		item.Data, _ = json.Marshal(map[string]string{"title": o.Title})
		all = append(all, item)
	}
	if c.typ == "dashboard" {
		for _, d := range c.s.ready {
			item := managed(d)
			item.Data, _ = json.Marshal(map[string]string{"title": d.Title, "description": d.Description})
			all = append(all, item)
		}
	}
	found := []content{}
	want := strings.ToLower(strings.Trim(r.FormValue("query"), "* "))
	for _, item := range all {
		if want == "" || strings.Contains(strings.ToLower(string(item.Data)), want) {
			found = append(found, item)
		}
	}
	page, per := positive(r.FormValue("page"), 1), min(positive(r.FormValue("per_page"), 20), maxPerPage)
	from, to := min((page-1)*per, len(found)), min(page*per, len(found))
	reply(w, map[string]any{"data": found[from:to], "meta": map[string]int{"page": page, "per_page": per, "total": len(found)}})
}

func positive(text string, d int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 && n < 1_000_000 {
		return n
	}
	return d
}

func (c contentAPI) get(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	o, err := c.s.objects.Get(r.Context(), es.As(r), c.typ, id)
	if err == nil {
		reply(w, contentOf(o))
		return
	}
	if d, ok := c.s.readyByID(id); ok && c.typ == "dashboard" {
		reply(w, managed(d))
		return
	}
	kibanaFailWith(w, err)
}

func (c contentAPI) create(w http.ResponseWriter, r *http.Request) {
	body := readRaw(w, r)
	if body == nil {
		return
	}
	if msg := forbidden(body, "id"); msg != "" {
		kibanaFail(w, http.StatusBadRequest, msg)
		return
	}
	c.write(w, r, newID(), body, object.Create, http.StatusCreated)
}

func (c contentAPI) put(w http.ResponseWriter, r *http.Request) {
	body := readRaw(w, r)
	if body == nil {
		return
	}
	if msg := forbidden(body, "id", "spaces"); msg != "" {
		kibanaFail(w, http.StatusBadRequest, msg)
		return
	}
	if _, ok := c.s.readyByID(r.PathValue("id")); ok && c.typ == "dashboard" {
		kibanaFail(w, http.StatusForbidden, "this dashboard is managed: save a copy under another id")
		return
	}
	c.write(w, r, r.PathValue("id"), body, ifMatch(r), http.StatusOK)
}

func forbidden(body json.RawMessage, keys ...string) string {
	var o map[string]json.RawMessage
	if json.Unmarshal(body, &o) != nil {
		return "the body is not an object"
	}
	for _, k := range keys {
		if _, ok := o[k]; ok {
			return fmt.Sprintf("[request body.%s]: definition for this key is missing", k)
		}
	}
	return ""
}

func (c contentAPI) write(w http.ResponseWriter, r *http.Request, id string, body json.RawMessage, version string, status int) {
	var head struct {
		Title string `json:"title"`
	}
	json.Unmarshal(body, &head)
	if head.Title == "" && c.typ == "dashboard" {
		kibanaFail(w, http.StatusBadRequest, "[request body.title]: a title is needed")
		return
	}
	o, err := c.s.objects.Put(r.Context(), es.As(r), object.Object{Type: c.typ, ID: id, Title: head.Title, Body: body}, version)
	if err != nil {
		kibanaFailWith(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(contentOf(o))
}

func (c contentAPI) delete(w http.ResponseWriter, r *http.Request) {
	if err := c.s.objects.Delete(r.Context(), es.As(r), c.typ, r.PathValue("id"), ifMatch(r)); err != nil {
		kibanaFailWith(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Server) readyByID(id string) (dashboard.Ready, bool) {
	for _, d := range s.ready {
		if d.ID == id {
			return d, true
		}
	}
	return dashboard.Ready{}, false
}

func newID() string { return strings.ToLower(rand.Text()) }

// kibanaFail writes an error in the shape Kibana's API has.
func kibanaFail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(map[string]any{"statusCode": status, "error": http.StatusText(status), "message": message})
}

func kibanaFailWith(w http.ResponseWriter, err error) {
	p := problemOf(err)
	kibanaFail(w, p.Status, p.Reason)
}
