package agent

import "fmt"

// CheckInputs returns what is wrong with the inputs of c beyond their shape (patterns, encodings, processors), without opening
// anything.
func CheckInputs(c Config) []error {
	var errs []error
	for i := range c.Inputs {
		in := &c.Inputs[i]
		place := inputPlace(in, i)
		for _, err := range in.validate() {
			errs = append(errs, fmt.Errorf("%s: %w", place, err))
		}
		if len(errs) > 0 {
			continue
		}
		_, bad := compileInput(&c, in, i, &identity{})
		errs = append(errs, bad...)
	}
	return errs
}
