// Package bulk is the border between pipelines and a document store: documents go in by batches, together with the positions up to
// which their queue is settled.
//
// Two implementations exist: store.For(group) in this process and *elastic.Client for a real Elasticsearch or OpenSearch. Both pass
// the suite in package bulktest.
package bulk

import (
	"context"
	"fmt"

	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/queue"
)

// Action is what an Op does, by Elasticsearch's names.
type Action uint8

const (
	Create Action = iota // a document with this id must not exist yet
	Index                // replaces a document with this id
	Update               // Source is the body of an _update
	Delete               // Source is empty
)

// String is the key of the action line.
func (a Action) String() string { return [...]string{"create", "index", "update", "delete"}[a] }

// Op is one operation on a document. Source is JSON and valid until Write returns.
type Op struct {
	Action  Action
	Index   string // index, alias or data stream
	ID      string // "" lets the store choose
	Routing string
	Source  []byte
	Extra   *Extra // nil for most
}

// Extra is what few operations say. Whoever is handed one must not change it.
type Extra struct {
	Pipeline    string // ingest pipeline; "" is the index's default
	Version     int64  // with VersionType
	VersionType string // "", internal, external, external_gte
	Retries     int    // of an update that another one overtook
}

// Origin says where a document came from: document K of the N that the record with this Range became.
type Origin struct {
	Range ledger.Range
	K, N  uint16
}

// Settled is a range that made no document.
type Settled struct {
	Range ledger.Range
	Fate  ledger.Fate // Dropped, Merged, Dead or Lost
	Rule  string      // "spring.conf:31 drop", or the reason
}

// Batch is what one Write makes durable as a whole. Origins is parallel to Ops (empty when the documents have no known origin).
// All documents of one record are in one batch. Positions may lag behind the documents, never lead.
type Batch struct {
	Ops       []Op
	Origins   []Origin
	Settled   []Settled
	Positions []queue.Position
}

// Writer writes documents. One goroutine of a pipeline calls Write.
type Writer interface {
	// Write returns when the batch is durable and, in the embedded store, searchable. Documents the store refuses for good come back
	// as Rejected, ascending by Op; the others are written, but then the batch's Positions are not kept: the caller puts the
	// refused into the dead-letter topic and sends the positions with its next batch. A document whose origin is indexed already is
	// dropped as a repeat. A non-nil error is about the whole call, which can be repeated.
	Write(ctx context.Context, b Batch) ([]Rejected, error)

	// Positions is where to resume: empty when nothing was written yet or the writer cannot know.
	Positions(ctx context.Context) ([]queue.Position, error)
}

// Rejected says why the store refuses one document for good, in Elasticsearch's words.
type Rejected struct {
	Op     int    // index into Batch.Ops
	Status int    // 400, 404, 409 or 413
	Type   string // "document_parsing_exception"
	Reason string
}

func (r *Rejected) Error() string { return fmt.Sprintf("%s (%d): %s", r.Type, r.Status, r.Reason) }
