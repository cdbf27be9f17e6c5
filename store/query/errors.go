package query

import (
	"errors"
	"fmt"
)

// Error is a request that cannot be answered, in Elasticsearch's words. Type ends in "_exception".
type Error struct {
	Status    int // 400 unless said otherwise
	Type      string
	Reason    string
	Line, Col int    // from 1; 0: unknown
	Index     string // for errors that depend on an index
	Cause     *Error
}

func (e *Error) Error() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s: %s [%d:%d]", e.Type, e.Reason, e.Line, e.Col)
	}
	return e.Type + ": " + e.Reason
}

func (e *Error) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// badf is an illegal_argument_exception.
func badf(format string, args ...any) *Error {
	return &Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}
}

// Badf is the illegal_argument_exception of a request, for packages beside this one.
func Badf(format string, args ...any) *Error { return badf(format, args...) }

// shardf is a query_shard_exception: the query does not fit the index.
func shardf(format string, args ...any) *Error {
	return &Error{Status: 400, Type: "query_shard_exception", Reason: fmt.Sprintf(format, args...)}
}

// lenient tells whether a planning error is one that "lenient": true turns into no match: a value that the field's type cannot hold.
func lenientError(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Type != "too_many_clauses"
}

// FielddataError is the refusal to sort or aggregate by analysed text.
func FielddataError(index, field string) *Error {
	e := badf("Fielddata is disabled on [%s] in [%s]. Text fields are not optimised for operations that require per-document field data like "+
		"aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set "+
		"fielddata=true on [%s] in order to load field data by uninverting the inverted index. Note that this can use significant memory.",
		field, index, field)
	e.Index = index
	return e
}
