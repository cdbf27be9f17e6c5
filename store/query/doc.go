// Package query reads Elasticsearch's Query DSL, KQL and Lucene syntax, plans a query against a mapping and runs it over sources.
//
// A Source is the only thing it knows of documents: heads and segments look alike through it.
package query
