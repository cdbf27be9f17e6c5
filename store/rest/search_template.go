package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"github.com/cbroglie/mustache"
	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
)

// maxRendered bounds what a template may grow to.
const maxRendered = 1 << 20

// render fills a mustache template. Values stand in JSON strings, so they are escaped as such; toJson, join and url are sections.
func render(text string, params map[string]any) ([]byte, error) {
	t, err := mustache.ParseStringPartials(text, &mustache.StaticProvider{}) // no partials from files
	if err != nil {
		return nil, &store.Error{Status: 400, Type: "general_script_exception", Reason: "Failed to compile inline script [" + text + "] using lang [mustache]",
			Cause: &store.Error{Status: 400, Type: "mustache_exception", Reason: err.Error()}}
	}
	t.Escape(jsonText)
	env := map[string]any{}
	for k, v := range params {
		env[k] = v
	}
	env["toJson"] = func(name string, _ mustache.RenderFunc) (string, error) {
		b, err := json.Marshal(lookUp(params, strings.TrimSpace(name)))
		return string(b), err
	}
	env["join"] = func(name string, _ mustache.RenderFunc) (string, error) {
		list, ok := lookUp(params, strings.TrimSpace(name)).([]any)
		if !ok {
			return "", nil
		}
		parts := make([]string, len(list))
		for i, v := range list {
			parts[i] = plainText(v)
		}
		return strings.Join(parts, ","), nil
	}
	env["url"] = func(text string, inner mustache.RenderFunc) (string, error) {
		s, err := inner(text)
		return url.QueryEscape(s), err
	}
	var out bytes.Buffer
	if err := t.FRender(&out, env); err != nil {
		return nil, &store.Error{Status: 400, Type: "general_script_exception", Reason: "Error running template", Cause: &store.Error{Status: 400, Type: "mustache_exception", Reason: err.Error()}}
	}
	if out.Len() > maxRendered {
		return nil, illegal("a search template of %d bytes exceeds the limit of %d", out.Len(), maxRendered)
	}
	return out.Bytes(), nil
}

// lookUp follows a dotted name.
func lookUp(v any, path string) any {
	for _, k := range strings.Split(path, ".") {
		if k == "" {
			return v
		}
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[k]
	}
	return v
}

func plainText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(encode(v))
}

// rendered turns {source|id, params} into the body it stands for.
func (c *call) rendered(body []byte, id string) ([]byte, error) {
	var in struct {
		Source  json.RawMessage
		ID      string
		Params  map[string]any
		Explain bool
		Profile bool
	}
	if len(bytes.TrimSpace(body)) > 0 {
		d := json.NewDecoder(bytes.NewReader(body))
		d.UseNumber() // numbers keep their literals
		if err := d.Decode(&in); err != nil {
			return nil, badRequest("parsing_exception", "%v", err)
		}
	}
	if in.ID == "" {
		in.ID = id
	}
	if in.Explain || in.Profile {
		return nil, illegal("[explain] and [profile] of search templates are not supported")
	}
	text := string(in.Source)
	switch {
	case in.ID != "":
		def, ok := c.s.store.Definition(store.StoredScript, in.ID)
		if !ok {
			return nil, &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "unable to find script [" + in.ID + "] in cluster state"}
		}
		text = string(fastjson.MustParseBytes(def).GetStringBytes("script", "source"))
	case len(in.Source) == 0:
		return nil, validation([]string{"template is missing"})
	case in.Source[0] == '"':
		if err := json.Unmarshal(in.Source, &text); err != nil {
			return nil, badRequest("parsing_exception", "%v", err)
		}
	}
	return render(text, in.Params)
}

// handleSearchTemplate answers [/{index}]/_search/template.
func handleSearchTemplate(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if body, err = c.rendered(body, ""); err != nil {
		return err
	}
	return c.answerSearch(body)
}

// handleMsearchTemplate answers [/{index}]/_msearch/template.
func handleMsearchTemplate(c *call) error {
	return c.multiSearch(func(b []byte) ([]byte, error) { return c.rendered(b, "") })
}

// handleRenderTemplate answers /_render/template[/{id}].
func handleRenderTemplate(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	out, err := c.rendered(body, c.vars["id"])
	if err != nil {
		return err
	}
	v, err := fastjson.ParseBytes(out)
	if err != nil {
		return badRequest("json_parse_exception", "the template does not give JSON: %v", err)
	}
	return c.reply(http.StatusOK, newObject().raw("template_output", v.MarshalTo(nil)).bytes())
}
