package agent

import (
	"fmt"
	"slices"
)

var inputTypes = [...]string{"filestream", "log", "container"}

// validate returns everything that is wrong with one input.
func (in *Input) validate() []error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if in.Listen != nil {
		return in.Listen.Validate()
	}
	if !slices.Contains(inputTypes[:], in.Type) {
		bad("type: input %q is not supported; filestream, log and container are", in.Type)
	}
	if len(in.Paths) == 0 {
		bad("paths: empty")
	}
	if in.MessageMaxBytes <= 0 {
		bad("message_max_bytes: %d is not positive", in.MessageMaxBytes)
	}
	if in.HarvesterLimit < 0 || in.CheckInterval <= 0 || in.CloseInactive <= 0 || in.IgnoreOlder < 0 || in.CleanInactive < 0 {
		bad("a limit or a time is negative, or check_interval or close.on_state_change.inactive is zero")
	}
	if in.FileIdentity != "auto" {
		bad("file_identity: %q is not supported; auto knows files by place, head and tail", in.FileIdentity)
	}
	if !slices.Contains([]string{"none", "auto", "gzip"}, in.Compression) {
		bad("compression: %q is not none, auto or gzip", in.Compression)
	}
	return errs
}
