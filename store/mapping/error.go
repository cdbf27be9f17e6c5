package mapping

import "fmt"

// Error is a refusal in Elasticsearch's words.
type Error struct {
	Status int
	Type   string
	Reason string
	Cause  *Error
}

func (e *Error) Error() string { return e.Type + ": " + e.Reason }

func badf(format string, args ...any) *Error {
	return &Error{Status: 400, Type: "mapper_parsing_exception", Reason: fmt.Sprintf(format, args...)}
}

func illegalf(format string, args ...any) *Error {
	return &Error{Status: 400, Type: "illegal_argument_exception", Reason: fmt.Sprintf(format, args...)}
}
