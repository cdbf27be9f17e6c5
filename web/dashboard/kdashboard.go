package dashboard

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxImportPanels bounds the panels of one imported dashboard.
const maxImportPanels = 500

// kibanaDashboard is the attributes of a saved dashboard.
type kibanaDashboard struct {
	Title           string `json:"title"`
	Description     string `json:"description"`
	PanelsJSON      string `json:"panelsJSON"`
	OptionsJSON     string `json:"optionsJSON"`
	TimeRestore     bool   `json:"timeRestore"`
	TimeFrom        string `json:"timeFrom"`
	TimeTo          string `json:"timeTo"`
	RefreshInterval *struct {
		Pause bool    `json:"pause"`
		Value float64 `json:"value"`
	} `json:"refreshInterval"`
	Controls *struct {
		PanelsJSON string `json:"panelsJSON"`
	} `json:"controlGroupInput"`
	Sections []struct {
		Title     string `json:"title"`
		Collapsed bool   `json:"collapsed"`
		Grid      struct {
			I string `json:"i"`
			Y int    `json:"y"`
		} `json:"gridData"`
	} `json:"sections"`
}

type kibanaPanel struct {
	Type       string `json:"type"`
	Title      string `json:"title"`
	PanelIndex string `json:"panelIndex"`
	RefName    string `json:"panelRefName"`
	ID         string `json:"id"` // before 7.0: the object itself
	Grid       struct {
		X       int    `json:"x"`
		Y       int    `json:"y"`
		W       int    `json:"w"`
		H       int    `json:"h"`
		I       string `json:"i"`
		Section string `json:"sectionId"`
	} `json:"gridData"`
	Config json.RawMessage `json:"embeddableConfig"`
}

// embedded is the embeddableConfig of a panel by value.
type embedded struct {
	Title       *string         `json:"title"`
	HideTitles  bool            `json:"hidePanelTitles"`
	Description string          `json:"description"`
	Attributes  json.RawMessage `json:"attributes"`
	SavedVis    json.RawMessage `json:"savedVis"`
	TimeRange   json.RawMessage `json:"timeRange"`
	Content     string          `json:"content"`
	Columns     []string        `json:"columns"`
}

func convertDashboard(o SavedObject, look Lookup) (any, []Report, error) {
	var a kibanaDashboard
	if err := json.Unmarshal(o.Attributes, &a); err != nil {
		return nil, nil, fmt.Errorf("read dashboard %s: %w", o.ID, err)
	}
	panels, err := panelsOf(o.Attributes, a.PanelsJSON)
	if err != nil {
		return nil, nil, fmt.Errorf("read panels of dashboard %s: %w", o.ID, err)
	}
	if len(panels) > maxImportPanels {
		return nil, nil, unsupported("%d panels, at most %d", len(panels), maxImportPanels)
	}
	d := map[string]any{"title": orDefault(a.Title, o.ID), "description": a.Description}
	if a.TimeRestore && a.TimeFrom != "" {
		d["time_range"] = map[string]any{"from": a.TimeFrom, "to": orDefault(a.TimeTo, "now")}
	}
	if r := a.RefreshInterval; r != nil {
		d["refresh_interval"] = map[string]any{"pause": r.Pause, "value": r.Value}
	}
	src := sourceOf(o.Attributes)
	narrow(d, src.query(), src.Filter)
	if c := controlsOf(a, o.References); len(c) > 0 {
		d["pinned_panels"] = c
	}
	placed, reports := placePanels(panels, o.References, look)
	d["panels"] = sectioned(a, placed)
	return d, reports, nil
}

// panelsOf reads panelsJSON: a text of JSON, or, in packages of integrations, the list itself.
func panelsOf(attributes []byte, text string) ([]kibanaPanel, error) {
	var list []kibanaPanel
	if text == "" {
		var inline struct {
			Panels []kibanaPanel `json:"panelsJSON"`
		}
		if json.Unmarshal(attributes, &inline) == nil {
			return inline.Panels, nil
		}
		return nil, nil
	}
	return list, json.Unmarshal([]byte(text), &list)
}

// placedPanel is a panel of the API with the section it belongs to.
type placedPanel struct {
	section string
	panel   map[string]any
}

func placePanels(list []kibanaPanel, refs []Reference, look Lookup) (placed []placedPanel, reports []Report) {
	for i, k := range list {
		id := orDefault(orDefault(k.PanelIndex, k.Grid.I), fmt.Sprintf("panel-%d", i+1))
		var e embedded
		json.Unmarshal(k.Config, &e)
		p := convertPanel(k, e, id, refs, look)
		title := titleOf(k, e, p)
		if title != "" && p.typ != "markdown" {
			p.config["title"] = title
		}
		if e.HideTitles {
			p.config["hide_title"] = true
		}
		if len(e.TimeRange) > 0 && string(e.TimeRange) != "null" {
			p.config["time_range"] = e.TimeRange
		}
		g := k.Grid
		placed = append(placed, placedPanel{g.Section, map[string]any{"type": p.typ, "id": id, "config": p.config,
			"grid": map[string]any{"x": clamp(g.X, 0, 47), "y": max(g.Y, 0), "w": clamp(g.W, 1, 48), "h": clamp(g.H, 1, 200)}}})
		reports = append(reports, p.report(id, title))
	}
	return placed, reports
}

func clamp(n, lo, hi int) int { return min(max(n, lo), hi) }

func titleOf(k kibanaPanel, e embedded, p *panel) string {
	if e.Title != nil && *e.Title != "" {
		return *e.Title
	}
	if k.Title != "" {
		return k.Title
	}
	t, _ := p.config["title"].(string)
	return t
}

