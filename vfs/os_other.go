//go:build unix && !linux

package vfs

// Allocate reserves nothing here: a failed write is cut away by its owner instead.
func (f osFile) Allocate(off, n int64) error { return nil }

// Forget does nothing here.
func (f osFile) Forget(off, n int64) error { return nil }
