package pipeline

import (
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/pipeline/plugin"
)

// Plugins is every plugin there is with its options, for editors.
type Plugins struct {
	Filters  []PluginInfo            `json:"filters"`
	Inputs   []PluginInfo            `json:"inputs"`
	Outputs  []PluginInfo            `json:"outputs"`
	Codecs   []PluginInfo            `json:"codecs"`
	Common   map[string][]OptionInfo `json:"common"`   // options all filters, inputs, outputs have
	Patterns []string                `json:"patterns"` // of grok
}

// PluginInfo is a plugin.
type PluginInfo struct {
	Name    string       `json:"name"`
	Options []OptionInfo `json:"options"`
}

// OptionInfo is an option of a plugin.
type OptionInfo struct {
	Name       string   `json:"name"`
	Kind       string   `json:"kind"`
	Default    string   `json:"default,omitempty"`
	Required   bool     `json:"required,omitempty"`
	Enum       []string `json:"enum,omitempty"`
	Doc        string   `json:"doc,omitempty"`
	Deprecated string   `json:"deprecated,omitempty"` // what to use
	Refused    string   `json:"refused,omitempty"`    // why, or what to use
	Unread     string   `json:"unread,omitempty"`     // why it has no effect
}

// Catalog lists the plugins.
func Catalog() Plugins {
	p := Plugins{Common: map[string][]OptionInfo{"filter": infos(plugin.FilterOptions), "input": infos(plugin.InputOptions), "output": infos(plugin.OutputOptions)}}
	for _, s := range filter.Table() {
		p.Filters = append(p.Filters, PluginInfo{s.Name, infos(s.Options)})
	}
	for _, s := range input.Table() {
		p.Inputs = append(p.Inputs, PluginInfo{s.Name, infos(s.Options)})
	}
	for _, s := range output.Table() {
		p.Outputs = append(p.Outputs, PluginInfo{s.Name, infos(s.Options)})
	}
	for _, s := range codec.Table() {
		p.Codecs = append(p.Codecs, PluginInfo{s.Name, infos(s.Options)})
	}
	p.Patterns = grok.Stock(true).Names()
	return p
}

func infos(opts []plugin.Option) []OptionInfo {
	l := make([]OptionInfo, len(opts))
	for i, o := range opts {
		l[i] = OptionInfo{o.Name, o.Kind.String(), o.Default, o.Required, o.Enum, o.Doc, o.Deprecated, o.Obsolete, o.Unread}
	}
	return l
}
