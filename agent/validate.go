package agent

import (
	"fmt"
	"regexp"
	"slices"
)

var inputTypes = [...]string{"filestream", "log", "container", "stdin"}

// validate returns everything that is wrong with one input.
func (in *Input) validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !slices.Contains(inputTypes[:], in.Type) {
		bad("type: %q is not filestream, log, container or stdin", in.Type)
	}
	if len(in.Paths) == 0 && in.Type != "stdin" {
		bad("paths: empty")
	}
	for _, list := range [...]struct {
		key      string
		patterns []string
	}{{"exclude_files", in.ExcludeFiles}, {"include_files", in.IncludeFiles}} {
		for _, p := range list.patterns {
			if _, err := regexp.Compile(p); err != nil {
				bad("%s: %w", list.key, err)
			}
		}
	}
	if in.MessageMaxBytes <= 0 {
		bad("message_max_bytes: %d is not positive", in.MessageMaxBytes)
	}
	if in.HarvesterLimit < 0 || in.CheckInterval <= 0 || in.CloseInactive <= 0 || in.IgnoreOlder < 0 || in.CleanInactive < 0 {
		bad("a limit or a time is negative, or check_interval or close.on_state_change.inactive is zero")
	}
	if in.FileIdentity != "auto" && in.FileIdentity != "path" {
		bad("file_identity: %q is not auto or path", in.FileIdentity)
	}
	if !slices.Contains([]string{"none", "auto", "gzip"}, in.Compression) {
		bad("compression: %q is not none, auto or gzip", in.Compression)
	}
	return errs
}
