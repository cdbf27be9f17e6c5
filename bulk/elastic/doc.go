// Package elastic is the bulk.Writer of a real Elasticsearch (7 to 9) or OpenSearch (1 to 3).
//
// A cluster cannot keep positions with documents, so repeats are prevented by ids: a document's id is a function of where it came from
// (id.go), documents are created, never indexed over, and a conflict on an id of ours means that the document is there already. What
// heals by itself (429, 5xx, a refused connection) is repeated for ever with growing, jittered pauses; an item that the cluster will
// never take comes back as Rejected; a login that is not accepted ends the call with an error.
package elastic
