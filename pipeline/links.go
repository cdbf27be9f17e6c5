package pipeline

import (
	"slices"

	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/pipeline/plugin"
)

// links is the addresses of the pipeline plugins.
func (c *compiler) links() bus.Links {
	l := bus.Links{ID: c.cfg.ID, Only: len(c.inputs) > 0}
	var ignored conf.Errors // reported when the plugins are built
	for _, p := range c.inputs {
		if p.Name == "pipeline" {
			l.Listens = append(l.Listens, plugin.Read(p, append(slices.Clone(input.Find(p.Name).Options), plugin.InputOptions...), &ignored).String("address"))
		} else {
			l.Only = false
		}
	}
	for _, p := range c.outputs {
		if p.Name == "pipeline" {
			l.Sends = append(l.Sends, plugin.Read(p, append(slices.Clone(output.Find(p.Name).Options), plugin.OutputOptions...), &ignored).Strings("send_to")...)
		}
	}
	return l
}

// Links is what the configuration has to do with other pipelines.
func (p *Pipeline) Links() bus.Links { return p.links }

// LinksOf is Links of a configuration that is not opened; nothing is known of one with faults.
func LinksOf(cfg Config) bus.Links {
	p, err := compileOnly(cfg)
	if err != nil {
		return bus.Links{ID: cfg.ID}
	}
	return p.links
}
