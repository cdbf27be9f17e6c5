package web

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/weirlog/weir/web/dashboard"
	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
)

// Kibana's bounds of an import.
const (
	maxImport      = 26_214_400 // bytes
	maxImportLines = 10_000
)

// savedType is the type Kibana has for one of ours.
var savedType = map[string]string{"dashboard": "dashboard", "visualization": "lens", "search": "search", "index-pattern": "index-pattern"}

// importer is one import of saved objects.
type importer struct {
	s         *Server
	r         *http.Request
	overwrite bool
	copies    bool
	file      map[string]*dashboard.SavedObject // by type:id
	order     []*imported
}

// imported is one line of the file with what became of it.
type imported struct {
	line   int
	raw    string
	object dashboard.SavedObject
	err    string // why the line cannot be read
}

// importObjects takes an export of Kibana's, one object a line, and answers as Kibana does, with a report per panel beside.
func (s *Server) importObjects(w http.ResponseWriter, r *http.Request) {
	in := &importer{s: s, r: r, overwrite: r.FormValue("overwrite") == "true", copies: r.FormValue("createNewCopies") == "true", file: map[string]*dashboard.SavedObject{}}
	if in.overwrite && in.copies {
		kibanaFail(w, http.StatusBadRequest, "cannot use [overwrite] with [createNewCopies]")
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxImport+1<<20)
	file, _, err := r.FormFile("file")
	if err != nil {
		kibanaFail(w, http.StatusBadRequest, "[request body.file]: "+err.Error())
		return
	}
	defer file.Close()
	if err := in.read(file); err != nil {
		kibanaFail(w, http.StatusBadRequest, err.Error())
		return
	}
	reply(w, in.run())
}

// read takes the lines in; a line that is no object is kept as an error of its own, so that the rest comes in.
func (in *importer) read(file io.Reader) error {
	sc := bufio.NewScanner(io.LimitReader(file, maxImport+1))
	sc.Buffer(make([]byte, 64<<10), maxImport+1)
	size := 0
	for n := 1; sc.Scan(); n++ {
		size += len(sc.Bytes()) + 1
		if size > maxImport {
			return fmt.Errorf("the file is larger than %d bytes", maxImport)
		}
		line := bytes.TrimSpace(sc.Bytes())
		if len(line) == 0 || bytes.Contains(line, []byte(`"exportedCount"`)) && !bytes.Contains(line, []byte(`"attributes"`)) {
			continue
		}
		if len(in.order) >= maxImportLines {
			return fmt.Errorf("more than %d objects", maxImportLines)
		}
		one := &imported{line: n, raw: string(line)}
		if err := json.Unmarshal(line, &one.object); err != nil {
			one.err = fmt.Sprintf("line %d: %v", n, err)
		} else if one.object.Type == "" || one.object.ID == "" || len(one.object.Attributes) == 0 {
			one.err = fmt.Sprintf("line %d: type, id and attributes are needed", n)
		}
		in.order = append(in.order, one)
		in.file[one.object.Type+":"+one.object.ID] = &one.object
	}
	return sc.Err()
}

type importError struct {
	Type  string         `json:"type"`
	ID    string         `json:"id"`
	Title string         `json:"title,omitempty"`
	Error map[string]any `json:"error"`
}

type importSuccess struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Destination string `json:"destinationId,omitempty"`
	Meta        any    `json:"meta"`
	Overwrite   bool   `json:"overwrite,omitempty"`
}

// objectReport tells of each panel of one imported object what became of it.
type objectReport struct {
	Type   string             `json:"type"`
	ID     string             `json:"id"`
	Title  string             `json:"title"`
	Panels []dashboard.Report `json:"panels"`
}

// importAnswer is Kibana's answer, with weir's report.
type importAnswer struct {
	Success bool            `json:"success"`
	Count   int             `json:"successCount"`
	Results []importSuccess `json:"successResults"`
	Errors  []importError   `json:"errors,omitempty"`
	Weir    []objectReport  `json:"weir"`
}

func (in *importer) run() importAnswer {
	a := importAnswer{Results: []importSuccess{}, Weir: []objectReport{}}
	for _, one := range in.order {
		in.one(one, &a)
	}
	a.Count, a.Success = len(a.Results), len(a.Errors) == 0
	return a
}

