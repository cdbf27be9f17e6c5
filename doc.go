// Package weir is the root of the module. It holds the configuration that weir is shipped with, and the tests that keep the tree in
// shape (tidy_test.go).
//
// The folders are the parts of the system; ARCHITECTURE.md tells what each is. There is no Go API promise: the interfaces that
// last are the command line, the configuration files and the protocols on the ports.
package weir

import "embed"

// Shipped is the configuration `weir up` and `weir demo` start from when there is none: weir.yml and pipelines/*.conf.
//
//go:embed weir.yml pipelines/*.conf
var Shipped embed.FS
