package pipeline

import (
	"slices"
	"strings"

	"github.com/weirlog/weir/pipeline/bus"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/output"
)

// Check compiles the configuration without running anything and returns all faults and remarks, in order of the text.
func Check(cfg Config) conf.Errors {
	cfg = cfg.withDefaults()
	f, sources, errs := load(&cfg)
	if len(errs) == 0 {
		c := newCompiler(&cfg, f, &errs)
		c.checkOnly = true
		c.workers(f)
		c.sources(1)
		c.program(f)
		c.check(f)
	}
	sources.show(errs)
	slices.SortStableFunc(errs, func(a, b *conf.Error) int {
		switch {
		case a.File != b.File:
			return 0
		case a.Line != b.Line:
			return a.Line - b.Line
		}
		return a.Col - b.Col
	})
	return errs
}

func (c *compiler) warn(pos conf.Pos, hint, format string, args ...any) {
	e := conf.ErrorAt(pos, hint, format, args...)
	e.Warning = true
	*c.errs = append(*c.errs, e)
}

// check looks at the configuration as a whole.
func (c *compiler) check(f *conf.File) {
	top := conf.Pos{File: "configuration", Line: 1, Col: 1}
	if len(f.Sections) > 0 {
		top = f.Sections[0].Pos
	}
	if len(c.inputs) == 0 {
		c.fail(top, "write input { ... }", "there is no input")
	}
	if len(c.outputs) == 0 {
		c.fail(top, "write output { ... }", "there is no output")
	}
	c.checkQueues()
	if own := c.links(); bus.Cycle([]bus.Links{own}) != nil {
		c.fail(top, "", "pipeline %s sends to itself: records would run in a circle", own.ID)
	}
	exact := slices.ContainsFunc(c.outputs, func(p *conf.Plugin) bool { s := output.Find(p.Name); return s != nil && s.Exact })
	for _, p := range c.outputs {
		s := output.Find(p.Name)
		if exact && s != nil && !s.Exact && p.Name != "null" && p.Name != "sink" {
			c.warn(p.Pos, "", "documents are written once; output %s may repeat events after a crash", p.Name)
		}
	}
	for _, s := range f.Sections {
		if s.Kind == "filter" {
			lintBody(c, s.Body)
		}
	}
	c.lintInputs()
	c.lintPlugins(f)
	c.lintNames(f)
}

// lintInputs looks for queues whose records are read as plain text: shippers send JSON.
func (c *compiler) lintInputs() {
	for _, p := range c.inputs {
		has := slices.ContainsFunc(p.Attrs, func(a *conf.Attr) bool { return a.Name == "codec" })
		if p.Name == "kafka" && !has {
			c.warn(p.Pos, "write codec => json", "records are read as plain text; those of Filebeat and of weir's agent are JSON")
		}
	}
}

// legacy are fields the stock patterns of Logstash 7 set and those of ECS do not.
var legacy = []string{"clientip", "httpversion", "rawrequest", "logsource", "timestamp8601", "syslog_severity_code", "syslog_facility_code"}

// lintNames looks for names of Logstash 7 in a configuration with ECS: conditions on them never hold.
func (c *compiler) lintNames(f *conf.File) {
	if c.cfg.ECS == "disabled" {
		return
	}
	for _, s := range f.Sections {
		text := conf.Print(&conf.File{Sections: []*conf.Section{s}})
		if strings.Contains(text, "ecs_compatibility") {
			continue
		}
		for _, n := range legacy {
			if strings.Contains(text, "["+n+"]") || strings.Contains(text, "%{"+n+"}") || strings.Contains(text, `"`+n+`"`) {
				c.warn(s.Pos, "for these names set pipeline.ecs_compatibility: disabled", "field %s is a name of Logstash 7; patterns set ECS names here", n)
				return
			}
		}
	}
}

// checkQueues refuses two inputs that read one topic as different groups: positions are kept once.
func (c *compiler) checkQueues() {
	var first *source
	for _, s := range c.built {
		pos := c.inputs[s.index].Pos
		switch {
		case s.queue == nil:
		case first == nil:
			first = s
		case s.queue.Group() != first.queue.Group():
			c.fail(pos, "use one group_id, or two pipelines", "this input reads as group %s, the one at line %d as %s", s.queue.Group(),
				c.inputs[first.index].Pos.Line, first.queue.Group())
		}
	}
}

// lintBody looks for conditions that Logstash's users get wrong.
func lintBody(c *compiler, body []conf.Stmt) {
	for _, st := range body {
		x, ok := st.(*conf.If)
		if !ok {
			continue
		}
		for _, b := range x.Branches {
			if b.Cond != nil {
				lintCond(c, b.Cond)
			}
			if len(b.Body) == 0 {
				c.warn(b.Pos, "", "nothing happens in this branch")
			}
			lintBody(c, b.Body)
		}
	}
}

func lintCond(c *compiler, x conf.Expr) {
	switch x := x.(type) {
	case *conf.Paren:
		lintCond(c, x.X)
	case *conf.Not:
		lintCond(c, x.X)
	case *conf.Logic:
		lintCond(c, x.L)
		lintCond(c, x.R)
	case *conf.Compare:
		if l, ok := x.R.(*conf.Array); ok && (x.Op == "in" || x.Op == "not in") && len(l.Items) == 1 {
			c.warn(x.Pos, "write == instead", "a list of one: Logstash finds nothing in it, here it is compared")
		}
	}
}
