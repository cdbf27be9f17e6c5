package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
)

// cause is Elasticsearch's error object.
type cause struct {
	Type      string   `json:"type"`
	Reason    string   `json:"reason"`
	ResType   string   `json:"resource.type,omitempty"`
	ResID     string   `json:"resource.id,omitempty"`
	IndexUUID string   `json:"index_uuid,omitempty"`
	Index     string   `json:"index,omitempty"`
	ProcType  string   `json:"processor_type,omitempty"`
	ProcTag   string   `json:"processor_tag,omitempty"`
	Property  string   `json:"property_name,omitempty"`
	Stack     []string `json:"script_stack,omitempty"`
	Script    string   `json:"script,omitempty"`
	Lang      string   `json:"lang,omitempty"`
	Line      int      `json:"line,omitempty"`
	Col       int      `json:"col,omitempty"`
	Phase     string   `json:"phase,omitempty"`
	Grouped   bool     `json:"grouped,omitempty"`
	Failed    []shard  `json:"failed_shards,omitempty"`
	CausedBy  *cause   `json:"caused_by,omitempty"`
	Root      []cause  `json:"root_cause,omitempty"`
}

// shard is one entry of failed_shards.
type shard struct {
	Shard  int    `json:"shard"`
	Index  string `json:"index"`
	Node   string `json:"node,omitempty"`
	Reason cause  `json:"reason"`
}

func causeOfQuery(e *query.Error) (cause, int) {
	c := cause{Type: e.Type, Reason: e.Reason, Line: e.Line, Col: e.Col, Index: e.Index}
	if e.Cause != nil {
		inner, _ := causeOfQuery(e.Cause)
		c.CausedBy = &inner
	}
	if e.Status == 0 {
		return c, http.StatusBadRequest
	}
	return c, e.Status
}

func causeOfMapping(e *mapping.Error) (cause, int) {
	c := cause{Type: e.Type, Reason: e.Reason}
	if e.Cause != nil {
		inner, _ := causeOfMapping(e.Cause)
		c.CausedBy = &inner
	}
	return c, e.Status
}

// allFailed wraps an error that depends on an index as a search does when no shard could answer.
func allFailed(c cause) cause {
	inner := c
	return cause{Type: "search_phase_execution_exception", Reason: "all shards failed", Phase: "query", Grouped: true,
		Failed: []shard{{Index: c.Index, Reason: inner}}, CausedBy: &inner, Root: []cause{inner}}
}

// causeOf prints a store's refusal; anything else is our own fault and a 500.
func causeOf(err error) (cause, int) {
	var e *store.Error
	var q *query.Error
	var m *mapping.Error
	switch {
	case errors.As(err, &e):
	case errors.As(err, &q):
		return causeOfQuery(q)
	case errors.As(err, &m):
		return causeOfMapping(m)
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled):
		return cause{Type: "task_cancelled_exception", Reason: "the search was cancelled"}, http.StatusBadRequest
	case errors.Is(err, store.ErrClosed):
		return cause{Type: "unavailable_shards_exception", Reason: "the store is stopping"}, http.StatusServiceUnavailable
	default:
		return cause{Type: "exception", Reason: err.Error()}, http.StatusInternalServerError
	}
	c := cause{Type: e.Type, Reason: e.Reason, Index: e.Index}
	var pe *pipelineError
	if errors.As(err, &pe) {
		c.ProcType, c.ProcTag, c.Property = pe.at.Processor, pe.at.Tag, pe.at.Property
	}
	if e.Type == "index_not_found_exception" {
		c.ResType, c.ResID, c.IndexUUID = "index_or_alias", e.Index, "_na_"
	}
	if e.Script != "" {
		const near = 60
		from, to := max(0, e.ScriptAt-near), min(len(e.Script), e.ScriptAt+near)
		c.Stack = []string{e.Script[from:to], strings.Repeat(" ", max(0, e.ScriptAt-from)) + "^---- HERE"}
		c.Script, c.Lang = e.Script, "painless"
	}
	if e.Cause != nil {
		inner, _ := causeOf(e.Cause)
		c.CausedBy = &inner
	}
	return c, e.Status
}

// writeError answers {"error":{"root_cause":[...],...},"status":n}.
func writeError(w http.ResponseWriter, err error) {
	c, status := causeOf(err)
	if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	c = withRoot(c, err)
	w.WriteHeader(status)
	w.Write(newObject().set("error", orderedError(c)).set("status", status).bytes())
}

// withRoot gives an error its root causes; one that depends on an index or a context is a search whose shards all failed.
func withRoot(c cause, err error) cause {
	q, ok := queryError(err)
	switch {
	case ok && q.Index != "":
		return allFailed(c)
	case c.Type == "search_context_missing_exception":
		c = allFailed(c)
		c.Failed[0].Shard = -1
		return c
	}
	root := c
	root.CausedBy = nil
	c.Root = []cause{root}
	return c
}

// errorBody is an error inside an answer: {"error":{...},"status":n}.
func errorBody(err error) []byte {
	c, status := causeOf(err)
	return newObject().set("error", orderedError(withRoot(c, err))).set("status", status).bytes()
}

// orderedError prints root_cause first, as clients' logs show it.
type orderedError cause

func (o orderedError) MarshalJSON() ([]byte, error) {
	root := encode(o.Root)
	o.Root = nil
	rest := encode(cause(o))
	return append(append([]byte(`{"root_cause":`), root...), append([]byte{','}, rest[1:]...)...), nil
}

func badRequest(typ, format string, args ...any) *store.Error {
	return &store.Error{Status: http.StatusBadRequest, Type: typ, Reason: fmt.Sprintf(format, args...)}
}

func illegal(format string, args ...any) *store.Error {
	return badRequest("illegal_argument_exception", format, args...)
}