func (in *importer) one(one *imported, a *importAnswer) {
	o := one.object
	bad := func(title, kind, why string) {
		a.Errors = append(a.Errors, importError{o.Type, o.ID, title, map[string]any{"type": kind, "message": why}})
	}
	if one.err != "" {
		bad("", "unknown", one.err)
		return
	}
	if !dashboard.Convertible(o.Type) {
		bad("", "unsupported_type", fmt.Sprintf("line %d: objects of type %q are not taken", one.line, o.Type))
		return
	}
	c, err := dashboard.Convert(o, in.look)
	if err != nil {
		bad(c.Title, "unknown", fmt.Sprintf("line %d: %v", one.line, err))
		return
	}
	id, version := o.ID, object.Create
	if in.copies && o.Type != "index-pattern" {
		id = newID()
	}
	if in.overwrite {
		version = ""
	}
	_, err = in.s.objects.Put(in.r.Context(), es.As(in.r), object.Object{Type: c.Type, ID: id, Title: c.Title, Body: c.Body, Raw: one.raw}, version)
	var p *problem
	if errors.As(err, &p) && p.Status == http.StatusConflict && o.Type == "index-pattern" {
		err = nil // the data view is there already
	}
	switch {
	case errors.As(err, &p) && p.Status == http.StatusConflict:
		bad(c.Title, "conflict", fmt.Sprintf("a %s with this id is there already", c.Type))
		return
	case err != nil:
		bad(c.Title, "unknown", err.Error())
		return
	}
	ok := importSuccess{Type: o.Type, ID: o.ID, Meta: map[string]string{"title": c.Title, "icon": c.Type + "App"}, Overwrite: in.overwrite}
	if id != o.ID {
		ok.Destination = id
	}
	a.Results = append(a.Results, ok)
	if len(c.Report) > 0 {
		a.Weir = append(a.Weir, objectReport{c.Type, id, c.Title, c.Report})
	}
}

// look finds an object in the file, else the original of one imported earlier.
func (in *importer) look(typ, id string) *dashboard.SavedObject {
	if o := in.file[typ+":"+id]; o != nil {
		return o
	}
	kept := typ
	if typ == "lens" {
		kept = "visualization"
	}
	o, err := in.s.objects.Get(in.r.Context(), es.As(in.r), kept, id)
	if err != nil {
		return nil
	}
	var old dashboard.SavedObject
	if o.Raw != "" && json.Unmarshal([]byte(o.Raw), &old) == nil {
		return &old
	}
	if typ == "index-pattern" {
		return &dashboard.SavedObject{Type: typ, ID: id, Attributes: o.Body}
	}
	return nil
}

// exportObjects writes objects one a line: {"type": ["dashboard", ...]} or {"objects": [{type, id}]}. One that came from Kibana unchanged
// is given back as it came; ours carry their definition in the attribute "weir", which an import here reads back.
func (s *Server) exportObjects(w http.ResponseWriter, r *http.Request) {
	var req struct {
		Type    json.RawMessage `json:"type"`
		Objects []struct {
			Type string `json:"type"`
			ID   string `json:"id"`
		} `json:"objects"`
	}
	if !readJSON(w, r, &req) {
		return
	}
	var types []string
	if json.Unmarshal(req.Type, &types) != nil {
		var one string
		if json.Unmarshal(req.Type, &one) == nil && one != "" {
			types = []string{one}
		}
	}
	var list []object.Object
	for _, o := range req.Objects {
		got, err := s.objects.Get(r.Context(), es.As(r), ourType(o.Type), o.ID)
		if err != nil {
			kibanaFailWith(w, err)
			return
		}
		list = append(list, got)
	}
	for _, t := range types {
		got, err := s.objects.List(r.Context(), es.As(r), true, ourType(t))
		if err != nil {
			kibanaFailWith(w, err)
			return
		}
		list = append(list, got...)
	}
	if len(list) == 0 {
		kibanaFail(w, http.StatusBadRequest, "nothing to export: name objects or types")
		return
	}
	writeExport(w, list)
}

func ourType(kibana string) string {
	if kibana == "lens" {
		return "visualization"
	}
	return kibana
}

func writeExport(w http.ResponseWriter, list []object.Object) {
	w.Header().Set("Content-Type", "application/ndjson")
	w.Header().Set("Content-Disposition", `attachment; filename="export.ndjson"`)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, o := range list {
		if enc.Encode(exported(o)) != nil {
			return // the browser left
		}
	}
	enc.Encode(map[string]any{"exportedCount": len(list), "missingRefCount": 0, "missingReferences": []any{}, "excludedObjects": []any{}, "excludedObjectsCount": 0})
}

func exported(o object.Object) any {
	line := map[string]any{"type": savedType[o.Type], "id": o.ID, "references": []any{}, "updated_at": o.Updated.UTC().Format(timeFormat),
		"attributes": map[string]any{"title": o.Title, "weir": o.Body}}
	if o.Type == "index-pattern" {
		line["attributes"] = o.Body
	}
	return line
}
