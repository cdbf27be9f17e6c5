package rest

import "slices"

// Parameters of several endpoints.
var (
	maintainParams  = append([]string{"force", "wait_if_ongoing", "max_num_segments", "only_expunge_deletes", "flush", "wait_for_completion"}, indexParams...)
	infoParams      = append([]string{"include_defaults", "features", "include_type_name", "wait_for_active_shards"}, indexParams...)
	capsParams      = append([]string{"fields", "types", "filters", "include_unmapped", "include_empty_fields"}, indexParams...)
	healthParams    = append([]string{"level", "wait_for_status", "wait_for_nodes", "wait_for_active_shards", "wait_for_no_initializing_shards", "wait_for_no_relocating_shards", "wait_for_events"}, indexParams...)
	statsParams     = append([]string{"level", "metric", "fields", "completion_fields", "fielddata_fields", "groups", "include_segment_file_sizes", "include_unloaded_segments", "forbid_closed_indices"}, indexParams...)
	nodeStatsParams = []string{"level", "types", "fields", "groups", "completion_fields", "fielddata_fields", "include_segment_file_sizes", "include_unloaded_segments"}
	putParams       = append([]string{"preserve_existing", "reopen"}, indexParams...)
	scrollParams    = []string{"scroll", "scroll_id", "rest_total_hits_as_int", "typed_keys"}
	pitParams       = append([]string{"keep_alive", "preference", "routing", "allow_partial_pit_creation", "allow_partial_search_results", "max_concurrent_shard_requests"}, indexParams...)
	asyncGetParams  = []string{"wait_for_completion_timeout", "keep_alive", "typed_keys", "return_intermediate_results"}
	streamParams    = append([]string{"include_defaults", "verbose"}, indexParams...)
	snapshotParams  = []string{"wait_for_completion", "ignore_unavailable", "verbose", "index_details", "include_repository", "index_names", "sort", "size", "order"}
	stateParams     = append([]string{"wait_for_metadata_version", "wait_for_timeout"}, indexParams...)
	cacheParams     = append([]string{"fielddata", "query", "request", "fields"}, indexParams...)
	catNodeParams   = append([]string{"full_id"}, catParams...)
	rateParams      = []string{"requests_per_second", "detailed", "group_by"}
	rolloverParams  = []string{"dry_run", "wait_for_active_shards", "lazy"}
)

var templateSearchParams = append([]string{"scroll"}, searchParams...)

// routes is the table of endpoints.
func routes() []route {
	return slices.Concat(clusterRoutes(), documentRoutes(), searchRoutes(), indexRoutes(), aliasRoutes(), templateRoutes(), taskRoutes(), scriptRoutes(), lifecycleRoutes(), snapshotRoutes())
}

// scriptRoutes are of scripts and ingest pipelines.
func scriptRoutes() []route {
	return []route{
		{"PUT,POST", "/_scripts/{id}", []string{"context"}, handlePutScript},
		{"PUT,POST", "/_scripts/{id}/{context}", []string{"context"}, handlePutScript},
		{"GET", "/_scripts/{id}", nil, handleGetScript},
		{"DELETE", "/_scripts/{id}", nil, handleDeleteScript},
		{"GET,POST", "/_scripts/painless/_execute", nil, handleExecuteScript},

		{"PUT", "/_ingest/pipeline/{id}", []string{"if_version"}, handlePutPipeline},
		{"GET", "/_ingest/pipeline", []string{"summary"}, handleGetPipeline},
		{"GET", "/_ingest/pipeline/{id}", []string{"summary"}, handleGetPipeline},
		{"DELETE", "/_ingest/pipeline/{id}", nil, handleDeletePipeline},
		{"GET,POST", "/_ingest/pipeline/_simulate", []string{"verbose"}, handleSimulate},
		{"GET,POST", "/_ingest/pipeline/{id}/_simulate", []string{"verbose"}, handleSimulate},
		{"GET", "/_ingest/processor/grok", []string{"ecs_compatibility", "s"}, handleGrokPatterns},
	}
}

