package dashboard

import (
	"embed"
	"encoding/json"
	"fmt"
	"path"
	"strings"
)

// ready are the dashboards that come with the program, a file each, named by id.
//
//go:embed ready/*.json
var ready embed.FS

// Ready is a dashboard that cannot be changed, only copied.
type Ready struct {
	ID, Title, Description string
	Data                   json.RawMessage
}

// Shipped gives the dashboards that come with the program.
func Shipped() ([]Ready, error) {
	files, err := ready.ReadDir("ready")
	if err != nil {
		return nil, fmt.Errorf("list dashboards: %w", err)
	}
	var list []Ready
	for _, f := range files {
		b, err := ready.ReadFile(path.Join("ready", f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read dashboard %s: %w", f.Name(), err)
		}
		d, err := ReadyOf(strings.TrimSuffix(f.Name(), ".json"), b)
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// ReadyOf reads a dashboard's file.
func ReadyOf(id string, b []byte) (Ready, error) {
	d := Ready{ID: id, Data: b}
	var head struct{ Title, Description string }
	if err := json.Unmarshal(b, &head); err != nil {
		return d, fmt.Errorf("read dashboard %s: %w", id, err)
	}
	d.Title, d.Description = head.Title, head.Description
	return d, nil
}
