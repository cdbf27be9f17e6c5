package pipeline

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the expected output in testdata")

// TestScripts runs the cases of testdata/*.txtar. A case is three files: NAME.conf, the configuration (a filter section is enough);
// NAME.in, one event a line; NAME.out, the events that come out. A case that must not start has NAME.err instead of in and out.
// Every case runs with one worker and with eight, in batches of 1, 7 and 125 records; the output must be the same.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, f := range files {
		ar, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) { runScript(t, f, ar) })
	}
}

func runScript(t *testing.T, file string, ar *txtar.Archive) {
	part := make(map[string]*txtar.File)
	for i := range ar.Files {
		part[ar.Files[i].Name] = &ar.Files[i]
	}
	changed := false
	for _, f := range ar.Files {
		name, ok := strings.CutSuffix(f.Name, ".conf")
		if !ok {
			continue
		}
		t.Run(name, func(t *testing.T) {
			if want := part[name+".err"]; want != nil {
				got := Check(scriptConfig(string(f.Data), "", &bytes.Buffer{})).Faults().Error() + "\n"
				if *update {
					want.Data, changed = []byte(got), true
				} else if got != string(want.Data) {
					t.Errorf("got\n%swant\n%s", got, want.Data)
				}
				return
			}
			in, want := part[name+".in"], part[name+".out"]
			if in == nil || want == nil {
				t.Fatalf("%s.in or %s.out is missing", name, name)
			}
			if *update {
				want.Data, changed = []byte(runCase(t, string(f.Data), string(in.Data), 1, 125)), true
			}
			counts := []int{1, 8}
			if strings.Contains(string(f.Data), "# one worker") {
				counts = counts[:1]
			}
			for _, workers := range counts {
				for _, size := range []int{1, 7, 125} {
					if got := runCase(t, string(f.Data), string(in.Data), workers, size); got != string(want.Data) {
						t.Fatalf("with %d workers and batches of %d got\n%swant\n%s", workers, size, got, want.Data)
					}
				}
			}
		})
	}
	if changed {
		if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func scriptConfig(text, in string, out *bytes.Buffer) Config {
	if !strings.Contains(text, "input {") {
		text = "input { stdin { codec => json } }\n" + text
	}
	if !strings.Contains(text, "output {") {
		text += "\noutput { stdout { codec => json_lines } }"
	}
	return testConfig(text, in, out)
}

func runCase(t *testing.T, text, in string, workers, size int) string {
	t.Helper()
	var out bytes.Buffer
	cfg := scriptConfig(text, in, &out)
	cfg.Workers, cfg.BatchSize = workers, size
	run(t, cfg)
	return strings.ReplaceAll(out.String(), `"@timestamp":"2026-11-22T23:50:00.000Z","@version":"1"`, `"@":"now"`)
}

func ExampleCheck() {
	cfg := DefaultConfig()
	cfg.Text = []Source{{"my.conf", "input { stdin { } }\nfilter { grok { mtach => { } } }\noutput { stdout { } }"}}
	for _, e := range Check(cfg) {
		fmt.Println(e)
	}
	// Output:
	// my.conf:2:10: grok needs the option match
	// my.conf:2:17: grok has no option "mtach" (did you mean match?)
}
