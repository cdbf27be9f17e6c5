package rest

import (
	"net/http"
	"strings"
)

// handleHealth answers /_cluster/health[/{index}]. One node has every shard; replicas that were asked for stay unassigned.
func handleHealth(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	primaries, replicas := 0, 0
	for _, i := range infos {
		primaries += i.Shards
		replicas += i.Shards * i.Replicas
	}
	status := "green"
	if replicas > 0 {
		status = "yellow"
	}
	active := 100.0
	if primaries+replicas > 0 {
		active = 100 * float64(primaries) / float64(primaries+replicas)
	}
	o := newObject().
		set("cluster_name", c.s.store.ClusterName()).set("status", status).set("timed_out", false).
		set("number_of_nodes", 1).set("number_of_data_nodes", 1).
		set("active_primary_shards", primaries).set("active_shards", primaries).
		set("relocating_shards", 0).set("initializing_shards", 0).
		set("unassigned_shards", replicas).set("unassigned_primary_shards", 0).set("delayed_unassigned_shards", 0).
		set("number_of_pending_tasks", 0).set("number_of_in_flight_fetch", 0).set("task_max_waiting_in_queue_millis", 0).
		set("active_shards_percent_as_number", active)
	if level := c.params.str("level", "cluster"); level != "cluster" {
		per := newObject()
		for _, i := range infos {
			per.set(i.Name, map[string]any{"status": healthOf(i.Replicas), "number_of_shards": i.Shards, "number_of_replicas": i.Replicas, "active_primary_shards": i.Shards, "active_shards": i.Shards, "unassigned_shards": i.Shards * i.Replicas})
		}
		o.set("indices", per)
	}
	return c.reply(http.StatusOK, o.bytes())
}

func healthOf(replicas int) string {
	if replicas > 0 {
		return "yellow"
	}
	return "green"
}

func hostOf(hostport string) string {
	host, _, ok := strings.Cut(hostport, ":")
	if !ok {
		return hostport
	}
	return host
}

// nodeRoles are what the one node does.
var nodeRoles = []string{"data", "ingest", "master"}