// sectioned puts the panels of sections into them, in the API's form.
func sectioned(a kibanaDashboard, placed []placedPanel) []any {
	out := []any{}
	in := map[string][]any{}
	for _, p := range placed {
		if p.section == "" {
			out = append(out, p.panel)
		} else {
			in[p.section] = append(in[p.section], p.panel)
		}
	}
	for _, s := range a.Sections {
		out = append(out, map[string]any{"title": s.Title, "collapsed": s.Collapsed, "grid": map[string]any{"y": s.Grid.Y}, "panels": in[s.Grid.I]})
		delete(in, s.Grid.I)
	}
	for _, name := range slices.Sorted(maps.Keys(in)) { // sections nobody declares
		out = append(out, in[name]...)
	}
	return out
}

// convertPanel converts a panel by value, or the object it points to.
func convertPanel(k kibanaPanel, e embedded, id string, refs []Reference, look Lookup) *panel {
	switch {
	case k.Type == "lens" && len(e.Attributes) > 0:
		var inner struct {
			References []Reference `json:"references"`
		}
		json.Unmarshal(e.Attributes, &inner)
		return convertLens(e.Attributes, append(inner.References, unprefixed(refs, id)...))
	case k.Type == "visualization" && len(e.SavedVis) > 0:
		return convertSavedVis(e.SavedVis, unprefixed(refs, id))
	case k.Type == "DASHBOARD_MARKDOWN" || k.Type == "markdown":
		return &panel{typ: "markdown", status: Whole, config: map[string]any{"content": e.Content}}
	}
	ref := referenced(k, id, refs)
	if ref == nil {
		return placeholder(k.Type, fmt.Sprintf("a panel of type %q", k.Type), k.Config)
	}
	o := look(ref.Type, ref.ID)
	if o == nil {
		return placeholder(k.Type, fmt.Sprintf("%s %s is not in the file", ref.Type, ref.ID), k.Config)
	}
	switch o.Type {
	case "lens", "visualization":
		p := convertVisPanel(*o)
		setTitle(p, o.Attributes)
		return p
	case "search":
		body, err := convertSearch(*o, look)
		if err != nil {
			return placeholder(k.Type, err.Error(), k.Config)
		}
		p := &panel{typ: "discover_session", status: Whole, config: sessionOf(body.(map[string]any), e.Columns)}
		setTitle(p, o.Attributes)
		return p
	}
	return placeholder(o.Type, fmt.Sprintf("a panel of type %q", o.Type), k.Config)
}

func setTitle(p *panel, attributes []byte) {
	var a struct {
		Title string `json:"title"`
	}
	if json.Unmarshal(attributes, &a) == nil && a.Title != "" {
		p.config["title"] = a.Title
	}
}

// sessionOf is a saved search as a panel's config.
func sessionOf(body map[string]any, cols []string) map[string]any {
	lang := "kuery"
	if body["lang"] == "lucene" {
		lang = "lucene"
	}
	if cols = withoutSource(cols); len(cols) == 0 {
		cols, _ = body["cols"].([]string)
	}
	return map[string]any{"data_source": body["data_source"], "columns": cols, "query": map[string]any{"query": body["query"], "language": lang}, "filters": body["filters"]}
}

// referenced finds the object a panel points to: "<panelIndex>:<panelRefName>", older the bare name, oldest type and id in the panel.
func referenced(k kibanaPanel, id string, refs []Reference) *Reference {
	for _, name := range []string{id + ":" + k.RefName, k.RefName, id + ":panel_" + id, "panel_" + id, id + ":savedObjectRef", "savedObjectRef"} {
		if r := find(refs, name); r != nil && name != "" {
			return r
		}
	}
	if k.ID != "" {
		return &Reference{Type: k.Type, ID: k.ID}
	}
	return nil
}

// unprefixed are the references of one panel without its "<panelIndex>:".
func unprefixed(refs []Reference, id string) []Reference {
	var out []Reference
	for _, r := range refs {
		if name, ok := strings.CutPrefix(r.Name, id+":"); ok {
			out = append(out, Reference{Name: name, Type: r.Type, ID: r.ID})
		}
	}
	return out
}

// controlsOf converts the options lists and range sliders above a dashboard.
func controlsOf(a kibanaDashboard, refs []Reference) []any {
	if a.Controls == nil {
		return nil
	}
	var list map[string]struct {
		Order int    `json:"order"`
		Type  string `json:"type"`
		Input struct {
			Field    string `json:"fieldName"`
			Title    string `json:"title"`
			DataView string `json:"dataViewId"`
		} `json:"explicitInput"`
	}
	json.Unmarshal([]byte(a.Controls.PanelsJSON), &list)
	ids := slices.Sorted(maps.Keys(list))
	slices.SortStableFunc(ids, func(x, y string) int { return list[x].Order - list[y].Order })
	types := map[string]string{"optionsListControl": "options_list_control", "rangeSliderControl": "range_slider_control"}
	var out []any
	for _, id := range ids {
		c := list[id]
		if types[c.Type] == "" || c.Input.Field == "" {
			continue
		}
		view := c.Input.DataView
		for _, r := range refs {
			if strings.HasPrefix(r.Name, "controlGroup_"+id+":") {
				view = r.ID
			}
		}
		out = append(out, map[string]any{"id": id, "type": types[c.Type], "config": map[string]any{"title": c.Input.Title, "field_name": c.Input.Field, "data_view_id": view}})
	}
	return out
}
