package dashboard

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// SavedObject is one line of an export from Kibana.
type SavedObject struct {
	Type       string          `json:"type"`
	ID         string          `json:"id"`
	Attributes json.RawMessage `json:"attributes"`
	References []Reference     `json:"references"`
}

// Reference is a named pointer of a saved object to another.
type Reference struct {
	Name string `json:"name"`
	Type string `json:"type"`
	ID   string `json:"id"`
}

// States of a panel's conversion.
const (
	Whole       = "converted"
	Approximate = "approximate" // shown, but something of it was left out
	Placeholder = "placeholder" // its place is kept, with the definition and the reason
)

// Report says what became of one panel, or of an object that is one.
type Report struct {
	Panel  string `json:"panel"`
	Title  string `json:"title"`
	Status string `json:"status"`
	Why    string `json:"why,omitempty"`
}

// Converted is a saved object in our form: its type here, and its body.
type Converted struct {
	Type   string
	Title  string
	Body   json.RawMessage
	Report []Report
}

// Lookup finds another object of the same export or one kept already; nil when there is none.
type Lookup func(typ, id string) *SavedObject

// Convertible is whether objects of a type are taken.
func Convertible(typ string) bool {
	return slices.Contains([]string{"dashboard", "lens", "visualization", "search", "index-pattern"}, typ)
}

// Convert turns a saved object into ours.
func Convert(o SavedObject, look Lookup) (Converted, error) {
	var head struct {
		Title string          `json:"title"`
		Weir  json.RawMessage `json:"weir"`
	}
	if err := json.Unmarshal(o.Attributes, &head); err != nil {
		return Converted{}, fmt.Errorf("attributes of %s %s: %w", o.Type, o.ID, err)
	}
	c := Converted{Title: orDefault(head.Title, o.ID)}
	if len(head.Weir) > 0 && Convertible(o.Type) { // an export of ours
		c.Type, c.Body = o.Type, head.Weir
		if o.Type == "lens" {
			c.Type = "visualization"
		}
		return c, nil
	}
	var body any
	var err error
	switch o.Type {
	case "index-pattern":
		c.Type, c.Body = "index-pattern", o.Attributes
		return c, nil
	case "search":
		c.Type = "search"
		body, err = convertSearch(o, look)
	case "lens", "visualization":
		c.Type = "visualization"
		p := convertVisPanel(o)
		c.Report = []Report{p.report(o.ID, head.Title)}
		body = p.config
	case "dashboard":
		c.Type = "dashboard"
		body, c.Report, err = convertDashboard(o, look)
	default:
		return c, unsupported("objects of type %q", o.Type)
	}
	if err != nil {
		return c, err
	}
	c.Body, err = json.Marshal(body)
	return c, err
}

// panel is a converted panel before it has a place.
type panel struct {
	typ    string // vis, markdown, discover_session
	config map[string]any
	status string
	why    []string
}

func (p *panel) note(format string, args ...any) {
	if p.status == Whole {
		p.status = Approximate
	}
	p.why = append(p.why, fmt.Sprintf(format, args...))
}

func (p *panel) report(id, title string) Report {
	return Report{Panel: id, Title: title, Status: p.status, Why: strings.Join(p.why, "; ")}
}

// placeholder keeps a definition that cannot be shown.
func placeholder(kind, why string, original json.RawMessage) *panel {
	return &panel{typ: "vis", status: Placeholder, why: []string{why}, config: map[string]any{"type": orDefault(kind, "unknown"), "original": original}}
}

// convertVisPanel converts a lens or visualization object.
func convertVisPanel(o SavedObject) *panel {
	if o.Type == "lens" {
		return convertLens(o.Attributes, o.References)
	}
	return convertVisualization(o.Attributes, o.References)
}

func find(refs []Reference, name string) *Reference {
	for i := range refs {
		if refs[i].Name == name {
			return &refs[i]
		}
	}
	return nil
}

// dataView is the data source that names a data view; an empty one leaves it to the dashboard's index.
func dataView(id string) map[string]any {
	if id == "" {
		return map[string]any{"type": "data_view_spec", "index_pattern": "", "time_field": "@timestamp"}
	}
	return map[string]any{"type": "data_view_reference", "ref_id": id}
}

// searchSource is the JSON text in kibanaSavedObjectMeta.searchSourceJSON.
type searchSource struct {
	Query        json.RawMessage   `json:"query"`
	Filter       []json.RawMessage `json:"filter"`
	IndexRefName string            `json:"indexRefName"`
	Index        json.RawMessage   `json:"index"`
}

type savedMeta struct {
	Meta struct {
		SearchSource string `json:"searchSourceJSON"`
	} `json:"kibanaSavedObjectMeta"`
}

func sourceOf(attributes []byte) searchSource {
	var m savedMeta
	var s searchSource
	json.Unmarshal(attributes, &m)
	json.Unmarshal([]byte(m.Meta.SearchSource), &s)
	return s
}

// query is the query text and language of a search source; older ones hold a query_string.
func (s searchSource) query() Query {
	var q Query
	var text string
	if json.Unmarshal(s.Query, &q) == nil && (q.Query != "" || q.Language != "") {
		return q
	}
	if json.Unmarshal(s.Query, &text) == nil {
		return Query{Query: text, Language: "lucene"}
	}
	var old struct {
		Query struct {
			QueryString struct {
				Query string `json:"query"`
			} `json:"query_string"`
		} `json:"query"`
	}
	json.Unmarshal(s.Query, &old)
	if t := old.Query.QueryString.Query; t != "*" {
		q = Query{Query: t, Language: "lucene"}
	}
	return q
}

// dataViewID is the data view a search source names.
func (s searchSource) dataViewID(refs []Reference) string {
	name := orDefault(s.IndexRefName, "kibanaSavedObjectMeta.searchSourceJSON.index")
	if r := find(refs, name); r != nil {
		return r.ID
	}
	var id string
	json.Unmarshal(s.Index, &id)
	return id
}

// narrow puts query and filters into a config.
func narrow(config map[string]any, q Query, filters []json.RawMessage) {
	if q.Query != "" {
		config["query"] = map[string]any{"query": q.Query, "language": orDefault(q.Language, "kuery")}
	}
	if len(filters) > 0 {
		config["filters"] = filters
	}
}

// convertSearch makes what Explore saves of a Discover session.
func convertSearch(o SavedObject, look Lookup) (any, error) {
	var a struct {
		Title   string          `json:"title"`
		Columns []string        `json:"columns"`
		Tabs    json.RawMessage `json:"tabs"`
	}
	if err := json.Unmarshal(o.Attributes, &a); err != nil {
		return nil, fmt.Errorf("read search %s: %w", o.ID, err)
	}
	src := sourceOf(o.Attributes)
	q := src.query()
	lang := "kql"
	if q.Lucene() {
		lang = "lucene"
	}
	id := src.dataViewID(o.References)
	return map[string]any{"query": q.Query, "lang": lang, "index": titleOfView(id, look), "cols": withoutSource(a.Columns),
		"filters": append([]json.RawMessage{}, src.Filter...), "data_source": dataView(id)}, nil
}

func withoutSource(cols []string) []string {
	return slices.DeleteFunc(append([]string{}, cols...), func(c string) bool { return c == "_source" || c == "" })
}

// titleOfView is the index pattern of a data view, or its id, which may be a pattern itself.
func titleOfView(id string, look Lookup) string {
	if o := look("index-pattern", id); o != nil {
		var a struct {
			Title string `json:"title"`
		}
		if json.Unmarshal(o.Attributes, &a) == nil && a.Title != "" {
			return a.Title
		}
	}
	return id
}
