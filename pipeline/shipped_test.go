package pipeline

import (
	"path/filepath"
	"testing"
)

// TestShippedConfigurations compiles every configuration that comes with weir.
func TestShippedConfigurations(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../pipelines/*.conf")
	if err != nil || len(files) == 0 {
		t.Fatal("no configurations", err)
	}
	for _, f := range files {
		cfg := DefaultConfig()
		cfg.Files = []string{f}
		for _, e := range Check(cfg).Faults() {
			t.Error(e)
		}
	}
}