// taskRoutes are of work under way.
func taskRoutes() []route {
	return []route{
		{"POST", "/{index}/_update_by_query", byQueryParams, handleUpdateByQuery},
		{"POST", "/{index}/_delete_by_query", byQueryParams, handleDeleteByQuery},
		{"POST", "/_reindex", reindexParams, handleReindex},
		{"POST", "/_update_by_query/{id}/_rethrottle", rateParams, handleRethrottle},
		{"POST", "/_delete_by_query/{id}/_rethrottle", rateParams, handleRethrottle},
		{"POST", "/_reindex/{id}/_rethrottle", rateParams, handleRethrottle},
		{"GET", "/_tasks", taskParams, handleTasks},
		{"GET", "/_tasks/{id}", taskParams, handleTask},
		{"POST", "/_tasks/_cancel", taskParams, handleCancelTasks},
		{"POST", "/_tasks/{id}/_cancel", taskParams, handleCancelTasks},
	}
}

// clusterRoutes are what clients ask before they write, and the tables for people.
func clusterRoutes() []route {
	return []route{
		{"GET", "/", nil, handleRoot},
		{"GET", "/_license", nil, handleLicense},
		{"GET", "/_xpack", []string{"categories", "accept_enterprise"}, handleXpack},

		{"GET", "/_cluster/health", healthParams, handleHealth},
		{"GET", "/_cluster/health/{index}", healthParams, handleHealth},
		{"GET", "/_cluster/settings", []string{"include_defaults"}, handleClusterSettings},
		{"PUT", "/_cluster/settings", nil, handlePutClusterSettings},
		{"GET", "/_cluster/stats", nil, handleClusterStats},
		{"GET", "/_cluster/state", stateParams, handleClusterState},
		{"GET", "/_cluster/state/{metric}", stateParams, handleClusterState},
		{"GET", "/_cluster/state/{metric}/{index}", stateParams, handleClusterState},
		{"GET", "/_cluster/pending_tasks", nil, handlePendingTasks},
		{"GET,POST", "/_cluster/allocation/explain", []string{"include_yes_decisions", "include_disk_info"}, handleAllocation},
		{"POST", "/_cluster/reroute", []string{"dry_run", "explain", "metric", "retry_failed"}, handleReroute},
		{"GET", "/_health_report", []string{"verbose", "size"}, handleHealthReport},
		{"GET", "/_remote/info", nil, handleRemoteInfo},
		{"GET", "/_security/_authenticate", nil, handleAuthenticate},
		{"GET", "/_nodes", nil, handleNodesInfo},
		{"GET", "/_nodes/{filter}", nil, handleNodesInfo},
		{"GET", "/_nodes/{filter}/{metric}", nil, handleNodesInfo},
		{"GET", "/_nodes/stats", nodeStatsParams, handleNodesStats},
		{"GET", "/_nodes/stats/{metric}", nodeStatsParams, handleNodesStats},
		{"GET", "/_nodes/{filter}/stats", nodeStatsParams, handleNodesStats},
		{"GET", "/_nodes/{filter}/stats/{metric}", nodeStatsParams, handleNodesStats},
		{"GET", "/_nodes/usage", nil, handleNodesUsage},
		{"GET", "/_nodes/hot_threads", []string{"threads", "interval", "snapshots", "ignore_idle_threads", "type", "sort"}, handleHotThreads},

		{"GET", "/_cat", nil, handleCat},
		{"GET", "/_cat/indices", catParams, handleCatIndices},
		{"GET", "/_cat/indices/{index}", catParams, handleCatIndices},
		{"GET", "/_cat/health", catParams, handleCatHealth},
		{"GET", "/_cat/aliases", catParams, handleCatAliases},
		{"GET", "/_cat/aliases/{alias}", catParams, handleCatAliases},
		{"GET", "/_cat/shards", catParams, handleCatShards},
		{"GET", "/_cat/shards/{index}", catParams, handleCatShards},
		{"GET", "/_cat/nodes", catNodeParams, handleCatNodes},
		{"GET", "/_cat/templates", catParams, handleCatTemplates},
		{"GET", "/_cat/templates/{name}", catParams, handleCatTemplates},
		{"GET", "/_cat/component_templates", catParams, handleCatComponents},
		{"GET", "/_cat/component_templates/{name}", catParams, handleCatComponents},
		{"GET", "/_cat/allocation", catParams, handleCatAllocation},
		{"GET", "/_cat/segments", catParams, handleCatSegments},
		{"GET", "/_cat/segments/{index}", catParams, handleCatSegments},
		{"GET", "/_cat/master", catParams, handleCatMaster},
		{"GET", "/_cat/plugins", catParams, handleCatEmpty},
		{"GET", "/_cat/nodeattrs", catParams, handleCatEmpty},
		{"GET", "/_cat/pending_tasks", catParams, handleCatEmpty},
		{"GET", "/_cat/fielddata", catParams, handleCatEmpty},
		{"GET", "/_cat/tasks", append([]string{"detailed", "actions", "nodes", "parent_task_id"}, catParams...), handleCatTasks},
		{"GET", "/_cat/repositories", catParams, handleCatRepositories},
		{"GET", "/_cat/snapshots", catParams, handleCatSnapshots},
		{"GET", "/_cat/snapshots/{repo}", catParams, handleCatSnapshots},
		{"GET", "/_cat/thread_pool", catParams, handleCatThreadPool},
		{"GET", "/_cat/recovery", catParams, handleCatRecovery},
		{"GET", "/_cat/recovery/{index}", catParams, handleCatRecovery},
		{"GET", "/_cat/count", catParams, handleCatCount},
		{"GET", "/_cat/count/{index}", catParams, handleCatCount},
	}
}

