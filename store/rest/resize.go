package rest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/weirlog/weir/store"
)

// handleResize answers PUT and POST /{index}/_clone/{target}, _shrink and _split.
func handleResize(c *call) error {
	req, err := c.createBody()
	if err != nil {
		return err
	}
	kind := "clone"
	for _, k := range []string{"shrink", "split"} {
		if strings.Contains(c.r.URL.Path, "/_"+k+"/") {
			kind = k
		}
	}
	if len(req.Mappings) > 0 {
		return illegal("mappings are not allowed when resizing indices, all mappings are copied from the source index")
	}
	target := c.vars["target"]
	if err := c.s.store.Resize(c.r.Context(), kind, c.vars["index"], target, req); err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("shards_acknowledged", true).set("index", target).bytes())
}

// blocks that PUT /{index}/_block/{block} knows.
var blocks = []string{"metadata", "read", "read_only", "write"}

// handleBlock answers PUT /{index}/_block/{block}.
func handleBlock(c *call) error {
	b := c.vars["block"]
	if !slices.Contains(blocks, b) {
		return illegal("No block found with name %s", b)
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	names, err := c.names(c.vars["index"])
	if err != nil {
		return err
	}
	if err := c.s.store.PutSettings(c.vars["index"], newObject().set("blocks."+b, true).bytes(), o); err != nil {
		return err
	}
	list := []any{}
	for _, n := range names {
		list = append(list, newObject().set("name", n).set("blocked", true))
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("shards_acknowledged", true).set("indices", list).bytes())
}

// handleUnblock answers DELETE /{index}/_block/{block}.
func handleUnblock(c *call) error {
	b := c.vars["block"]
	if !slices.Contains(blocks, b) {
		return illegal("No block found with name %s", b)
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	names, err := c.names(c.vars["index"])
	if err != nil {
		return err
	}
	if err := c.s.store.PutSettings(c.vars["index"], newObject().set("blocks."+b, nil).bytes(), o); err != nil {
		return err
	}
	list := []any{}
	for _, n := range names {
		list = append(list, newObject().set("name", n).set("unblocked", true))
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("indices", list).bytes())
}

// simulated prints what templates give.
func (c *call) simulatedTemplate(s *store.Simulated, withOverlap bool) error {
	tree := map[string]any{}
	for _, n := range s.Settings.Names() {
		v, _ := s.Settings.Get(n)
		plant(tree, strings.Split(n, "."), v)
	}
	settings := map[string]any{}
	if len(tree) > 0 {
		settings["index"] = tree
	}
	t := newObject().set("settings", settings).raw("mappings", s.Mapping.JSON()).set("aliases", s.Aliases)
	if s.Lifecycle != nil {
		t.raw("lifecycle", s.Lifecycle)
	}
	o := newObject().set("template", t)
	if withOverlap {
		list := []any{}
		for _, x := range s.Overlapping {
			list = append(list, newObject().set("name", x.Name).raw("index_patterns", x.Body))
		}
		o.set("overlapping", list)
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleSimulateIndex answers POST /_index_template/_simulate_index/{name}.
func handleSimulateIndex(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	s, err := c.s.store.SimulateIndex(c.vars["name"], body)
	if err != nil {
		return err
	}
	return c.simulatedTemplate(s, true)
}

// handleSimulateTemplate answers POST /_index_template/_simulate[/{name}].
func handleSimulateTemplate(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	s, err := c.s.store.SimulateTemplate(c.vars["name"], body)
	if err != nil {
		return err
	}
	return c.simulatedTemplate(s, true)
}
