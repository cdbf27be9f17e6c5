package rest

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/tasks"
)

var taskParams = []string{"nodes", "actions", "detailed", "parent_task_id", "wait_for_completion", "group_by", "reason"}

// tasksIndex keeps the answers of background tasks beyond the process.
const tasksIndex = ".tasks"

// taskInfo tells of the work that a request is about to do.
func (c *call) taskInfo(action, description string) tasks.Info {
	return tasks.Info{Action: action, Description: description, OpaqueID: c.r.Header.Get("X-Opaque-Id")}
}

// taskName is a task's id as clients see it: node:number.
func (s *Server) taskName(id int64) string { return s.nodeID() + ":" + strconv.FormatInt(id, 10) }

// taskID reads a name made by taskName.
func (s *Server) taskID(name string) (int64, error) {
	node, num, ok := strings.Cut(name, ":")
	id, err := strconv.ParseInt(num, 10, 64)
	if !ok || err != nil {
		return 0, illegal("malformed task id %s", name)
	}
	if node != s.nodeID() {
		return 0, &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: fmt.Sprintf("task [%s] belongs to the node [%s] which isn't part of the cluster and there is no record of the task", name, node)}
	}
	return id, nil
}

// taskJSON prints a task as lists show it.
func (s *Server) taskJSON(t *tasks.Task, detailed bool) *object {
	o := newObject().set("node", s.nodeID()).set("id", t.ID).set("type", t.Type).set("action", t.Action)
	if st := t.Status(); st != nil {
		o.raw("status", st)
	}
	if detailed {
		o.set("description", t.Description)
	}
	o.set("start_time_in_millis", t.Start.UnixMilli()).set("running_time_in_nanos", t.Running().Nanoseconds()).set("cancellable", !t.Fixed)
	if !t.Fixed {
		o.set("cancelled", t.Cancelled())
	}
	if t.Parent != 0 {
		o.set("parent_task_id", s.taskName(t.Parent))
	}
	headers := map[string]string{}
	if t.OpaqueID != "" {
		headers["X-Opaque-Id"] = t.OpaqueID
	}
	return o.set("headers", headers)
}

// chosenTasks are the running tasks that the parameters ask for.
func (c *call) chosenTasks() ([]*tasks.Task, error) {
	actions := c.params.list("actions")
	var parent int64
	if p := c.params.str("parent_task_id", ""); p != "" {
		var err error
		if parent, err = c.s.taskID(p); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(c.s.tasks.Running(), func(t *tasks.Task) bool {
		return !tasks.Matches(actions, t.Action) || parent != 0 && t.Parent != parent
	}), nil
}

// handleTasks answers GET /_tasks.
func handleTasks(c *call) error {
	list, err := c.chosenTasks()
	if err != nil {
		return err
	}
	wait, err := c.params.boolean("wait_for_completion", false)
	if err != nil {
		return err
	}
	if wait {
		if err := c.awaitTasks(list); err != nil {
			return err
		}
		list = nil
	}
	return c.taskList(list)
}

// awaitTasks returns when all have ended, or the timeout (30 s) has passed.
func (c *call) awaitTasks(list []*tasks.Task) error {
	limit := 30 * time.Second
	if t := c.params.str("timeout", ""); t != "" {
		d, err := parseTime("timeout", t)
		if err != nil {
			return err
		}
		limit = d
	}
	end := time.NewTimer(limit)
	defer end.Stop()
	for _, t := range list {
		select {
		case <-t.Done():
		case <-end.C:
			return &store.Error{Status: 500, Type: "timeout_exception", Reason: "Timed out waiting for completion of [" + t.Action + "]"}
		case <-c.r.Context().Done():
			return c.r.Context().Err()
		}
	}
	return nil
}

// taskList prints tasks, grouped as group_by says.
func (c *call) taskList(list []*tasks.Task) error {
	detailed, err := c.params.boolean("detailed", false)
	if err != nil {
		return err
	}
	switch by := c.params.str("group_by", "nodes"); by {
	case "none":
		out := []any{}
		for _, t := range list {
			out = append(out, c.s.taskJSON(t, detailed))
		}
		return c.reply(http.StatusOK, newObject().set("tasks", out).bytes())
	case "parents":
		out := newObject()
		for _, t := range list {
			if t.Parent != 0 && slices.ContainsFunc(list, func(p *tasks.Task) bool { return p.ID == t.Parent }) {
				continue
			}
			one := c.s.taskJSON(t, detailed)
			kids := []any{}
			for _, k := range list {
				if k.Parent == t.ID {
					kids = append(kids, c.s.taskJSON(k, detailed))
				}
			}
			if len(kids) > 0 {
				one.set("children", kids)
			}
			out.set(c.s.taskName(t.ID), one)
		}
		return c.reply(http.StatusOK, newObject().set("tasks", out).bytes())
	case "nodes":
		per := newObject()
		for _, t := range list {
			per.set(c.s.taskName(t.ID), c.s.taskJSON(t, detailed))
		}
		nodes := newObject()
		if len(list) > 0 {
			nodes.set(c.s.nodeID(), newObject().set("name", c.s.nodeName).set("transport_address", c.r.Host).set("host", hostOf(c.r.Host)).set("ip", c.r.Host).
				set("roles", nodeRoles).set("tasks", per))
		}
		return c.reply(http.StatusOK, newObject().set("nodes", nodes).bytes())
	default:
		return illegal("No valid group_by value [%s], expected one of [nodes, parents, none]", by)
	}
}

// handleTask answers GET /_tasks/{id}.
func handleTask(c *call) error {
	name := c.vars["id"]
	id, err := c.s.taskID(name)
	t, found := c.s.tasks.Find(id)
	if err != nil || !found {
		return c.storedTask(name, err)
	}
	wait, werr := c.params.boolean("wait_for_completion", false)
	if werr != nil {
		return werr
	}
	if wait && !t.Ended() {
		if err := c.awaitTasks([]*tasks.Task{t}); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, c.s.taskResult(t))
}

// taskResult prints a task with its answer, when it is over.
func (s *Server) taskResult(t *tasks.Task) []byte {
	over := t.Ended()
	o := newObject().set("completed", over).set("task", s.taskJSON(t, true))
	if !over {
		return o.bytes()
	}
	answer, err := t.Result()
	switch {
	case err != nil:
		cs, _ := causeOf(err)
		o.set("error", cs)
	case answer != nil:
		o.raw("response", answer)
	}
	return o.bytes()
}

// storedTask answers from the index of answers.
func (c *call) storedTask(name string, otherwise error) error {
	doc, found, err := c.s.store.Get(tasksIndex, name)
	if err == nil && found {
		return c.reply(http.StatusOK, doc.Source)
	}
	if otherwise != nil {
		return otherwise
	}
	return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "task [" + name + "] isn't running and hasn't stored its results"}
}

