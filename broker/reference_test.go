package broker

import (
	"flag"
	"os"
	"testing"
)

var update = flag.Bool("update", false, "write the reference page")

const referencePage = "../docs/reference/kafka.md"

// TestReference keeps the page equal to the tables; -update rewrites it.
func TestReference(t *testing.T) {
	t.Parallel()
	if *update {
		if err := os.WriteFile(referencePage, []byte(Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Reference() {
		t.Error("the page differs from the tables: go test ./broker -run TestReference -update")
	}
}
