package conf

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

const sample = `# the demo
input {
  kafka { topics => ["logs"] codec => json { charset => "UTF-8" } } # from the queue
}
filter {
  if [type] == "a" and ![b] or ([c][d] =~ /^x\/y/ and [e] not in ["1", "2"]) {
    grok {
      # comment above
      match => { "message" => "%{WORD:a} \"%{GREEDYDATA:b}\"" } # behind
      pattern_definitions => {
        "X" => 'y'   # one
        # two
        "Z" => "w"
      }
      tag_on_failure => []
    }
  } else if [n] >= 5 { drop {} }
  # before else
  else { mutate { add_tag => [ "a" , 'b' ] gsub => ["message", "\n", " "] } }
  mutate { convert => { "x" => integer } id => m1 }
}
output { elasticsearch { hosts => ["http://a:9200"] index => "x-%{+YYYY.MM.dd}" } }
# the end
`

func mustParse(t *testing.T, src string) *File {
	t.Helper()
	f, errs := Parse("t.conf", src)
	if len(errs) > 0 {
		t.Fatalf("%v", errs)
	}
	return f
}

var positions = regexp.MustCompile(`"(Pos|Lead|Trail|End)":(\{[^}]*\}|\[[^\]]*\]|null|"(?:[^"\\]|\\.)*"),?`)

// shape is the tree without positions and comments.
func shape(t testing.TB, f *File) string {
	j, err := json.Marshal(f.Sections)
	if err != nil {
		t.Fatal(err)
	}
	return positions.ReplaceAllString(string(j), "")
}