// keepTask writes the answer of a background task into the index of answers; it is called when the task has ended.
func (s *Server) keepTask(t *tasks.Task) {
	op := store.NewOp(bulk.Op{Action: bulk.Index, Index: tasksIndex, ID: s.taskName(t.ID), Source: s.taskResult(t)})
	if err := s.ensureTasksIndex(); err != nil {
		s.log.Warn("answer of a task is not kept", "task", op.ID, "error", err)
		return
	}
	res, err := s.store.Apply(backgroundContext(), []store.Op{op})
	if err == nil && res[0].Err != nil {
		err = res[0].Err
	}
	if err != nil {
		s.log.Warn("answer of a task is not kept", "task", op.ID, "error", err)
	}
}

// tasksMapping maps nothing: answers are only fetched by id.
const tasksMapping = `{"dynamic":false,"properties":{"completed":{"type":"boolean"},"task":{"properties":{"action":{"type":"keyword"},"start_time_in_millis":{"type":"long"}}}}}`

func (s *Server) ensureTasksIndex() error {
	if _, ok := s.store.SettingsOf(tasksIndex); ok {
		return nil
	}
	err := s.store.CreateIndex(tasksIndex, store.CreateRequest{Mappings: []byte(tasksMapping), Settings: []byte(`{"hidden":true}`)})
	if e, ok := err.(*store.Error); ok && e.Type == "resource_already_exists_exception" {
		return nil
	}
	return err
}

// handleCancelTasks answers POST /_tasks/_cancel and /_tasks/{id}/_cancel.
func handleCancelTasks(c *call) error {
	reason := c.params.str("reason", "by user request")
	if name := c.vars["id"]; name != "" {
		id, err := c.s.taskID(name)
		if err != nil {
			return err
		}
		t, found := c.s.tasks.Find(id)
		if !found || t.Ended() {
			return &store.Error{Status: 404, Type: "resource_not_found_exception", Reason: "task [" + name + "] is not found"}
		}
		if !c.s.tasks.Cancel(id, reason) {
			return illegal("task [%s] doesn't support cancellation", name)
		}
		return c.taskList([]*tasks.Task{t})
	}
	list, err := c.chosenTasks()
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(t *tasks.Task) bool { return !c.s.tasks.Cancel(t.ID, reason) })
	return c.taskList(list)
}

// background starts a task whose answer is kept, and answers its name.
func (c *call) background(i tasks.Info, f func(t *tasks.Task, c *call) ([]byte, error)) error {
	s := c.s
	t, err := s.startTask(i, c, f)
	if err != nil {
		return busy(err)
	}
	return c.reply(http.StatusOK, newObject().set("task", s.taskName(t.ID)).bytes())
}
