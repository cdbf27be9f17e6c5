package rest

import (
	"context"

	"github.com/weirlog/weir/store/tasks"
)

// backgroundContext is for what outlives its request; tasks are ended by their registry.
func backgroundContext() context.Context { return context.Background() }

// startTask carries f out behind the request, on a call whose context is the task's, and keeps its answer in memory and in the index.
func (s *Server) startTask(i tasks.Info, c *call, f func(t *tasks.Task, c *call) ([]byte, error)) (*tasks.Task, error) {
	return s.tasks.Go(i, func(ctx context.Context, t *tasks.Task) ([]byte, error) {
		detached := *c
		detached.r = c.r.Clone(ctx)
		detached.w = nil
		return f(t, &detached)
	})
}
