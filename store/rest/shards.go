package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/mapping"
)

func sortedNames[V any](m map[string]V) []string {
	names := slices.Sorted(maps.Keys(m))
	if names == nil {
		names = []string{}
	}
	return names
}

// countTypes adds an index's fields to the counts by type: fields, and indices that have one.
func countTypes(types map[string][2]int, i info) {
	seen := map[string]bool{}
	i.Mapping.Each(func(f *mapping.Field) {
		n := types[f.TypeName]
		n[0]++
		if !seen[f.TypeName] {
			seen[f.TypeName] = true
			n[1]++
		}
		types[f.TypeName] = n
	})
}

// handleSegments answers GET [/{index}]/_segments.
func handleSegments(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	per := newObject()
	shards := 0
	for _, i := range infos {
		shards += i.Shards
		segs := newObject()
		for n, s := range c.s.store.Segments(i.Name) {
			segs.set("_"+itoa(n), newObject().set("generation", s.ID).set("num_docs", s.Rows-s.Deleted).set("deleted_docs", s.Deleted).set("size_in_bytes", s.Bytes).
				set("committed", true).set("search", true).set("version", "9.12.2").set("compound", true))
		}
		one := newObject().set("routing", newObject().set("state", "STARTED").set("primary", true).set("node", c.s.nodeID())).
			set("num_committed_segments", i.Segments).set("num_search_segments", i.Segments).set("segments", segs)
		per.set(i.Name, newObject().set("shards", newObject().set("0", []any{one})))
	}
	return c.reply(http.StatusOK, newObject().set("_shards", newObject().set("total", shards).set("successful", shards).set("failed", 0)).set("indices", per).bytes())
}

// handleRecovery answers GET [/{index}]/_recovery: every shard was opened from the disk.
func handleRecovery(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	o := newObject()
	for _, i := range infos {
		kind := "EXISTING_STORE"
		if i.Created >= c.s.began.UnixMilli() {
			kind = "EMPTY_STORE"
		}
		list := []any{}
		for n := range i.Shards {
			list = append(list, newObject().set("id", n).set("type", kind).set("stage", "DONE").set("primary", true).set("start_time_in_millis", c.s.began.UnixMilli()).
				set("total_time_in_millis", 0).set("source", map[string]string{}).
				set("target", map[string]string{"id": c.s.nodeID(), "host": hostOf(c.r.Host), "ip": hostOf(c.r.Host), "name": c.s.nodeName}).
				set("index", newObject().set("size", newObject().set("total_in_bytes", i.Bytes).set("reused_in_bytes", i.Bytes).set("recovered_in_bytes", 0).set("percent", "100.0%")).
					set("files", newObject().set("total", i.Segments).set("reused", i.Segments).set("recovered", 0).set("percent", "100.0%"))).
				set("translog", newObject().set("recovered", 0).set("total", 0).set("percent", "100.0%")).set("verify_index", newObject().set("check_index_time_in_millis", 0).set("total_time_in_millis", 0)))
		}
		o.set(i.Name, newObject().set("shards", list))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleShardStores answers GET [/{index}]/_shard_stores for the indices whose replicas are nowhere.
func handleShardStores(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	per := newObject()
	for _, i := range infos {
		if i.Replicas == 0 && !strings.Contains(c.params.str("status", ""), "green") && !strings.Contains(c.params.str("status", ""), "all") {
			continue
		}
		shards := newObject()
		for n := range i.Shards {
			shards.set(itoa(n), newObject().set("stores", []any{newObject().set(c.s.nodeID(), newObject().set("name", c.s.nodeName).set("transport_address", c.r.Host)).
				set("allocation_id", i.UUID).set("allocation", "primary")}))
		}
		per.set(i.Name, newObject().set("shards", shards))
	}
	return c.reply(http.StatusOK, newObject().set("indices", per).bytes())
}

// handleSearchShards answers [/{index}]/_search_shards.
func handleSearchShards(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	per, shards := newObject(), []any{}
	for _, i := range infos {
		per.set(i.Name, map[string]any{})
		for n := range i.Shards {
			shards = append(shards, []any{c.shard(i.Name, n)})
		}
	}
	nodes := newObject().set(c.s.nodeID(), newObject().set("name", c.s.nodeName).set("transport_address", c.r.Host).set("roles", nodeRoles))
	return c.reply(http.StatusOK, newObject().set("nodes", nodes).set("indices", per).set("shards", shards).bytes())
}

// handleClearCache answers POST [/{index}]/_cache/clear: decoded pieces are dropped by themselves when room is wanted.
func handleClearCache(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("_shards", newObject().set("total", len(infos)).set("successful", len(infos)).set("failed", 0)).bytes())
}

// handleDiskUsage answers POST /{index}/_disk_usage: what each field takes in the segments.
func handleDiskUsage(c *call) error {
	if ok, err := c.params.boolean("run_expensive_tasks", false); err != nil || !ok {
		if err != nil {
			return err
		}
		return illegal("analyzing the disk usage of an index is expensive and resource intensive, the parameter [run_expensive_tasks] must be set to [true] in order for the task to be performed.")
	}
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	if err := c.s.store.Flush(namesOf(infos)); err != nil {
		return err
	}
	o := newObject().set("_shards", newObject().set("total", len(infos)).set("successful", len(infos)).set("failed", 0))
	for _, i := range infos {
		u, err := c.s.store.DiskUsage(i.Name)
		if err != nil {
			return err
		}
		fields := newObject()
		var sum uint64
		for _, name := range sortedNames(u.Fields) {
			sum += u.Fields[name]
			fields.set(name, newObject().set("total_in_bytes", u.Fields[name]))
		}
		o.set(i.Name, newObject().set("store_size_in_bytes", u.Bytes).set("all_fields", newObject().set("total_in_bytes", sum)).set("fields", fields))
	}
	return c.reply(http.StatusOK, o.bytes())
}

func namesOf(infos []info) []string {
	out := make([]string, len(infos))
	for n, i := range infos {
		out[n] = i.Name
	}
	return out
}

// handleResolveCluster answers GET /_resolve/cluster[/{expr}]: there is this one.
func handleResolveCluster(c *call) error {
	list, err := c.s.store.Resolve(c.vars["expr"], ignoreAll)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("(local)", newObject().set("connected", true).set("skip_unavailable", false).set("matching_indices", len(list) > 0).
		set("version", newObject().set("number", apiVersion).set("build_flavor", "default"))).bytes())
}

// ignoreAll resolves what is there and passes over what is not.
var ignoreAll = store.ResolveOptions{IgnoreUnavailable: true, Closed: true, Hidden: true}
