package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/mapping"
)

// info is an index with the numbers every table shows.
type info struct {
	store.IndexInfo
	Shards, Replicas int
}

// resolveOptions reads ignore_unavailable, allow_no_indices and expand_wildcards.
func (c *call) resolveOptions() (store.ResolveOptions, error) {
	var o store.ResolveOptions
	ignore, err := c.params.boolean("ignore_unavailable", false)
	if err != nil {
		return o, err
	}
	allowNone, err := c.params.boolean("allow_no_indices", true)
	if err != nil {
		return o, err
	}
	o.IgnoreUnavailable, o.NoWildcardMatch = ignore, !allowNone
	for _, w := range c.params.list("expand_wildcards") {
		switch w {
		case "open", "none":
		case "closed":
			o.Closed = true
		case "hidden":
			o.Hidden = true
		case "all":
			o.Closed, o.Hidden = true, true
		default:
			return o, illegal("No valid expand wildcard value [%s]", w)
		}
	}
	return o, nil
}

// names are the concrete indices an expression names; "" is all.
func (c *call) names(expr string) ([]string, error) {
	o, err := c.resolveOptions()
	if err != nil {
		return nil, err
	}
	refs, err := c.s.store.Resolve(expr, o)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.Name
	}
	return names, nil
}

// indices are the infos of an expression, backing indices of data streams included.
func (c *call) indices(expr string) ([]info, error) {
	o, err := c.resolveOptions()
	if err != nil {
		return nil, err
	}
	o.Hidden = o.Hidden || !c.params.has("expand_wildcards")
	refs, err := c.s.store.Resolve(expr, o)
	if err != nil {
		return nil, err
	}
	var list []info
	for _, r := range refs {
		if i, ok := c.s.store.Info(r.Name); ok {
			list = append(list, info{i, i.Settings.Int("number_of_shards", 1), i.Settings.Int("number_of_replicas", 0)})
		}
	}
	return list, nil
}

// createBody reads {settings, mappings, aliases}.
func (c *call) createBody() (store.CreateRequest, error) {
	var req store.CreateRequest
	body, err := c.body()
	if err != nil || len(strings.TrimSpace(string(body))) == 0 {
		return req, err
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(body, &keys); err != nil {
		return req, badRequest("parse_exception", "Failed to parse content to map: %v", err)
	}
	for k, v := range keys {
		switch k {
		case "settings":
			req.Settings = v
		case "mappings":
			req.Mappings = v
		case "aliases":
			req.Aliases = v
		case "conditions": // of a rollover
		default:
			return req, badRequest("parse_exception", "unknown key [%s] for create index", k)
		}
	}
	return req, nil
}

// handleCreateIndex answers PUT /{index}.
func handleCreateIndex(c *call) error {
	req, err := c.createBody()
	if err != nil {
		return err
	}
	name, err := c.s.store.CreateNamed(c.vars["index"], req)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("shards_acknowledged", true).set("index", name).bytes())
}

