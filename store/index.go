package store

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

var uuidEncoding = base64.RawURLEncoding.Strict()

// newUUID is a random uuid, in Elasticsearch's 22 characters.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	return uuidEncoding.EncodeToString(b[:])
}

// index is the documents of one index and where they are.
type index struct {
	uuid  [16]byte
	dir   string
	meta  atomic.Pointer[indexMeta]
	parts atomic.Pointer[parts]

	// guarded by Store.commit
	seq    int64 // next sequence number
	sealed int64 // journal offset: everything of this index below it is in segments
	gone   bool

	aside []segmentCheckpoint // segments that could not be opened; they stay on disk and in CHECKPOINT. Set while opening

	preps sync.Pool // *preparer
}

// parts are where an index's documents are, oldest first: segments, heads being sealed, the head that grows. The lists are immutable;
// they are replaced under Store.commit and Store.pub.
type parts struct {
	segs   []*segmentFile
	frozen []*head
	head   *head
}

func newIndex(m *indexMeta, dir string) (*index, error) {
	u, err := parseUUID(m.UUID)
	if err != nil {
		return nil, err
	}
	ix := &index{uuid: u, dir: dir}
	ix.meta.Store(m)
	ix.parts.Store(&parts{head: newHead(u)})
	return ix, nil
}

func (ix *index) info() *indexMeta     { return ix.meta.Load() }
func (ix *index) setMeta(m *indexMeta) { ix.meta.Store(m) }
func (ix *index) name() string         { return ix.info().Name }
func (p *parts) heads() []*head        { return append(append([]*head(nil), p.frozen...), p.head) }
func (ix *index) head() *head          { return ix.parts.Load().head }

// preparer scans and tokenises documents of one index. One goroutine uses it.
type preparer struct {
	scan      *mapping.Scanner
	lim       mapping.Limits
	set       *analysis.Set
	analyzers map[string]*analysis.Analyzer
}

// preparer takes one from the pool or makes one for the index's present mapping.
func (ix *index) preparer() *preparer {
	m := ix.info()
	if p, ok := ix.preps.Get().(*preparer); ok && p.scan.Mapping() == m.Mapping && p.lim == m.limits && p.set == m.analyzers {
		return p
	}
	return &preparer{scan: mapping.NewScanner(m.Mapping, m.limits), lim: m.limits, set: m.analyzers, analyzers: map[string]*analysis.Analyzer{}}
}

// analyzer is the analyzer a text field is indexed with.
func (p *preparer) analyzer(f *mapping.Field) *analysis.Analyzer {
	if a := p.analyzers[f.Analyzer]; a != nil {
		return a
	}
	a, ok := p.set.Lookup(f.Analyzer)
	if !ok {
		a = analysis.Standard()
	}
	p.analyzers[f.Analyzer] = a
	return a
}

// tokens are the tokens of the texts of a batch; Value.Num of a text says which are its.
type tokens struct {
	buf  []byte
	list []tokenRef
}

type tokenRef struct {
	hash  uint64
	at, n uint32
}

// of are the tokens of a text.
func (t *tokens) of(v *mapping.Value) []tokenRef { return t.list[v.Num>>32 : v.Num&0xFFFFFFFF] }

// add analyses a text.
func (t *tokens) add(v *mapping.Value, a *analysis.Analyzer) {
	from := len(t.list)
	a.Tokens(v.Bytes, func(tok analysis.Token) {
		at := len(t.buf)
		t.buf = append(t.buf, tok.Term...)
		t.list = append(t.list, tokenRef{hash: hashOf(tok.Term), at: uint32(at), n: uint32(len(tok.Term))})
	})
	v.Num = int64(from)<<32 | int64(len(t.list))
}

func (t *tokens) reset() { t.buf, t.list = t.buf[:0], t.list[:0] }

// document scans src into docs and tokenises its texts.
func (p *preparer) document(src []byte, id string, final bool, docs *mapping.Docs, t *tokens) ([]mapping.Missing, error) {
	from := len(docs.Values)
	missing, err := p.scan.Scan(src, id, final, docs)
	if err != nil || len(missing) > 0 {
		return missing, err
	}
	for i := from; i < len(docs.Values); i++ {
		if v := &docs.Values[i]; v.Field.Type.IsText() {
			t.add(v, p.analyzer(v.Field))
		}
	}
	return nil, nil
}

// wantsTimestamp checks what every document of a data stream must have.
func wantsTimestamp(docs *mapping.Docs, d *mapping.Doc) error {
	n := 0
	for i := d.Values[0]; i < d.Values[1]; i++ {
		if docs.Values[i].Field.Path == timestampField {
			n++
		}
	}
	if n == 1 {
		return nil
	}
	reason := "data stream timestamp field [@timestamp] is missing"
	if n > 1 {
		reason = "data stream timestamp field [@timestamp] encountered multiple values"
	}
	return &Error{Status: 400, Type: "document_parsing_exception", Reason: fmt.Sprintf("[1:2] failed to parse: %s", reason),
		Cause: &Error{Type: "illegal_argument_exception", Reason: reason}}
}
