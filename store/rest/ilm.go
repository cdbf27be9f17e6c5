package rest

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/lifecycle"
)

// isoMillis prints a moment as policies show it.
func isoMillis(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// handlePutPolicy answers PUT /_ilm/policy/{name}.
func handlePutPolicy(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	p := v.Get("policy")
	if p == nil {
		return badRequest("x_content_parse_exception", "[1:1] [put_lifecycle_request] required fields [policy] are missing")
	}
	if err := c.s.life.PutPolicy(c.vars["name"], p); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetPolicy answers GET /_ilm/policy[/{name}].
func handleGetPolicy(c *call) error {
	list, missing := c.s.store.Definitions(store.LifecyclePolicy, c.vars["name"])
	if len(missing) > 0 {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: fmt.Sprintf("Lifecycle policy not found: %s", missing[0])}
	}
	o := newObject()
	for _, t := range list {
		p, ok := c.s.life.Policy(t.Name)
		if !ok {
			continue
		}
		o.set(t.Name, newObject().set("version", p.Version).set("modified_date", isoMillis(p.Modified)).raw("policy", p.Body.MarshalTo(nil)).set("in_use_by", c.policyUsers(t.Name)))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// policyUsers are the indices and data streams with a policy.
func (c *call) policyUsers(policy string) *object {
	indices, streams, seen := []string{}, []string{}, map[string]bool{}
	for _, n := range c.s.store.Names() {
		i, ok := c.s.store.Info(n)
		if !ok {
			continue
		}
		if p, _ := i.Settings.Get("lifecycle.name"); p != policy {
			continue
		}
		indices = append(indices, n)
		if i.Stream != "" && !seen[i.Stream] {
			seen[i.Stream] = true
			streams = append(streams, i.Stream)
		}
	}
	templates := []string{}
	if list, err := c.s.store.Templates(store.IndexTemplate, ""); err == nil {
		for _, t := range list {
			v, err := fastjson.ParseBytes(t.Body)
			if err != nil || v.Get("template", "settings") == nil {
				continue
			}
			if set, err := store.ParseSettings(v.Get("template", "settings").MarshalTo(nil)); err == nil {
				if p, _ := set.Get("lifecycle.name"); p == policy {
					templates = append(templates, t.Name)
				}
			}
		}
	}
	return newObject().set("indices", indices).set("data_streams", streams).set("composable_templates", templates)
}

// handleDeletePolicy answers DELETE /_ilm/policy/{name}.
func handleDeletePolicy(c *call) error {
	name := c.vars["name"]
	if _, ok := c.s.life.Policy(name); !ok {
		return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "Lifecycle policy not found: " + name}
	}
	var users []string
	for _, n := range c.s.store.Names() {
		if set, ok := c.s.store.SettingsOf(n); ok {
			if p, _ := set.Get("lifecycle.name"); p == name {
				users = append(users, n)
			}
		}
	}
	if len(users) > 0 {
		return illegal("Cannot delete policy [%s]. It is in use by one or more indices: %s", name, quoteList(users))
	}
	if err := c.s.store.DeleteDefinitions(store.LifecyclePolicy, name); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleILMStatus answers GET /_ilm/status.
func handleILMStatus(c *call) error {
	mode := "STOPPED"
	if c.s.life.Running() {
		mode = "RUNNING"
	}
	return c.reply(http.StatusOK, newObject().set("operation_mode", mode).bytes())
}

// handleILMSwitch answers POST /_ilm/start and /_ilm/stop.
func handleILMSwitch(c *call) error {
	if err := c.s.life.SetRunning(strings.HasSuffix(c.r.URL.Path, "/start")); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleILMExplain answers GET /{index}/_ilm/explain.
func handleILMExplain(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	onlyManaged, err := c.params.boolean("only_managed", false)
	if err != nil {
		return err
	}
	onlyErrors, err := c.params.boolean("only_errors", false)
	if err != nil {
		return err
	}
	o := newObject()
	for _, i := range infos {
		policy, managed := i.Settings.Get("lifecycle.name")
		managed = managed && policy != ""
		st := lifecycle.StateOf(i.Settings)
		if !managed && (onlyManaged || onlyErrors) || onlyErrors && st.Failed == "" {
			continue
		}
		o.set(i.Name, c.explainIndex(i, policy, managed, &st))
	}
	return c.reply(http.StatusOK, newObject().set("indices", o).bytes())
}

func (c *call) explainIndex(i info, policy string, managed bool, st *lifecycle.State) *object {
	o := newObject().set("index", i.Name).set("managed", managed)
	if !managed {
		return o
	}
	since, _ := lifecycle.Since(i.IndexInfo)
	now := time.Now()
	o.set("policy", policy).set("index_creation_date_millis", i.Created).set("time_since_index_creation", shortAge(now.Sub(time.UnixMilli(i.Created)))).
		set("lifecycle_date_millis", since.UnixMilli()).set("age", shortAge(now.Sub(since)))
	if st.Phase == "" && st.Failed == "" {
		return o.set("phase", "new").set("action", "complete").set("step", "complete")
	}
	step := st.Step
	if st.Failed != "" {
		step = "ERROR"
	}
	o.set("phase", st.Phase).set("phase_time_millis", st.PhaseTime).set("action", st.Action).set("action_time_millis", st.StepTime).
		set("step", step).set("step_time_millis", st.StepTime)
	if st.Failed != "" {
		o.set("failed_step", st.Failed).set("is_auto_retryable_error", true).set("failed_step_retry_count", st.Retries).
			set("step_info", map[string]string{"type": "illegal_argument_exception", "reason": st.Error})
	}
	if p, ok := c.s.life.Policy(policy); ok {
		def := []byte("null")
		if b := p.Body.Get("phases", st.Phase); b != nil {
			def = b.MarshalTo(nil)
		}
		o.set("phase_execution", newObject().set("policy", policy).raw("phase_definition", def).set("version", p.Version).set("modified_date_in_millis", p.Modified))
	}
	return o
}

// shortAge is a duration as Elasticsearch shows ages: 1.5h, 30.2s.
func shortAge(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.unit {
			return strings.TrimSuffix(fmt.Sprintf("%.2f", float64(d)/float64(u.unit)), ".00") + u.name
		}
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

// handleILMRemove answers POST /{index}/_ilm/remove.
func handleILMRemove(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	failed := []string{}
	for _, i := range infos {
		if err := c.s.life.Remove(i.Name); err != nil {
			failed = append(failed, i.Name)
		}
	}
	return c.reply(http.StatusOK, newObject().set("has_failures", len(failed) > 0).set("failed_indexes", failed).bytes())
}

// handleILMRetry answers POST /{index}/_ilm/retry.
func handleILMRetry(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	for _, i := range infos {
		if err := c.s.life.Retry(i.Name); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleILMMove answers POST /_ilm/move/{index}.
func handleILMMove(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	cur, next := v.Get("current_step"), v.Get("next_step")
	if cur == nil || next == nil {
		return badRequest("x_content_parse_exception", "[1:1] [move_to_step_request] required fields [current_step, next_step] are missing")
	}
	index := c.vars["index"]
	i, ok := c.s.store.Info(index)
	if !ok {
		return &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]", Index: index}
	}
	policy, _ := i.Settings.Get("lifecycle.name")
	p, ok := c.s.life.Policy(policy)
	if !ok {
		return illegal("index [%s] is not associated with an Index Lifecycle Policy", index)
	}
	st := lifecycle.StateOf(i.Settings)
	have := st.Phase
	if have == "" {
		have = "new"
	}
	if want := string(cur.GetStringBytes("phase")); want != have {
		return illegal("index [%s] is not on current step [{\"phase\":\"%s\"}], currently: [{\"phase\":\"%s\",\"action\":\"%s\",\"name\":\"%s\"}]", index, want, have, st.Action, st.Step)
	}
	phase := string(next.GetStringBytes("phase"))
	if p.Body.Get("phases", phase) == nil {
		return illegal("phase [%s] does not exist in policy [%s]", phase, policy)
	}
	action, name := string(next.GetStringBytes("action")), string(next.GetStringBytes("name"))
	if action == "" {
		action, name = "complete", "complete"
	}
	if err := c.s.life.Move(index, phase, action, name); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// lifecycleJSON is a data stream's lifecycle with what is implied.
func lifecycleJSON(l store.DataLifecycle) *object {
	o := newObject().set("enabled", l.Enabled)
	if v, err := fastjson.ParseBytes(l.JSON); err == nil {
		if r := v.GetStringBytes("data_retention"); len(r) > 0 {
			o.set("data_retention", string(r)).set("effective_retention", string(r)).set("retention_determined_by", "data_stream_configuration")
		}
	}
	return o
}

// handlePutStreamLifecycle answers PUT /_data_stream/{name}/_lifecycle.
func handlePutStreamLifecycle(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(body))) == 0 {
		body = []byte("{}")
	}
	if _, ok := store.ParseLifecycle(body); !ok {
		return illegal("failed to parse the lifecycle: data_retention must be a time value and enabled a boolean")
	}
	if err := onlyKeys(body, "data_retention", "enabled", "downsampling"); err != nil {
		return err
	}
	if v := fastjson.MustParseBytes(body); len(v.GetArray("downsampling")) > 0 {
		return illegal("[downsampling] is not supported")
	}
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := c.s.store.PutDefinition(store.StreamLifecycle, d.Name, body); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetStreamLifecycle answers GET /_data_stream/{name}/_lifecycle.
func handleGetStreamLifecycle(c *call) error {
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	out := []any{}
	for _, d := range list {
		o := newObject().set("name", d.Name)
		if l, ok := c.s.store.StreamLifecycle(d.Name); ok {
			o.set("lifecycle", lifecycleJSON(l))
		}
		out = append(out, o)
	}
	return c.reply(http.StatusOK, newObject().set("data_streams", out).bytes())
}

// handleDeleteStreamLifecycle answers DELETE /_data_stream/{name}/_lifecycle.
func handleDeleteStreamLifecycle(c *call) error {
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	for _, d := range list {
		if err := c.s.store.PutDefinition(store.StreamLifecycle, d.Name, []byte(`{"enabled":false}`)); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleExplainLifecycle answers GET /{index}/_lifecycle/explain.
func handleExplainLifecycle(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject()
	now := time.Now()
	for _, i := range infos {
		one := newObject().set("index", i.Name)
		l, ok := c.s.store.StreamLifecycle(i.Stream)
		managed := ok && l.Enabled && i.Stream != ""
		one.set("managed_by_lifecycle", managed)
		if managed {
			one.set("index_creation_date_millis", i.Created).set("time_since_index_creation", shortAge(now.Sub(time.UnixMilli(i.Created))))
			if since, rolled := lifecycle.Since(i.IndexInfo); rolled {
				one.set("rollover_date_millis", since.UnixMilli()).set("time_since_rollover", shortAge(now.Sub(since)))
			}
			one.set("lifecycle", lifecycleJSON(l))
		}
		o.set(i.Name, one)
	}
	return c.reply(http.StatusOK, newObject().set("indices", o).bytes())
}

// handleStreamStats answers GET /_data_stream[/{name}]/_stats.
func handleStreamStats(c *call) error {
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	var total int64
	backings := 0
	out := []any{}
	for _, d := range list {
		var bytes int64
		for _, x := range d.Indices {
			if i, ok := c.s.store.Info(x.Name); ok {
				bytes += i.Bytes
				backings++
			}
		}
		total += bytes
		one := newObject().set("data_stream", d.Name).set("backing_indices", len(d.Indices)).set("store_size_bytes", bytes)
		newest, _ := c.newest(d)
		out = append(out, one.set("maximum_timestamp", newest))
	}
	return c.reply(http.StatusOK, newObject().set("_shards", newObject().set("total", backings).set("successful", backings).set("failed", 0)).
		set("data_stream_count", len(list)).set("backing_indices", backings).set("total_store_size_bytes", total).set("data_streams", out).bytes())
}

// newest is the greatest @timestamp of a data stream, in milliseconds.
func (c *call) newest(d store.DataStream) (int64, bool) {
	names := make([]string, len(d.Indices))
	for i, x := range d.Indices {
		names[i] = x.Name
	}
	snap := c.s.store.Snapshot(names)
	defer snap.Release()
	var best int64
	found := false
	for _, v := range snap.Indices {
		for _, src := range v.Sources {
			if _, hi, ok := src.TimeRange(); ok && (!found || hi > best) {
				best, found = hi, true
			}
		}
	}
	return best / int64(time.Millisecond), found
}

// handleModifyStreams answers POST /_data_stream/_modify.
func handleModifyStreams(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	var list []store.StreamAction
	for _, a := range v.GetArray("actions") {
		o := a.GetObject()
		if o == nil || o.Len() != 1 {
			return illegal("an action has one key: add_backing_index or remove_backing_index")
		}
		var bad error
		o.Visit(func(k []byte, e *fastjson.Value) {
			name := string(k)
			if name != "add_backing_index" && name != "remove_backing_index" {
				bad = illegal("unknown action [%s]", name)
			}
			list = append(list, store.StreamAction{Add: name == "add_backing_index", Stream: string(e.GetStringBytes("data_stream")), Index: string(e.GetStringBytes("index"))})
		})
		if bad != nil {
			return bad
		}
	}
	if len(list) == 0 {
		return validation([]string{"must specify at least one data stream modification action"})
	}
	if err := c.s.store.ModifyStreams(list); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleMigrateAlias answers POST /_data_stream/_migrate/{alias}.
func handleMigrateAlias(c *call) error {
	if err := c.s.store.MigrateAlias(c.vars["alias"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}