// documentRoutes write and read documents by id.
func documentRoutes() []route {
	return []route{
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
	}
}

// searchRoutes find documents.
func searchRoutes() []route {
	return []route{
		{"GET,POST", "/_search", append([]string{"scroll"}, searchParams...), handleSearch},
		{"GET,POST", "/{index}/_search", append([]string{"scroll"}, searchParams...), handleSearch},
		{"GET,POST", "/_count", searchParams, handleCount},
		{"GET,POST", "/{index}/_count", searchParams, handleCount},
		{"GET,POST", "/_msearch", searchParams, handleMsearch},
		{"GET,POST", "/{index}/_msearch", searchParams, handleMsearch},
		{"GET,POST", "/_search/scroll", scrollParams, handleScroll},
		{"GET,POST", "/_search/scroll/{scroll_id}", scrollParams, handleScroll},
		{"DELETE", "/_search/scroll", nil, handleClearScroll},
		{"DELETE", "/_search/scroll/{scroll_id}", nil, handleClearScroll},
		{"POST", "/{index}/_pit", pitParams, handleOpenPIT},
		{"DELETE", "/_pit", nil, handleClosePIT},
		{"POST", "/{index}/_search/point_in_time", pitParams, handleOpenPointInTime},
		{"DELETE", "/_search/point_in_time", nil, handleClosePointsInTime},
		{"GET", "/_search/point_in_time/{all}", nil, handlePointsInTime},
		{"DELETE", "/_search/point_in_time/{all}", nil, handleClosePointsInTime},
		{"POST", "/_async_search", asyncParams, handleSubmitAsync},
		{"POST", "/{index}/_async_search", asyncParams, handleSubmitAsync},
		{"GET", "/_async_search/{id}", asyncGetParams, handleGetAsync},
		{"GET", "/_async_search/status/{id}", asyncGetParams, handleAsyncStatus},
		{"DELETE", "/_async_search/{id}", nil, handleDeleteAsync},
		{"GET,POST", "/_validate/query", validateParams, handleValidate},
		{"GET,POST", "/{index}/_validate/query", validateParams, handleValidate},
		{"GET,POST", "/{index}/_explain/{id}", explainParams, handleExplain},
		{"GET,POST", "/_search/template", templateSearchParams, handleSearchTemplate},
		{"GET,POST", "/{index}/_search/template", templateSearchParams, handleSearchTemplate},
		{"GET,POST", "/_msearch/template", searchParams, handleMsearchTemplate},
		{"GET,POST", "/{index}/_msearch/template", searchParams, handleMsearchTemplate},
		{"GET,POST", "/_render/template", nil, handleRenderTemplate},
		{"GET,POST", "/_render/template/{id}", nil, handleRenderTemplate},
		{"GET,POST", "/{index}/_terms_enum", indexParams, handleTermsEnum},
		{"GET,POST", "/_field_caps", capsParams, handleFieldCaps},
		{"GET,POST", "/{index}/_field_caps", capsParams, handleFieldCaps},
		{"POST", "/_kql/parse", nil, handleKQL},
	}
}

