package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/lifecycle"
)

// handleGetStream answers GET /_data_stream[/{name}].
func handleGetStream(c *call) error {
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	verbose, err := c.params.boolean("verbose", false)
	if err != nil {
		return err
	}
	out := []any{}
	for _, d := range list {
		one := c.stream(d)
		if verbose {
			if newest, ok := c.newest(d); ok {
				one.set("maximum_timestamp", newest)
			}
		}
		out = append(out, one)
	}
	return c.reply(http.StatusOK, newObject().set("data_streams", out).bytes())
}

// stream is a data stream as GET _data_stream shows it.
func (c *call) stream(d store.DataStream) *object {
	l, hasLifecycle := c.s.store.StreamLifecycle(d.Name)
	managed := func(policy string) string {
		switch {
		case policy != "":
			return "Index Lifecycle Management"
		case hasLifecycle && l.Enabled:
			return "Data stream lifecycle"
		}
		return "Unmanaged"
	}
	indices, policy, status := []any{}, "", "GREEN"
	for _, i := range d.Indices {
		set, _ := c.s.store.SettingsOf(i.Name)
		policy = ""
		if set != nil {
			policy, _ = set.Get("lifecycle.name")
			if set.Int("number_of_replicas", 0) > 0 {
				status = "YELLOW"
			}
		}
		one := newObject().set("index_name", i.Name).set("index_uuid", i.UUID).set("prefer_ilm", true)
		if policy != "" {
			one.set("ilm_policy", policy)
		}
		indices = append(indices, one.set("managed_by", managed(policy)).set("index_mode", "standard"))
	}
	o := newObject().set("name", d.Name).set("timestamp_field", map[string]string{"name": "@timestamp"}).set("indices", indices).
		set("generation", d.Generation).set("status", status).set("template", d.Template)
	if hasLifecycle {
		o.set("lifecycle", lifecycleJSON(l))
	}
	if policy != "" {
		o.set("ilm_policy", policy)
	}
	return o.set("next_generation_managed_by", managed(policy)).set("prefer_ilm", true).set("hidden", d.Hidden).set("system", false).
		set("allow_custom_routing", false).set("replicated", false).set("rollover_on_write", false).set("index_mode", "standard")
}

// handlePutStream answers PUT /_data_stream/{name}.
func handlePutStream(c *call) error {
	if err := c.s.store.CreateDataStream(c.vars["name"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleDeleteStream answers DELETE /_data_stream/{name}.
func handleDeleteStream(c *call) error {
	if err := c.s.store.DeleteDataStream(c.vars["name"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleRollover answers POST /{target}/_rollover[/{name}]: without conditions it rolls, with some when one of them holds.
func handleRollover(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	req, conditions, err := rolloverBody(body)
	if err != nil {
		return err
	}
	dry, err := c.params.boolean("dry_run", false)
	if err != nil {
		return err
	}
	res, err := c.s.store.Rollover(c.vars["index"], c.vars["name"], req, true)
	if err != nil {
		return err
	}
	old, _ := c.s.store.Info(res.Old)
	met, roll, err := lifecycle.Met(old, conditions, time.Now())
	if err != nil {
		return err
	}
	if roll && !dry {
		if res, err = c.s.store.Rollover(c.vars["index"], c.vars["name"], req, false); err != nil {
			return err
		}
	}
	done := roll && !dry
	return c.reply(http.StatusOK, newObject().set("acknowledged", done).set("shards_acknowledged", done).set("old_index", res.Old).set("new_index", res.New).
		set("rolled_over", done).set("dry_run", dry).set("conditions", met).bytes())
}

func rolloverBody(body []byte) (req store.CreateRequest, conditions map[string]any, err error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return req, nil, nil
	}
	var in struct {
		Settings, Mappings, Aliases json.RawMessage
		Conditions                  map[string]any
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return req, nil, badRequest("parse_exception", "%v", err)
	}
	return store.CreateRequest{Settings: in.Settings, Mappings: in.Mappings, Aliases: in.Aliases}, in.Conditions, nil
}
