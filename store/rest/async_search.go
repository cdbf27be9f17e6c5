package rest

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/contexts"
)

// Defaults of asynchronous searches.
const (
	asyncWait = time.Second
	asyncKeep = 5 * 24 * time.Hour
)

var asyncParams = append([]string{"wait_for_completion_timeout", "keep_on_completion", "keep_alive"}, searchParams...)

// handleSubmitAsync answers POST [/{index}]/_async_search.
func handleSubmitAsync(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	if c.params.has("scroll") {
		return validation([]string{"[scroll] queries are not supported"})
	}
	sg, err := c.searching(body, true)
	if err != nil {
		return err
	}
	wait, keep, err := c.asyncTimes(asyncWait, asyncKeep)
	if err != nil {
		return err
	}
	always, err := c.params.boolean("keep_on_completion", false)
	if err != nil {
		return err
	}
	a, err := c.s.contexts.Submit(c.s.tasks, c.taskInfo("indices:data/read/async_search/submit", sg.describe()), keep, func(ctx context.Context) ([]byte, error) {
		return c.s.search(ctx, sg, c.taskInfo("indices:data/read/search", sg.describe()))
	})
	if err != nil {
		return err
	}
	over := a.Wait(c.r.Context(), wait)
	if !over && c.r.Context().Err() != nil {
		c.s.contexts.DeleteAsync(c.s.tasks, a.ID) // the client left and knows no id
		return c.r.Context().Err()
	}
	if over && !always {
		defer c.s.contexts.DeleteAsync(c.s.tasks, a.ID)
		return c.asyncAnswer(a, "")
	}
	return c.asyncAnswer(a, a.ID)
}

// asyncTimes reads wait_for_completion_timeout and keep_alive.
func (c *call) asyncTimes(wait, keep time.Duration) (time.Duration, time.Duration, error) {
	if t := c.params.str("wait_for_completion_timeout", ""); t != "" {
		d, err := parseTime("wait_for_completion_timeout", t)
		if err != nil {
			return 0, 0, err
		}
		wait = max(d, 0)
	}
	if t := c.params.str("keep_alive", ""); t != "" {
		d, err := parseTime("keep_alive", t)
		if err != nil {
			return 0, 0, err
		}
		if d < time.Minute {
			return 0, 0, validation([]string{"[keep_alive] must be greater or equals than 1 minute, got: " + t})
		}
		keep = d
	}
	return wait, keep, nil
}

// handleGetAsync answers GET /_async_search/{id}.
func handleGetAsync(c *call) error {
	wait, keep, err := c.asyncTimes(0, 0)
	if err != nil {
		return err
	}
	a, err := c.s.contexts.FindAsync(c.vars["id"], keep)
	if err != nil {
		return err
	}
	a.Wait(c.r.Context(), wait)
	return c.asyncAnswer(a, a.ID)
}

// asyncHead is what all answers about an asynchronous search begin with.
func asyncHead(a *contexts.Async, id string, running, partial bool) *object {
	o := newObject()
	if id != "" {
		o.set("id", id)
	}
	o.set("is_partial", partial).set("is_running", running).
		set("start_time_in_millis", a.Start.UnixMilli()).set("expiration_time_in_millis", a.Expires().UnixMilli())
	if e := a.Ended(); !e.IsZero() {
		o.set("completion_time_in_millis", e.UnixMilli())
	}
	return o
}

// asyncAnswer prints the state of a search: its answer, its error, or that it still runs.
func (c *call) asyncAnswer(a *contexts.Async, id string) error {
	running := !a.Wait(context.WithoutCancel(c.r.Context()), 0)
	if id != "" {
		c.w.Header().Set("X-Elasticsearch-Async-Id", id)
	}
	flag := "?0"
	if running {
		flag = "?1"
	}
	c.w.Header().Set("X-Elasticsearch-Async-Is-Running", flag)
	if running {
		took := time.Since(a.Start).Milliseconds()
		return c.reply(http.StatusOK, asyncHead(a, id, true, true).raw("response", fmt.Appendf(nil, `{"took":%d,"timed_out":false,"num_reduce_phases":0,"_shards":{"total":0,"successful":0,"skipped":0,"failed":0},`+
			`"hits":{"total":{"value":0,"relation":"gte"},"max_score":null,"hits":[]}}`, took)).bytes())
	}
	b, err := a.Result()
	if err != nil {
		cs, status := causeOf(err)
		return c.reply(status, asyncHead(a, id, false, true).set("error", orderedError(withRoot(cs, err))).bytes())
	}
	return c.reply(http.StatusOK, asyncHead(a, id, false, false).raw("response", b).bytes())
}

// handleAsyncStatus answers GET /_async_search/status/{id}.
func handleAsyncStatus(c *call) error {
	_, keep, err := c.asyncTimes(0, 0)
	if err != nil {
		return err
	}
	a, err := c.s.contexts.FindAsync(c.vars["id"], keep)
	if err != nil {
		return err
	}
	running := !a.Wait(c.r.Context(), 0)
	if running {
		return c.reply(http.StatusOK, asyncHead(a, a.ID, true, true).raw("_shards", []byte(`{"total":0,"successful":0,"skipped":0,"failed":0}`)).bytes())
	}
	b, err := a.Result()
	o := asyncHead(a, a.ID, false, err != nil)
	status := http.StatusOK
	if err != nil {
		_, status = causeOf(err)
		o.raw("_shards", []byte(`{"total":0,"successful":0,"skipped":0,"failed":0}`))
	} else if v, err := fastjson.ParseBytes(b); err == nil && v.Get("_shards") != nil {
		o.raw("_shards", v.Get("_shards").MarshalTo(nil))
	}
	return c.reply(http.StatusOK, o.set("completion_status", status).bytes())
}

// handleDeleteAsync answers DELETE /_async_search/{id}.
func handleDeleteAsync(c *call) error {
	if err := c.s.contexts.DeleteAsync(c.s.tasks, c.vars["id"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// busy is the refusal of work beyond a bound.
func busy(err error) error {
	return &store.Error{Status: http.StatusTooManyRequests, Type: "es_rejected_execution_exception", Reason: err.Error()}
}