// indexRoutes make, alter and look after indices.
func indexRoutes() []route {
	return []route{
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
		{"PUT", "/_settings", putParams, handlePutSettings},
		{"PUT", "/{index}/_settings", putParams, handlePutSettings},
		{"PUT,POST", "/{index}/_clone/{target}", infoParams, handleResize},
		{"PUT,POST", "/{index}/_shrink/{target}", infoParams, handleResize},
		{"PUT,POST", "/{index}/_split/{target}", infoParams, handleResize},
		{"PUT", "/{index}/_block/{block}", indexParams, handleBlock},
		{"DELETE", "/{index}/_block/{block}", indexParams, handleUnblock},
		{"POST", "/{index}/_close", infoParams, handleClose},
		{"POST", "/{index}/_open", infoParams, handleClose},
		{"GET", "/_stats", statsParams, handleStats},
		{"GET", "/{index}/_stats", statsParams, handleStats},
		{"GET", "/_stats/{metric}", statsParams, handleStats},
		{"GET", "/{index}/_stats/{metric}", statsParams, handleStats},
		{"GET", "/_segments", maintainParams, handleSegments},
		{"GET", "/{index}/_segments", maintainParams, handleSegments},
		{"GET", "/_recovery", append([]string{"detailed", "active_only"}, indexParams...), handleRecovery},
		{"GET", "/{index}/_recovery", append([]string{"detailed", "active_only"}, indexParams...), handleRecovery},
		{"GET", "/_shard_stores", append([]string{"status"}, indexParams...), handleShardStores},
		{"GET", "/{index}/_shard_stores", append([]string{"status"}, indexParams...), handleShardStores},
		{"GET,POST", "/_search_shards", append([]string{"routing", "preference"}, indexParams...), handleSearchShards},
		{"GET,POST", "/{index}/_search_shards", append([]string{"routing", "preference"}, indexParams...), handleSearchShards},
		{"POST", "/_cache/clear", cacheParams, handleClearCache},
		{"POST", "/{index}/_cache/clear", cacheParams, handleClearCache},
		{"POST", "/{index}/_disk_usage", append([]string{"run_expensive_tasks", "flush"}, indexParams...), handleDiskUsage},
		{"GET,POST", "/_analyze", []string{"analyzer", "field", "text"}, handleAnalyze},
		{"GET,POST", "/{index}/_analyze", []string{"analyzer", "field", "text"}, handleAnalyze},
		{"GET", "/_resolve/index/{expr}", indexParams, handleResolve},
		{"GET", "/_resolve/cluster", indexParams, handleResolveCluster},
		{"GET", "/_resolve/cluster/{expr}", indexParams, handleResolveCluster},
		{"GET,POST", "/_refresh", maintainParams, handleMaintain},
		{"GET,POST", "/{index}/_refresh", maintainParams, handleMaintain},
		{"GET,POST", "/_flush", maintainParams, handleMaintain},
		{"GET,POST", "/{index}/_flush", maintainParams, handleMaintain},
		{"GET,POST", "/_forcemerge", maintainParams, handleMaintain},
		{"GET,POST", "/{index}/_forcemerge", maintainParams, handleMaintain},
	}
}

// aliasRoutes are of aliases and data streams.
func aliasRoutes() []route {
	return []route{
		{"GET", "/_alias", indexParams, handleGetAlias},
		{"GET", "/_alias/{alias}", indexParams, handleGetAlias},
		{"GET", "/{index}/_alias", indexParams, handleGetAlias},
		{"GET", "/{index}/_alias/{alias}", indexParams, handleGetAlias},
		{"PUT,POST", "/{index}/_alias/{alias}", nil, handlePutAlias},
		{"PUT,POST", "/{index}/_aliases/{alias}", nil, handlePutAlias},
		{"DELETE", "/{index}/_alias/{alias}", nil, handleDeleteAlias},
		{"DELETE", "/{index}/_aliases/{alias}", nil, handleDeleteAlias},
		{"POST", "/_aliases", nil, handleAliases},

		{"GET", "/_data_stream", streamParams, handleGetStream},
		{"GET", "/_data_stream/{name}", streamParams, handleGetStream},
		{"PUT", "/_data_stream/{name}/_lifecycle", indexParams, handlePutStreamLifecycle},
		{"GET", "/_data_stream/{name}/_lifecycle", streamParams, handleGetStreamLifecycle},
		{"DELETE", "/_data_stream/{name}/_lifecycle", indexParams, handleDeleteStreamLifecycle},
		{"GET", "/_data_stream/_stats", indexParams, handleStreamStats},
		{"GET", "/_data_stream/{name}/_stats", indexParams, handleStreamStats},
		{"POST", "/_data_stream/_modify", nil, handleModifyStreams},
		{"POST", "/_data_stream/_migrate/{alias}", nil, handleMigrateAlias},
		{"GET", "/{index}/_lifecycle/explain", streamParams, handleExplainLifecycle},
		{"PUT", "/_data_stream/{name}", nil, handlePutStream},
		{"DELETE", "/_data_stream/{name}", indexParams, handleDeleteStream},
		{"POST", "/{index}/_rollover", rolloverParams, handleRollover},
		{"POST", "/{index}/_rollover/{name}", rolloverParams, handleRollover},
	}
}

