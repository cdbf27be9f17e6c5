package filter

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestYAMLDictionary(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "d.yml")
	text := "---\n# codes\n\"200\": OK\n404: Not found # missing\n'it''s': \"a\\tb\"\nnum: 5\nf: 1.50\nyes: true\nlist: [1, \"x\"]\nempty:\nurl: http://x/y:z\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f := build(t, `translate { source => "k" target => "v" dictionary_path => "`+file+`" }`)
	for in, out := range map[string]string{`200`: `"OK"`, `404`: `"Not found"`, `"it's"`: `"a\tb"`, `"num"`: `5`, `"f"`: `1.50`, `"yes"`: `true`, `"list"`: `[1, "x"]`,
		`"empty"`: `null`, `"url"`: `"http://x/y:z"`} {
		want(t, through(t, f, `{"k":`+in+`}`), `{"k":`+in+`,"v":`+out+`} {}`)
	}
	for _, bad := range []string{"a:\n  b: c\n", "- a\n", "a: |\n", "\"a: b\n", "a: 'b\n", "a: [1,\n", "just text\n"} {
		tr := &translate{dict: map[string]string{}, ext: ".yml"}
		if err := tr.load([]byte(bad)); err == nil || !strings.Contains(err.Error(), "line 1") && !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzYAMLDictionary(f *testing.F) {
	f.Add("a: b\n'c': \"d\"\ne: [1]\n")
	f.Fuzz(func(t *testing.T, text string) {
		tr := &translate{dict: map[string]string{}, ext: ".yaml"}
		tr.load([]byte(text))
	})
}
