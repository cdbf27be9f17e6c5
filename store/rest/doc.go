// Package rest answers the Elasticsearch REST API on a store.
//
// A request goes through ServeHTTP: the table in routes.go finds its handler by path and method, parameters that the handler does not
// know are refused, and what it returns is written with filter_path and pretty applied. Errors carry Elasticsearch's types and texts,
// because shippers decide by them what to send again: what heals by itself is 429 or 503, never another 4xx. One file per endpoint.
package rest
