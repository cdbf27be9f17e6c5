package pattern

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestAccuracy groups labelled messages: a message is right when its group holds exactly the messages that carry its label. It wants
// the folder named by WEIR_CORPORA, with files *_structured.csv that have the columns Content and EventId.
func TestAccuracy(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("WEIR_CORPORA")
	if dir == "" {
		t.Skip("set WEIR_CORPORA to a folder of labelled logs")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*_structured.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no labelled logs in %s: %v", dir, err)
	}
	sum := 0.0
	for _, name := range files {
		a := accuracy(t, name)
		sum += a
		t.Logf("%-40s %.3f", filepath.Base(name), a)
	}
	if mean := sum / float64(len(files)); mean < 0.90 {
		t.Errorf("grouping accuracy %.3f, want 0.90", mean)
	} else {
		t.Logf("mean %.3f", mean)
	}
}

func accuracy(t *testing.T, name string) float64 {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	content, label := -1, -1
	for i, h := range rows[0] {
		switch strings.TrimPrefix(h, "\ufeff") {
		case "Content":
			content = i
		case "EventId":
			label = i
		}
	}
	c := New(DefaultConfig(), time.Time{}, time.Time{})
	labels := map[string]int{}
	for _, r := range rows[1:] {
		c.Add(r[content], "", time.Time{})
		labels[r[label]]++
	}
	right := 0
	for _, g := range c.Clusters() {
		set := map[string]int{}
		g.Messages(func(n int) { set[rows[1+n][label]]++ })
		for l, n := range set {
			if len(set) == 1 && n == labels[l] {
				right += n
			} else if n > 10 {
				t.Logf("%d of %d %s, %d labels: %s", n, labels[l], l, len(set), g.Template())
			}
		}
	}
	return float64(right) / float64(len(rows)-1)
}
