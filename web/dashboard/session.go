package dashboard

import (
	"encoding/json"
)

// maxColumns bounds the fields a session shows beside the line.
const maxColumns = 50

// Session is a panel of log lines.
type Session struct {
	Source  Source
	Columns []string
	Query   Query
	Filters []Filter
}

// sessionConfig is a session as the API has it, or as Explore saves a search.
type sessionConfig struct {
	DataSource *Source           `json:"data_source"`
	Columns    []json.RawMessage `json:"columns"`
	Query      json.RawMessage   `json:"query"`
	Filters    json.RawMessage   `json:"filters"`
	Tabs       []json.RawMessage `json:"tabs"`

	Index string   `json:"index"`
	Lang  string   `json:"lang"`
	Cols  []string `json:"cols"`
}

// ParseSession reads the config of a panel of log lines; of several tabs the first.
func ParseSession(config []byte) (*Session, error) {
	var c sessionConfig
	if err := json.Unmarshal(config, &c); err != nil {
		return nil, unsupported("the definition cannot be read: %v", err)
	}
	if len(c.Tabs) > 0 {
		c2 := sessionConfig{}
		if err := json.Unmarshal(c.Tabs[0], &c2); err != nil {
			return nil, unsupported("the definition cannot be read: %v", err)
		}
		c = c2
	}
	s := &Session{Columns: c.Cols}
	if c.DataSource != nil {
		s.Source = *c.DataSource
	}
	if s.Source.Type == "esql" {
		return nil, unsupported("ES|QL: %s", s.Source.Query)
	}
	if c.Index != "" {
		s.Source.IndexPattern = c.Index
	}
	for _, col := range c.Columns {
		if name := columnName(col); name != "" && name != "_source" && name != "@timestamp" {
			s.Columns = append(s.Columns, name)
		}
	}
	if len(s.Columns) > maxColumns {
		s.Columns = s.Columns[:maxColumns]
	}
	if len(c.Query) > 0 && c.Query[0] == '"' {
		json.Unmarshal(c.Query, &s.Query.Query)
		s.Query.Language = c.Lang
	} else if len(c.Query) > 0 {
		json.Unmarshal(c.Query, &s.Query)
	}
	var err error
	s.Filters, err = ParseFilters(c.Filters)
	return s, err
}

// columnName is a column given as its name or as an object with one.
func columnName(raw []byte) string {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return name
	}
	var o struct {
		Name string `json:"name"`
	}
	json.Unmarshal(raw, &o)
	return o.Name
}

// Body is the search of the session's lines under filter.
func (s *Session) Body(scope Scope, filter []any) (map[string]any, error) {
	not := scope.Not
	if s.Query.Text() != "" {
		dsl, err := scope.Parse(s.Query)
		if err != nil {
			return nil, err
		}
		filter = append(filter, dsl)
	}
	for _, f := range s.Filters {
		switch {
		case f.Disabled:
		case f.Negated:
			not = append(not[:len(not):len(not)], f.Clause)
		default:
			filter = append(filter, f.Clause)
		}
	}
	b := map[string]any{"filter": filter}
	if len(not) > 0 {
		b["must_not"] = not
	}
	return map[string]any{"query": map[string]any{"bool": b}, "track_total_hits": true, "timeout": "25s"}, nil
}
