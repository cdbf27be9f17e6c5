package store

import "fmt"

// Error is a refusal in Elasticsearch's words, for the edge to print.
type Error struct {
	Status int
	Type   string // "index_not_found_exception"
	Reason string
	Index  string // the index it is about, "" when none
	Cause  *Error

	Script   string // of a script_exception: its text
	ScriptAt int    // and the byte it failed at
}

func (e *Error) Error() string { return e.Type + ": " + e.Reason }

func errorf(status int, typ, format string, args ...any) *Error {
	return &Error{Status: status, Type: typ, Reason: fmt.Sprintf(format, args...)}
}

func noSuchIndex(name string) *Error {
	return &Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + name + "]", Index: name}
}
