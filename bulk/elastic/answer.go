package elastic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/bulk"
)

// unreachableError is a host that did not answer, statusError one that answers what heals by itself: both are tried again.
type unreachableError struct{ err error }

func (e *unreachableError) Error() string { return "elasticsearch does not answer: " + e.err.Error() }
func (e *unreachableError) Unwrap() error { return e.err }

type statusError struct {
	status int
	reason string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("elasticsearch answers %d: %s", e.status, e.reason)
}

// tooLargeError is a body the cluster does not take.
type tooLargeError struct{}

func (e *tooLargeError) Error() string { return "elasticsearch answers 413" }

// deniedError is a login or a right that is missing: a person must act.
type deniedError struct {
	status int
	reason string
}

func (e *deniedError) Error() string {
	return fmt.Sprintf("elasticsearch refuses the login (%d): %s", e.status, e.reason)
}

func retriable(err error) bool {
	var u *unreachableError
	var s *statusError
	return errors.As(err, &u) || errors.As(err, &s)
}

// post sends one body with the operations todo and sorts their answers: what to send again, what is refused for good.
func (c *Client) post(ctx context.Context, todo []int, body []byte, ours []bool) (again []int, refused []bulk.Rejected, err error) {
	status, answer, err := c.send(ctx, "POST", "/_bulk?filter_path=errors,items.*.error,items.*.status", body)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		return nil, nil, &tooLargeError{}
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return nil, nil, &deniedError{status, reasonOf(answer)}
	case status != http.StatusOK:
		return nil, nil, &statusError{status, reasonOf(answer)}
	}
	v, err := fastjson.ParseBytes(answer)
	if err != nil {
		return nil, nil, &statusError{status, "the answer is not JSON: " + err.Error()}
	}
	if !v.GetBool("errors") {
		return nil, nil, nil
	}
	items := v.GetArray("items")
	if len(items) != len(todo) {
		return nil, nil, &statusError{status, fmt.Sprintf("%d items answered of %d sent", len(items), len(todo))}
	}
	for i, it := range items {
		result := only(it)
		switch s := result.GetInt("status"); {
		case s < 300:
		case s == http.StatusConflict:
			if !ours[i] {
				c.conflicts.Add(1)
			}
		case s == http.StatusBadRequest || s == http.StatusNotFound || s == http.StatusRequestEntityTooLarge || slices.Contains(c.cfg.Refuse, s):
			e := result.Get("error")
			refused = append(refused, bulk.Rejected{Op: todo[i], Status: s, Type: string(e.GetStringBytes("type")), Reason: reason(e)})
		default:
			again = append(again, todo[i])
		}
	}
	return again, refused, nil
}

// only is the value of an object's one key: the action's name.
func only(v *fastjson.Value) *fastjson.Value {
	var out *fastjson.Value
	v.GetObject().Visit(func(_ []byte, x *fastjson.Value) { out = x })
	return out
}

// reason joins an error's reason with its cause's, which says more.
func reason(e *fastjson.Value) string {
	s := string(e.GetStringBytes("reason"))
	if c := e.GetStringBytes("caused_by", "reason"); c != nil {
		s += ": " + string(c)
	}
	return s
}

func reasonOf(answer []byte) string {
	v, err := fastjson.ParseBytes(answer)
	if err == nil {
		if e := v.Get("error"); e != nil {
			if e.Type() == fastjson.TypeObject {
				return reason(e)
			}
			return e.String()
		}
	}
	return string(answer[:min(len(answer), 200)])
}
