//go:build !linux

package agent

import "context"

// watcher reports nothing on this system: every directory is polled.
type watcher struct{ pending }

func newWatcher(*Agent) (*watcher, error) { return &watcher{}, nil }

func (w *watcher) add(*dir) bool { return false }

func (w *watcher) run(ctx context.Context) { <-ctx.Done() }