// handleDeleteIndex answers DELETE /{index}.
func handleDeleteIndex(c *call) error {
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	if err := c.s.store.DeleteIndex(c.vars["index"], o); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetIndex answers GET and HEAD /{index}: aliases, mappings and settings.
func handleGetIndex(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	if len(infos) == 0 && c.r.Method == http.MethodHead {
		return &store.Error{Status: http.StatusNotFound, Type: "index_not_found_exception", Reason: "no such index [" + c.vars["index"] + "]", Index: c.vars["index"]}
	}
	o := newObject()
	for _, i := range infos {
		one := newObject().set("aliases", i.Aliases).raw("mappings", i.Mapping.JSON()).set("settings", map[string]any{"index": settingsOf(i)})
		if i.Stream != "" {
			one.set("data_stream", i.Stream)
		}
		o.set(i.Name, one)
	}
	return c.reply(http.StatusOK, o.bytes())
}

// settingsOf is an index's settings as a tree of texts, with what every index has.
func settingsOf(i info) map[string]any {
	tree := map[string]any{}
	for _, n := range i.Settings.Names() {
		if store.Private(n) {
			continue
		}
		v, _ := i.Settings.Get(n)
		plant(tree, strings.Split(n, "."), v)
	}
	for k, v := range map[string]string{"number_of_shards": fmt.Sprint(i.Shards), "number_of_replicas": fmt.Sprint(i.Replicas),
		"uuid": i.UUID, "creation_date": fmt.Sprint(i.Created), "provided_name": i.Name} {
		plant(tree, []string{k}, v)
	}
	plant(tree, []string{"version", "created"}, "8536000")
	if i.Hidden {
		plant(tree, []string{"hidden"}, "true")
	}
	return tree
}

func plant(tree map[string]any, path []string, v string) {
	for len(path) > 1 {
		sub, ok := tree[path[0]].(map[string]any)
		if !ok {
			sub = map[string]any{}
			tree[path[0]] = sub
		}
		tree, path = sub, path[1:]
	}
	tree[path[0]] = v
}

// flat turns the tree into "index.a.b" texts, for flat_settings.
func flat(prefix string, tree map[string]any, out map[string]any) map[string]any {
	for k, v := range tree {
		if sub, ok := v.(map[string]any); ok {
			flat(prefix+k+".", sub, out)
			continue
		}
		out[prefix+k] = v
	}
	return out
}

// handleGetSettings answers GET [/{index}]/_settings[/{name}].
func handleGetSettings(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	asFlat, err := c.params.boolean("flat_settings", false)
	if err != nil {
		return err
	}
	o := newObject()
	for _, i := range infos {
		tree := map[string]any{"index": settingsOf(i)}
		if want := c.vars["name"]; want != "" && want != "_all" && want != "*" {
			kept := map[string]any{}
			for k, v := range flat("", tree, map[string]any{}) {
				for _, p := range strings.Split(want, ",") {
					if glob(p, k) {
						plant(kept, strings.Split(k, "."), v.(string))
					}
				}
			}
			tree = kept
		}
		if asFlat {
			tree = flat("", tree, map[string]any{})
		}
		o.set(i.Name, map[string]any{"settings": tree})
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handlePutSettings answers PUT [/{index}]/_settings.
func handlePutSettings(c *call) error {
	return c.change(c.s.store.PutSettings)
}

// handlePutMapping answers PUT /{index}/_mapping.
func handlePutMapping(c *call) error {
	return c.change(c.s.store.PutMapping)
}

// change sends a body to a method that alters indices.
func (c *call) change(f func(expr string, body []byte, o store.ResolveOptions) error) error {
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	body, err := c.body()
	if err != nil {
		return err
	}
	if err := f(c.vars["index"], body, o); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetMapping answers GET [/{index}]/_mapping.
func handleGetMapping(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject()
	for _, i := range infos {
		o.set(i.Name, newObject().raw("mappings", i.Mapping.JSON()))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleGetFieldMapping answers GET [/{index}]/_mapping/field/{field}.
func handleGetFieldMapping(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject()
	for _, i := range infos {
		fields := newObject()
		i.Mapping.Each(func(f *mapping.Field) {
			for _, p := range strings.Split(c.vars["field"], ",") {
				if glob(p, f.Path) {
					leaf := f.Path[strings.LastIndexByte(f.Path, '.')+1:]
					fields.set(f.Path, map[string]any{"full_name": f.Path, "mapping": map[string]any{leaf: map[string]any{"type": f.Type.String()}}})
					return
				}
			}
		})
		o.set(i.Name, newObject().set("mappings", fields))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleClose answers POST /{index}/_close and _open.
func handleClose(c *call) error {
	closing := strings.HasSuffix(c.r.URL.Path, "/_close")
	o, err := c.resolveOptions()
	if err != nil {
		return err
	}
	if err := c.s.store.SetClosed(c.vars["index"], closing, o); err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("acknowledged", true).set("shards_acknowledged", true).bytes())
}

// handleMaintain answers _refresh, _flush and _forcemerge.
func handleMaintain(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	names, shards := make([]string, len(infos)), 0
	for i := range infos {
		names[i] = infos[i].Name
		shards += infos[i].Shards * (1 + infos[i].Replicas)
	}
	switch path := c.r.URL.Path; {
	case strings.HasSuffix(path, "/_flush"):
		err = c.s.store.Flush(names)
	case strings.HasSuffix(path, "/_forcemerge"):
		var segments int
		if segments, err = c.params.integer("max_num_segments", 1); err == nil {
			err = c.s.store.ForceMerge(c.r.Context(), names, segments)
		}
	default:
		err = c.s.store.Refresh(names)
	}
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("_shards", newObject().set("total", shards).set("successful", len(names)).set("failed", 0)).bytes())
}

// statMetrics that _stats knows.
var statMetrics = []string{"docs", "store", "indexing", "get", "search", "merge", "merges", "refresh", "flush", "warmer", "query_cache", "fielddata", "completion", "segments", "translog", "request_cache", "recovery", "bulk", "shard_stats", "mappings", "dense_vector", "sparse_vector", "_all", "_none"}

// handleStats answers [/{index}]/_stats[/{metric}].
func handleStats(c *call) error {
	want := c.params.list("metric")
	if m := c.vars["metric"]; m != "" {
		want = strings.Split(m, ",")
	}
	for _, m := range want {
		if !slices.Contains(statMetrics, m) {
			text := fmt.Sprintf("request [%s] contains unrecognized metric: [%s]", c.r.URL.Path, m)
			if n := nearest(m, statMetrics); n != "" {
				text += " -> did you mean [" + n + "]?"
			}
			return illegal("%s", text)
		}
	}
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	var docs, deleted, bytes int64
	segments, shards := 0, 0
	per := newObject()
	level := c.params.str("level", "indices")
	for _, i := range infos {
		docs, deleted, bytes, segments, shards = docs+i.Docs, deleted+i.Deleted, bytes+i.Bytes, segments+i.Segments, shards+i.Shards
		one := chosen(c.s.statsOf(i.Docs, i.Deleted, i.Bytes, i.Segments, false), want)
		x := newObject().set("uuid", i.UUID).set("health", healthOf(i.Replicas)).set("status", "open").set("primaries", one).set("total", one)
		if level == "shards" {
			x.set("shards", map[string]any{"0": []any{one}})
		}
		per.set(i.Name, x)
	}
	all := chosen(c.s.statsOf(docs, deleted, bytes, segments, c.vars["index"] == ""), want)
	o := newObject().set("_shards", newObject().set("total", shards).set("successful", shards).set("failed", 0)).
		set("_all", newObject().set("primaries", all).set("total", all))
	if level != "cluster" {
		o.set("indices", per)
	}
	return c.reply(http.StatusOK, o.bytes())
}

// chosen keeps the groups of counters that were asked for.
func chosen(all map[string]any, want []string) map[string]any {
	if len(want) == 0 || slices.Contains(want, "_all") {
		return all
	}
	out := map[string]any{}
	for _, m := range want {
		if m == "merge" {
			m = "merges"
		}
		if v, ok := all[m]; ok {
			out[m] = v
		}
	}
	return out
}

// statsOf are counters as _stats shows them. Requests are counted for the node, not per index: whole tells that they belong here.
func (s *Server) statsOf(docs, deleted, bytes int64, segments int, whole bool) map[string]any {
	out := map[string]any{
		"docs":     map[string]int64{"count": docs, "deleted": deleted, "total_size_in_bytes": bytes},
		"store":    map[string]int64{"size_in_bytes": bytes, "total_data_set_size_in_bytes": bytes, "reserved_in_bytes": 0},
		"segments": map[string]int64{"count": int64(segments), "memory_in_bytes": 0},
	}
	if !whole {
		return out
	}
	st := s.store.Stats()
	n := &s.counts
	scrolls, _, _ := s.contexts.Counts()
	out["indexing"] = map[string]int64{"index_total": st.Documents, "index_failed": st.Rejected, "index_current": 0}
	out["get"] = map[string]int64{"total": n.gets.Load(), "missing_total": n.getMisses.Load(), "exists_total": n.gets.Load() - n.getMisses.Load(), "current": 0}
	out["search"] = map[string]int64{"query_total": n.searches.Load(), "query_time_in_millis": n.searchNanos.Load() / 1e6, "query_current": 0, "fetch_total": n.fetches.Load(), "scroll_total": n.scrolls.Load(), "open_contexts": int64(scrolls)}
	out["merges"] = map[string]int64{"total_size_in_bytes": st.MergeBytes, "current": 0}
	out["flush"] = map[string]int64{"total": st.Seals}
	out["refresh"] = map[string]int64{"total": 0, "external_total": 0}
	out["warmer"] = map[string]int64{"current": 0, "total": 0}
	out["query_cache"] = map[string]int64{"memory_size_in_bytes": st.CacheBytes, "evictions": 0}
	out["fielddata"] = map[string]int64{"memory_size_in_bytes": 0, "evictions": 0}
	out["completion"] = map[string]int64{"size_in_bytes": 0}
	out["translog"] = map[string]int64{"size_in_bytes": st.JournalBytes, "operations": 0}
	out["request_cache"] = map[string]int64{"memory_size_in_bytes": 0, "hit_count": 0, "miss_count": 0}
	out["recovery"] = map[string]int64{"current_as_source": 0, "current_as_target": 0}
	out["bulk"] = map[string]int64{"total_operations": n.bulks.Load(), "total_time_in_millis": n.bulkNanos.Load() / 1e6}
	return out
}

// handleResolve answers GET /_resolve/index/{expr}.
func handleResolve(c *call) error {
	infos, err := c.indices(c.vars["expr"])
	if err != nil {
		return err
	}
	indices, aliases := []any{}, map[string][]string{}
	for _, i := range infos {
		state := "open"
		if i.Closed {
			state = "closed"
		}
		one := newObject().set("name", i.Name)
		if len(i.Aliases) > 0 {
			one.set("aliases", sortedNames(i.Aliases))
		}
		if i.Hidden || i.Stream != "" {
			one.set("attributes", []string{"hidden", state})
		} else {
			one.set("attributes", []string{state})
		}
		if i.Stream != "" {
			one.set("data_stream", i.Stream)
		}
		indices = append(indices, one)
		for a := range i.Aliases {
			aliases[a] = append(aliases[a], i.Name)
		}
	}
	as := []any{}
	for _, a := range sortedNames(aliases) {
		as = append(as, newObject().set("name", a).set("indices", aliases[a]))
	}
	streams := []any{}
	if list, err := c.s.store.DataStreams(c.vars["expr"]); err == nil {
		for _, d := range list {
			streams = append(streams, map[string]any{"name": d.Name, "backing_indices": backing(d), "timestamp_field": "@timestamp"})
		}
	}
	return c.reply(http.StatusOK, newObject().set("indices", indices).set("aliases", as).set("data_streams", streams).bytes())
}

func backing(d store.DataStream) []string {
	names := make([]string, len(d.Indices))
	for i, x := range d.Indices {
		names[i] = x.Name
	}
	return names
}

// jsonBody parses a body that must be a JSON object.
func (c *call) jsonBody() (*fastjson.Value, error) {
	body, err := c.body()
	if err != nil {
		return nil, err
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return nil, badRequest("parse_exception", "request body is not a JSON object: %v", err)
	}
	return v, nil
}
