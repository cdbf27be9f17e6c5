package rest

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/contexts"
	"github.com/weirlog/weir/store/query"
)

// scrollParam reads ?scroll= and refuses what does not go with it.
func (c *call) scrollParam(sg *searching) error {
	if !c.params.has("scroll") {
		return nil
	}
	text := c.params.str("scroll", "")
	keep, err := parseTime("scroll", text)
	if err != nil {
		return err
	}
	if err := contexts.CheckKeepAlive(keep, text); err != nil {
		return err
	}
	r := sg.req
	var faults []string
	for _, f := range []struct {
		bad  bool
		text string
	}{
		{r.TrackTotal == 0, "disabling [track_total_hits] is not allowed in a scroll context"},
		{r.From > 0, "using [from] is not allowed in a scroll context"},
		{r.Size == 0, "[size] cannot be [0] in a scroll context"},
		{c.params.str("request_cache", "") == "true", "[request_cache] cannot be used in a scroll context"},
	} {
		if f.bad {
			faults = append(faults, f.text)
		}
	}
	switch {
	case len(faults) > 0:
		return validation(faults)
	case r.Collapse != "":
		return illegal("cannot use `collapse` in a scroll context")
	case len(r.SearchAfter) > 0:
		return illegal("`search_after` cannot be used in a scroll context.")
	case r.Size > query.MaxWindow:
		return illegal("Batch size is too large, size must be less than or equal to: [%d] but was [%d]. Scroll batch sizes cost as much memory as result windows so they are "+
			"controlled by the [index.max_result_window] index level setting.", query.MaxWindow, r.Size)
	}
	r.TrackTotal = query.CountAll // a scroll's total is exact
	sg.scroll = keep
	return nil
}

// validation lists faults as Elasticsearch does.
func validation(faults []string) error {
	var b strings.Builder
	b.WriteString("Validation Failed: ")
	for i, f := range faults {
		b.WriteString(itoa(i+1) + ": " + f + ";")
	}
	return badRequest("action_request_validation_exception", "%s", b.String())
}

// handleScroll answers GET and POST /_search/scroll[/{scroll_id}]: the next page. The body's id beats the URL's.
func handleScroll(c *call) error {
	id, keepText := c.vars["scroll_id"], c.params.str("scroll", "")
	if s := c.params.str("scroll_id", ""); s != "" {
		id = s
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) > 0 {
		v, err := fastjson.ParseBytes(body)
		if err != nil || v.Type() != fastjson.TypeObject {
			return illegal("Failed to parse request body")
		}
		if e := v.Get("scroll_id"); e != nil {
			id = string(e.GetStringBytes())
		}
		if e := v.Get("scroll"); e != nil {
			keepText = string(e.GetStringBytes())
		}
	}
	if id == "" {
		return validation([]string{"scrollId is missing"})
	}
	sc, err := c.nextScroll(id, keepText)
	if err != nil {
		return err
	}
	ctx, t, err := c.s.tasks.Begin(c.r.Context(), c.taskInfo("indices:data/read/scroll", "scrollId["+id+"], scroll["+keepText+"]"))
	if err != nil {
		return &store.Error{Status: 429, Type: "es_rejected_execution_exception", Reason: err.Error()}
	}
	defer c.s.tasks.End(t)
	resp, enc, err := c.s.contexts.Next(ctx, sc)
	if err != nil {
		return c.s.whyEnded(ctx, err)
	}
	if enc.TotalAsInt, err = c.params.boolean("rest_total_hits_as_int", enc.TotalAsInt); err != nil {
		return err
	}
	c.s.counts.scrolls.Add(1)
	out := resp.AppendJSON(nil, enc)
	return c.reply(http.StatusOK, slices.Insert(out, 1, []byte(`"_scroll_id":`+string(encode(id))+",")...))
}

func (c *call) nextScroll(id, keepText string) (*contexts.Scroll, error) {
	if keepText == "" {
		return c.s.contexts.FindScroll(id, 0)
	}
	keep, err := parseTime("scroll", keepText)
	if err != nil {
		return nil, err
	}
	if err := contexts.CheckKeepAlive(keep, keepText); err != nil {
		return nil, err
	}
	return c.s.contexts.FindScroll(id, keep)
}

// handleClearScroll answers DELETE /_search/scroll[/{scroll_id}].
func handleClearScroll(c *call) error {
	var ids []string
	if s := c.vars["scroll_id"]; s != "" {
		ids = strings.Split(s, ",")
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(body)) > 0 {
		v, err := fastjson.ParseBytes(body)
		if err != nil || v.Type() != fastjson.TypeObject {
			return illegal("Failed to parse request body")
		}
		ids = textsOf(v.Get("scroll_id"))
	}
	if len(ids) == 0 {
		return validation([]string{"no scroll ids specified"})
	}
	n := 0
	for _, id := range ids {
		if id == "_all" {
			n += c.s.contexts.CloseScrolls()
		} else if c.s.contexts.CloseScroll(id) {
			n++
		}
	}
	return c.freed(n)
}

// freed answers how many contexts were closed; none is 404.
func (c *call) freed(n int) error {
	status := http.StatusOK
	if n == 0 {
		status = http.StatusNotFound
	}
	return c.reply(status, newObject().set("succeeded", true).set("num_freed", n).bytes())
}

// textsOf is a text or a list of texts.
func textsOf(v *fastjson.Value) []string {
	if v == nil {
		return nil
	}
	if v.Type() == fastjson.TypeString {
		return []string{string(v.GetStringBytes())}
	}
	var out []string
	for _, e := range v.GetArray() {
		out = append(out, string(e.GetStringBytes()))
	}
	return out
}
