package rest

import (
	"net/http"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/painless"
)

// handlePutScript answers PUT and POST /_scripts/{id}[/{context}].
func handlePutScript(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	sc := v.Get("script")
	if sc == nil {
		return illegal("must specify <script> for stored script")
	}
	lang := string(sc.GetStringBytes("lang"))
	source := sc.Get("source")
	if lang == "" || source == nil {
		return illegal("must specify lang and source for stored script")
	}
	text := string(source.GetStringBytes())
	if source.Type() == fastjson.TypeObject {
		text = string(source.MarshalTo(nil))
	}
	switch lang {
	case "painless":
		if _, err := painless.Compile(text); err != nil {
			return store.ScriptError(err, text)
		}
	case "mustache":
		if _, err := render(text, nil); err != nil {
			return err
		}
	default:
		return illegal("unable to put stored script with unsupported lang [%s]", lang)
	}
	body := newObject().set("script", newObject().set("lang", lang).set("source", text)).bytes()
	if err := c.s.store.PutDefinition(store.StoredScript, c.vars["id"], body); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetScript answers GET /_scripts/{id}.
func handleGetScript(c *call) error {
	id := c.vars["id"]
	body, ok := c.s.store.Definition(store.StoredScript, id)
	o := newObject().set("_id", id).set("found", ok)
	if !ok {
		return c.reply(http.StatusNotFound, o.bytes())
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, o.raw("script", v.Get("script").MarshalTo(nil)).bytes())
}

// handleDeleteScript answers DELETE /_scripts/{id}.
func handleDeleteScript(c *call) error {
	id := c.vars["id"]
	if _, ok := c.s.store.Definition(store.StoredScript, id); !ok {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "stored script [" + id + "] does not exist and cannot be deleted"}
	}
	if err := c.s.store.DeleteDefinitions(store.StoredScript, id); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleExecuteScript answers GET and POST /_scripts/painless/_execute in the context painless_test.
func handleExecuteScript(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	if ctx := string(v.GetStringBytes("context")); ctx != "" && ctx != "painless_test" {
		return illegal("unsupported script context name [%s]", ctx)
	}
	if v.Get("script") == nil {
		return illegal("Required [script]")
	}
	sc, err := c.s.store.Script(v.Get("script"))
	if err != nil {
		return err
	}
	out, err := sc.Script.Run(map[string]any{"params": painless.Clone(sc.Params)})
	if err != nil {
		return store.ScriptError(err, sc.String())
	}
	return c.reply(http.StatusOK, newObject().set("result", painless.Text(out)).bytes())
}
