// Package weir is the root of the module: it holds no code, only the tests that keep the tree in shape (tidy_test.go).
//
// The folders are the parts of the system; ARCHITECTURE.md tells what each is. There is no Go API promise: the interfaces that
// last are the command line, the configuration files and the protocols on the ports.
package weir
