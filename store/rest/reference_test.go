package rest

import (
	"os"
	"strings"
	"testing"
)

// TestReference: docs/reference/rest.md names every endpoint of the table.
func TestReference(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/reference/rest.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range routes() {
		if !strings.Contains(string(doc), "`"+r.path+"`") {
			t.Errorf("docs/reference/rest.md does not name %s %s", r.methods, r.path)
		}
	}
}
