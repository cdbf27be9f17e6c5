package rest

import (
	"net/http"
	"strings"

	"github.com/weirlog/weir/store"
)

var templateParams = []string{"create", "order", "cause", "include_type_name", "include_defaults"}

// templateKind of a path: _index_template, _component_template or _template.
func (c *call) templateKind() (kind, list, item string) {
	switch {
	case strings.HasPrefix(c.r.URL.Path, "/_index_template"):
		return store.IndexTemplate, "index_templates", "index_template"
	case strings.HasPrefix(c.r.URL.Path, "/_component_template"):
		return store.ComponentTemplate, "component_templates", "component_template"
	}
	return store.LegacyTemplate, "", ""
}

// handlePutTemplate answers PUT and POST of all three kinds.
func handlePutTemplate(c *call) error {
	kind, _, _ := c.templateKind()
	create, err := c.params.boolean("create", false)
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := c.s.store.PutTemplate(kind, c.vars["name"], body, create); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetTemplate answers GET and HEAD of all three kinds.
func handleGetTemplate(c *call) error {
	kind, list, item := c.templateKind()
	templates, err := c.s.store.Templates(kind, c.vars["name"])
	if err != nil {
		return err
	}
	o := newObject()
	if kind == store.LegacyTemplate {
		for _, t := range templates {
			o.raw(t.Name, t.Body)
		}
		return c.reply(http.StatusOK, o.bytes())
	}
	out := []byte{'['}
	for i, t := range templates {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, newObject().set("name", t.Name).raw(item, t.Body).bytes()...)
	}
	return c.reply(http.StatusOK, o.raw(list, append(out, ']')).bytes())
}

// handleDeleteTemplate answers DELETE of all three kinds.
func handleDeleteTemplate(c *call) error {
	kind, _, _ := c.templateKind()
	if err := c.s.store.DeleteTemplate(kind, c.vars["name"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}
