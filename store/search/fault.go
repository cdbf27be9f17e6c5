package search

import (
	"fmt"
	"runtime/debug"
)

// guarded runs f, which reads mapped files, such that a sector the disk cannot read is an error of f and not the end of the process.
func guarded(f func()) (err error) {
	old := debug.SetPanicOnFault(true)
	defer debug.SetPanicOnFault(old)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		fault, ok := r.(interface {
			error
			Addr() uintptr
		})
		if !ok {
			panic(r)
		}
		err = fmt.Errorf("read a mapped file: %w", fault)
	}()
	f()
	return nil
}
