package mapping

// Logs is the mapping of the built-in templates for logs, as JSON: strings are keywords, message is text, ECS names get ECS types.
// Used with LogsSettings it never refuses a document for a type.
const Logs = `{"date_detection":false,"dynamic_templates":[` +
	`{"timestamps":{"match":["@timestamp"],"mapping":{"type":"date"}}},` +
	`{"messages":{"path_match":["message","error.message","error.stack_trace","*.error.message","*.stack_trace"],"match_mapping_type":"string",` +
	`"mapping":{"type":"match_only_text"}}},` +
	`{"originals":{"path_match":["event.original"],"match_mapping_type":"string","mapping":{"type":"keyword","index":false,"doc_values":false}}},` +
	`{"ips":{"path_match":["ip","*.ip","*_ip"],"match_mapping_type":"string","mapping":{"type":"ip"}}},` +
	`{"points":{"path_match":["*.geo.location"],"mapping":{"type":"geo_point"}}},` +
	`{"dates":{"path_match":["event.created","event.ingested","event.start","event.end","*.accessed","*.ctime","*.mtime","process.start","process.end"],` +
	`"match_mapping_type":"string","mapping":{"type":"date"}}},` +
	`{"longs":{"path_match":["*.bytes","*.port","*.pid","*.status_code","log.offset","log.origin.file.line","event.duration","event.sequence"],` +
	`"match_mapping_type":["long","double"],"mapping":{"type":"long"}}},` +
	`{"floats":{"match_mapping_type":"double","mapping":{"type":"double"}}},` +
	`{"strings":{"match_mapping_type":"string","mapping":{"type":"keyword","ignore_above":1024}}}` +
	`],"properties":{"@timestamp":{"type":"date"}}}`

// LogsSettings are the settings that make Logs tolerant, as JSON.
const LogsSettings = `{"index":{"mapping":{"ignore_malformed":"true","total_fields":{"ignore_dynamic_beyond_limit":"true"}}}}`