// lifecycleRoutes are of index lifecycle policies.
func lifecycleRoutes() []route {
	return []route{
		{"PUT", "/_ilm/policy/{name}", nil, handlePutPolicy},
		{"GET", "/_ilm/policy", nil, handleGetPolicy},
		{"GET", "/_ilm/policy/{name}", nil, handleGetPolicy},
		{"DELETE", "/_ilm/policy/{name}", nil, handleDeletePolicy},
		{"GET", "/_ilm/status", nil, handleILMStatus},
		{"POST", "/_ilm/start", nil, handleILMSwitch},
		{"POST", "/_ilm/stop", nil, handleILMSwitch},
		{"POST", "/_ilm/move/{index}", nil, handleILMMove},
		{"GET", "/{index}/_ilm/explain", append([]string{"only_managed", "only_errors"}, indexParams...), handleILMExplain},
		{"POST", "/{index}/_ilm/remove", indexParams, handleILMRemove},
		{"POST", "/{index}/_ilm/retry", indexParams, handleILMRetry},
		{"POST", "/_index_template/_simulate_index/{name}", templateParams, handleSimulateIndex},
		{"POST", "/_index_template/_simulate", templateParams, handleSimulateTemplate},
		{"POST", "/_index_template/_simulate/{name}", templateParams, handleSimulateTemplate},
	}
}

// snapshotRoutes are of snapshots and their repositories.
func snapshotRoutes() []route {
	return []route{
		{"GET", "/_snapshot", nil, handleGetRepo},
		{"PUT,POST", "/_snapshot/{repo}", []string{"verify"}, handlePutRepo},
		{"GET", "/_snapshot/{repo}", nil, handleGetRepo},
		{"DELETE", "/_snapshot/{repo}", nil, handleDeleteRepo},
		{"POST", "/_snapshot/{repo}/_verify", nil, handleVerifyRepo},
		{"POST", "/_snapshot/{repo}/_cleanup", nil, handleCleanupRepo},
		{"GET", "/_snapshot/_status", nil, handleSnapshotStatus},
		{"GET", "/_snapshot/{repo}/_status", nil, handleSnapshotStatus},
		{"GET", "/_snapshot/{repo}/{snapshot}/_status", snapshotParams, handleSnapshotStatus},
		{"PUT,POST", "/_snapshot/{repo}/{snapshot}", snapshotParams, handleCreateSnapshot},
		{"GET", "/_snapshot/{repo}/{snapshot}", snapshotParams, handleGetSnapshot},
		{"DELETE", "/_snapshot/{repo}/{snapshot}", snapshotParams, handleDeleteSnapshot},
		{"POST", "/_snapshot/{repo}/{snapshot}/_restore", snapshotParams, handleRestore},
		{"PUT", "/_snapshot/{repo}/{snapshot}/_clone/{target}", snapshotParams, handleCloneSnapshot},
	}
}

// templateRoutes are the same for the three kinds of templates.
func templateRoutes() []route {
	var table []route
	for _, p := range []string{"/_index_template", "/_component_template", "/_template"} {
		table = append(table,
			route{"GET", p, templateParams, handleGetTemplate},
			route{"GET", p + "/{name}", templateParams, handleGetTemplate},
			route{"PUT,POST", p + "/{name}", templateParams, handlePutTemplate},
			route{"DELETE", p + "/{name}", templateParams, handleDeleteTemplate})
	}
	return table
}
