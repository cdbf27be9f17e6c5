package rest

import (
	"net/http"
	"strconv"
	"strings"
)

// apiVersion is the Elasticsearch version whose API is spoken. A Beat newer than it gets its own version, because Beats refuse older
// clusters.
const apiVersion = "8.19.0"

// handleRoot answers GET and HEAD /: who is there. Official clients also look for the X-Elastic-Product header.
func handleRoot(c *call) error {
	version := newObject().
		set("number", versionFor(c.r)).
		set("build_flavor", "default").
		set("build_type", "tar").
		set("build_hash", "unknown").
		set("build_date", "2025-07-01T00:00:00.000000000Z").
		set("build_snapshot", false).
		set("lucene_version", "9.12.2").
		set("minimum_wire_compatibility_version", "7.17.0").
		set("minimum_index_compatibility_version", "7.0.0")
	return c.reply(http.StatusOK, newObject().
		set("name", c.s.nodeName).
		set("cluster_name", c.s.store.ClusterName()).
		set("cluster_uuid", c.s.store.ClusterUUID()).
		set("version", version).
		set("tagline", "You Know, for Search").bytes())
}

// versionFor is apiVersion, or the Beat's own when it is newer: "User-Agent: Elastic-filebeat/9.5.0 ...".
func versionFor(r *http.Request) string {
	agent, ok := strings.CutPrefix(r.Header.Get("User-Agent"), "Elastic-")
	if !ok {
		return apiVersion
	}
	_, rest, _ := strings.Cut(agent, "/")
	v, _, _ := strings.Cut(rest, " ")
	if newer(v, apiVersion) {
		return v
	}
	return apiVersion
}

// newer compares versions of three numbers; anything else is not newer.
func newer(a, b string) bool {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	if len(x) != 3 || len(y) != 3 {
		return false
	}
	for i := range x {
		m, err1 := strconv.Atoi(x[i])
		n, err2 := strconv.Atoi(y[i])
		if err1 != nil || err2 != nil {
			return false
		}
		if m != n {
			return m > n
		}
	}
	return false
}

// handleLicense answers GET /_license: Logstash marks a host dead for ever without license.status.
func handleLicense(c *call) error {
	return c.reply(http.StatusOK, newObject().set("license", newObject().
		set("status", "active").set("uid", c.s.store.ClusterUUID()).set("type", "basic").
		set("issue_date", "2025-01-01T00:00:00.000Z").set("issue_date_in_millis", 1735689600000).
		set("max_nodes", 1).set("max_resource_units", nil).set("issued_to", c.s.store.ClusterName()).set("issuer", "weir").
		set("start_date_in_millis", -1)).bytes())
}

// handleXpack answers GET /_xpack, where Filebeat 7 asks whether ILM is there.
func handleXpack(c *call) error {
	return c.reply(http.StatusOK, []byte(`{"build":{"hash":"unknown","date":"2025-07-01T00:00:00.000Z"},"license":{"type":"basic","mode":"basic","status":"active"},"features":{"ilm":{"available":true,"enabled":true},"security":{"available":true,"enabled":false}},"tagline":"You know, for X"}`))
}
