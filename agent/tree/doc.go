// Package tree is an event as the agent's parsers, processors and listening inputs hold it: fields as maps, lists and single values,
// addressed by dotted paths, and their JSON form.
//
//	{"@timestamp":"2026-11-22T21:34:10.888Z","@metadata":{...},"message":"GET /","log":{...}, ...}
//
// Values are string, bool, int, int64, uint64, float64, json.Number, time.Time, nil, []string, []any and map[string]any. The plain lines
// of files never become trees: the agent renders them from what is constant for a file.
package tree
