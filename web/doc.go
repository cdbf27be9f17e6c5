// Package web is the server behind the browser: it serves the built pages and turns what they ask into requests of the Elasticsearch
// REST API, so every screen works on the embedded store and on a real cluster alike.
//
// Documents are reached only through Config.Store, an http.Handler: store/rest in this process, or a reverse proxy to a cluster. Each
// request to it carries the credentials of the user who asked; the server has no account of its own. What needs more than the REST
// API (live tail, the flow picture, KQL) is a field of Config that cmd/weir fills; a nil field turns its screen into a sentence that
// says what is missing.
//
// Pages are under /, their data under /weir, Kibana's own paths under /api.
package web