func TestPrint(t *testing.T) {
	t.Parallel()
	f := mustParse(t, sample)
	once := Print(f)
	again := mustParse(t, once)
	if a, b := shape(t, f), shape(t, again); a != b {
		t.Errorf("printing changed the tree\n%s\n%s", a, b)
	}
	if twice := Print(again); twice != once {
		t.Errorf("printing twice differs:\n%s\n%s", once, twice)
	}
	for _, c := range []string{"# the demo", "# from the queue", "# comment above", "# behind", "# one", "# two", "# before else", "# the end"} {
		if strings.Count(once, c) != 1 {
			t.Errorf("comment %q is there %d times in\n%s", c, strings.Count(once, c), once)
		}
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, src, want string }{
		{"comma between options", "filter { mutate { add_tag => \"a\", id => \"x\" } }", `t.conf:1:33: comma between options (options are separated by white space: remove the comma)`},
		{"equals for arrow", "filter { mutate { id = \"x\" } }", `t.conf:1:22: "=" where => should be (write id => ...)`},
		{"unknown section", "filters { }", `t.conf:1:1: unknown section "filters" (did you mean filter?)`},
		{"never closed", "filter {\n  mutate { id => \"x\" }\n", `t.conf:1:8: the { of this section filter is never closed (every { needs a })`},
		{"plugin never closed", "filter {\n  mutate {\n    id => \"x\"\n}\n", `t.conf:1:8: the { of this section filter is never closed (every { needs a })`},
		{"boolean literal", "filter { if [a] == true { drop {} } }", `t.conf:1:20: word true in a condition (there are no boolean literals: test the field alone, if [f] or if ![f], or compare with the text "true")`},
		{"xor beside and", "filter { if [a] xor [b] and [c] { drop {} } }", `t.conf:1:17: xor beside another operator (use parentheses)`},
		{"elsif", "filter { if [a] { } elsif [b] { } }", `t.conf:1:21: unknown word elsif (write else if)`},
		{"trailing comma", "filter { mutate { add_tag => [\"a\",] } }", `t.conf:1:35: comma before ] (remove the comma)`},
		{"double key", "filter { mutate { rename => { \"a\" => \"b\" \"a\" => \"c\" } } }", `t.conf:1:42: key "a" twice in one hash`},
		{"open string", "filter { mutate { id => \"x } }", `t.conf:1:25: the string that begins here never ends`},
		{"word needs quotes", "input { file { path => /var/log } }", `t.conf:1:24: value missing, found "/" (a path is written in quotes)`},
		{"dotted word", "output { elasticsearch { hosts => localhost:9200 } }", `t.conf:1:35: value localhost:... needs quotes (put it into quotes)`},
		{"big number", "input { tcp { port => 99999999999999999999 } }", `t.conf:1:23: number 99999999999999999999 is too large (put it into quotes)`},
		{"plugin in plugin", "filter { mutate { if [a] { drop { } } } }", `=> missing behind if`},
		{"and in C", "filter { if [a] && [b] { drop {} } }", `t.conf:1:17: unknown operator && (write and, or)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, errs := Parse("t.conf", tt.src)
			if len(errs) == 0 || !strings.Contains(errs.Error(), tt.want) {
				t.Errorf("got  %v\nwant %s", errs, tt.want)
			}
		})
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	t.Parallel()
	_, errs := Parse("t.conf", "filter {\n mutate { id = \"x\" }\n mutate { add_tag => [\"a\",] }\n if [a] == true { drop {} }\n grok { match => { \"a\" => \"b\", } }\n}\n")
	var lines []int
	for _, e := range errs {
		lines = append(lines, e.Line)
	}
	if len(errs) != 4 || lines[0] != 2 || lines[3] != 5 {
		t.Fatalf("%v", errs)
	}
	if d := errs[0].Detail(); !strings.Contains(d, "\n   mutate { id = \"x\" }\n"+strings.Repeat(" ", 15)+"^\n") {
		t.Errorf("detail is\n%s", d)
	}
}

func TestExpand(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"HOSTS": `["a", "b"]`, "Q": `"quoted"`, "E": ""}
	f := mustParse(t, `output { x { a => "${HOSTS}" b => "${Q}" c => "${NO:dflt}-${E}" d => "${GONE}" e => { "${Q}" => ["${NO:1}"] } f => "\n" } if [a] == "${NO:v}" { y {} } }`)
	errs := Expand(f, func(n string) (string, bool) { v, ok := vars[n]; return v, ok }, true)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "1:70: variable GONE is not set") {
		t.Errorf("errors %v", errs)
	}
	got := Print(f)
	for _, want := range []string{`a => ["a", "b"]`, `b => "quoted"`, `c => "dflt-"`, `["1"]`, `if [a] == "v"`, "f => \"\n\""} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is missing in\n%s", want, got)
		}
	}
}

func TestPrecedence(t *testing.T) {
	t.Parallel()
	f := mustParse(t, `filter { if [a] or [b] and [c] or [d] { } }`)
	x := f.Sections[0].Body[0].(*If).Branches[0].Cond.(*Logic)
	if x.Op != "or" || x.L.(*Logic).Op != "or" || x.L.(*Logic).R.(*Logic).Op != "and" {
		t.Error("and does not bind tighter than or")
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"add_tag", "add_field", "remove_field", "id"}
	for in, want := range map[string]string{"add_tags": "add_tag", "ad_dtag": "add_tag", "remove_feild": "remove_field", "zzz": "", "add": ""} {
		if got := Nearest(in, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzParse: any text gives a tree or errors, and a tree without errors survives printing.
func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add("filter { if [a] in [10] { } else if !([b] != 1.5) { x { y => [ { a => -1 } ] } } }")
	f.Add("input{a{b=>c{}}}#x")
	f.Fuzz(func(t *testing.T, src string) {
		if len(src) > 4096 {
			return
		}
		tree, errs := Parse("f", src)
		if len(errs) > 0 {
			return
		}
		text := Print(tree)
		again, errs := Parse("f", text)
		if len(errs) > 0 {
			t.Fatalf("%q prints as %q: %v", src, text, errs)
		}
		if a, b := shape(t, tree), shape(t, again); a != b {
			t.Fatalf("%q prints as %q\n%s\n%s", src, text, a, b)
		}
	})
}
