package rest

// routes is the table of endpoints.
func routes() []route {
	maintainParams := append([]string{"force", "wait_if_ongoing", "max_num_segments", "only_expunge_deletes", "flush", "wait_for_completion"}, indexParams...)
	infoParams := append([]string{"include_defaults", "features", "include_type_name", "wait_for_active_shards"}, indexParams...)
	table := []route{
		{"GET", "/", nil, handleRoot},
		{"GET", "/_license", nil, handleLicense},
		{"GET", "/_xpack", []string{"categories", "accept_enterprise"}, handleXpack},

		{"POST,PUT", "/_bulk", bulkParams, handleBulk},
		{"POST,PUT", "/{index}/_bulk", bulkParams, handleBulk},
		{"POST", "/{index}/_doc", writeParams, handleIndex},
		{"PUT,POST", "/{index}/_doc/{id}", writeParams, handleIndex},
		{"PUT,POST", "/{index}/_create/{id}", writeParams, handleIndex},
		{"GET", "/{index}/_doc/{id}", getParams, handleGet},
		{"DELETE", "/{index}/_doc/{id}", deleteParams, handleDelete},
		{"GET", "/{index}/_source/{id}", getParams, handleSource},
		{"POST", "/{index}/_update/{id}", writeParams, handleUpdate},
		{"GET,POST", "/_mget", mgetParams, handleMget},
		{"GET,POST", "/{index}/_mget", mgetParams, handleMget},

		{"GET,POST", "/_search", searchParams, handleSearch},
		{"GET,POST", "/{index}/_search", searchParams, handleSearch},
		{"GET,POST", "/_count", searchParams, handleCount},
		{"GET,POST", "/{index}/_count", searchParams, handleCount},
		{"GET,POST", "/_msearch", searchParams, handleMsearch},
		{"GET,POST", "/{index}/_msearch", searchParams, handleMsearch},
		{"GET,POST", "/_field_caps", append([]string{"fields", "types", "filters", "include_unmapped", "include_empty_fields"}, indexParams...), handleFieldCaps},
		{"GET,POST", "/{index}/_field_caps", append([]string{"fields", "types", "filters", "include_unmapped", "include_empty_fields"}, indexParams...), handleFieldCaps},
		{"POST", "/_kql/parse", nil, handleKQL},

		{"PUT", "/{index}", infoParams, handleCreateIndex},
		{"GET", "/{index}", infoParams, handleGetIndex},
		{"DELETE", "/{index}", indexParams, handleDeleteIndex},
		{"GET", "/_mapping", infoParams, handleGetMapping},
		{"GET", "/{index}/_mapping", infoParams, handleGetMapping},
		{"PUT,POST", "/{index}/_mapping", append([]string{"write_index_only"}, infoParams...), handlePutMapping},
		{"GET", "/_mapping/field/{field}", infoParams, handleGetFieldMapping},
		{"GET", "/{index}/_mapping/field/{field}", infoParams, handleGetFieldMapping},
		{"GET", "/_settings", infoParams, handleGetSettings},
		{"GET", "/{index}/_settings", infoParams, handleGetSettings},
		{"GET", "/{index}/_settings/{name}", infoParams, handleGetSettings},
		{"PUT", "/_settings", append([]string{"preserve_existing", "reopen"}, indexParams...), handlePutSettings},
		{"PUT", "/{index}/_settings", append([]string{"preserve_existing", "reopen"}, indexParams...), handlePutSettings},
		{"POST", "/{index}/_close", infoParams, handleClose},
		{"POST", "/{index}/_open", infoParams, handleClose},
		{"GET", "/_stats", append([]string{"level", "metric"}, indexParams...), handleStats},
		{"GET", "/{index}/_stats", append([]string{"level", "metric"}, indexParams...), handleStats},
		{"GET", "/_resolve/index/{expr}", indexParams, handleResolve},

		{"GET", "/_alias", indexParams, handleGetAlias},
		{"GET", "/_alias/{alias}", indexParams, handleGetAlias},
		{"GET", "/{index}/_alias", indexParams, handleGetAlias},
		{"GET", "/{index}/_alias/{alias}", indexParams, handleGetAlias},
		{"PUT,POST", "/{index}/_alias/{alias}", nil, handlePutAlias},
		{"PUT,POST", "/{index}/_aliases/{alias}", nil, handlePutAlias},
		{"DELETE", "/{index}/_alias/{alias}", nil, handleDeleteAlias},
		{"DELETE", "/{index}/_aliases/{alias}", nil, handleDeleteAlias},
		{"POST", "/_aliases", nil, handleAliases},

		{"GET", "/_data_stream", indexParams, handleGetStream},
		{"GET", "/_data_stream/{name}", indexParams, handleGetStream},
		{"PUT", "/_data_stream/{name}", nil, handlePutStream},
		{"DELETE", "/_data_stream/{name}", indexParams, handleDeleteStream},
		{"POST", "/{index}/_rollover", []string{"dry_run", "wait_for_active_shards", "lazy"}, handleRollover},
		{"POST", "/{index}/_rollover/{name}", []string{"dry_run", "wait_for_active_shards", "lazy"}, handleRollover},

		{"GET", "/_cluster/health", append([]string{"level", "wait_for_status", "wait_for_nodes", "wait_for_active_shards", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards", "wait_for_events"}, indexParams...), handleHealth},
		{"GET", "/_cluster/health/{index}", append([]string{"level", "wait_for_status", "wait_for_nodes", "wait_for_active_shards", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards", "wait_for_events"}, indexParams...), handleHealth},
		{"GET", "/_cluster/settings", []string{"include_defaults"}, handleClusterSettings},
		{"GET", "/_nodes", nil, handleNodes},
		{"GET", "/_nodes/http", nil, handleNodes},

		{"GET", "/_cat", nil, handleCat},
		{"GET", "/_cat/indices", catParams, handleCatIndices},
		{"GET", "/_cat/indices/{index}", catParams, handleCatIndices},
		{"GET", "/_cat/health", catParams, handleCatHealth},
		{"GET", "/_cat/count", catParams, handleCatCount},
		{"GET", "/_cat/count/{index}", catParams, handleCatCount},
	}
	for _, p := range []string{"/_refresh", "/_flush", "/_forcemerge"} {
		table = append(table, route{"GET,POST", p, maintainParams, handleMaintain}, route{"GET,POST", "/{index}" + p, maintainParams, handleMaintain})
	}
	for _, p := range []string{"/_index_template", "/_component_template", "/_template"} {
		table = append(table,
			route{"GET", p, templateParams, handleGetTemplate},
			route{"GET", p + "/{name}", templateParams, handleGetTemplate},
			route{"PUT,POST", p + "/{name}", templateParams, handlePutTemplate},
			route{"DELETE", p + "/{name}", templateParams, handleDeleteTemplate})
	}
	return table
}
