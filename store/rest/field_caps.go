package rest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// handleFieldCaps answers [/{index}]/_field_caps.
func handleFieldCaps(c *call) error {
	req := search.CapsRequest{Fields: c.params.list("fields"), Types: c.params.list("types")}
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := capsBody(&req, body); err != nil {
		return err
	}
	if len(req.Fields) == 0 {
		return badRequest("action_request_validation_exception", "Validation Failed: 1: no fields specified;")
	}
	filters := c.params.list("filters")
	for _, f := range filters {
		if !slices.Contains([]string{"-metadata", "+metadata", "-parent", "-nested", "-multifield"}, f) {
			return illegal("Unknown field caps filter [%s]", f)
		}
	}
	req.NoMetadata = slices.Contains(filters, "-metadata")
	if req.IncludeUnmapped, err = c.params.boolean("include_unmapped", false); err != nil {
		return err
	}
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	b, err := c.s.store.FieldCaps(c.r.Context(), c.vars["index"], o, req)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, filterCaps(b, filters))
}

// capsBody reads fields, index_filter and runtime_mappings.
func capsBody(req *search.CapsRequest, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return badRequest("parse_exception", "request body is not a JSON object")
	}
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		switch string(k) {
		case "fields":
			if e.Type() == fastjson.TypeString {
				req.Fields = append(req.Fields, strings.Split(string(e.GetStringBytes()), ",")...)
			}
			for _, f := range e.GetArray() {
				req.Fields = append(req.Fields, string(f.GetStringBytes()))
			}
		case "index_filter":
			req.Filter, err = query.ParseText(string(e.MarshalTo(nil)))
			if err != nil && bad == nil {
				bad = err
			}
		case "runtime_mappings":
			if o := e.GetObject(); o != nil && o.Len() > 0 {
				bad = illegal("[runtime_mappings] is not supported")
			}
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [field_caps_request] unknown field [%s]", k)
		}
	})
	return bad
}

// filterCaps takes objects and multi-fields out when the request says so.
func filterCaps(b []byte, filters []string) []byte {
	noParent, noNested, noMulti := slices.Contains(filters, "-parent"), slices.Contains(filters, "-nested"), slices.Contains(filters, "-multifield")
	if !noParent && !noNested && !noMulti {
		return b
	}
	v, err := fastjson.ParseBytes(b)
	if err != nil {
		return b
	}
	fields := v.GetObject("fields")
	var drop []string
	fields.Visit(func(k []byte, types *fastjson.Value) {
		name := string(k)
		if noParent && types.Get("object") != nil || noNested && types.Get("nested") != nil {
			drop = append(drop, name)
		}
		if i := strings.LastIndexByte(name, '.'); noMulti && i > 0 {
			if parent := fields.Get(name[:i]); parent != nil && parent.Get("object") == nil && parent.Get("nested") == nil {
				drop = append(drop, name)
			}
		}
	})
	for _, name := range drop {
		fields.Del(name)
	}
	return v.MarshalTo(nil)
}
