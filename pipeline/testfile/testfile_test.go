package testfile

import (
	"strings"
	"testing"
)

const text = `Lines of the web server.
now: 2026-11-22T12:00:00Z
ecs: disabled
env: ZONE=Asia/Seoul
# a remark: no setting
-- ok.in --
one

two
-- ok.out --
{"a":{"b":1,"c":[1,2]},"@timestamp":"x"}
-- bad.in --
three
`

func TestParse(t *testing.T) {
	t.Parallel()
	f, err := Parse("a.test", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if f.ECS != "disabled" || f.Now.Hour() != 12 || f.Env["ZONE"] != "Asia/Seoul" || f.Conf != "" {
		t.Errorf("settings %+v", f)
	}
	cases := f.Cases()
	if len(cases) != 2 || cases[0].Name != "ok" || strings.Join(cases[0].In, "|") != "one|two" || len(cases[0].Out) != 1 || len(cases[1].Out) != 0 {
		t.Fatalf("cases %+v", cases)
	}
	if string(f.Format()) != text {
		t.Errorf("written back it is\n%s", f.Format())
	}
	f.Expect(cases[0], []string{`{"a":2}`})
	f.Expect(f.Cases()[1], []string{`{"b":3}`})
	want := strings.Replace(text, `{"a":{"b":1,"c":[1,2]},"@timestamp":"x"}`, `{"a":2}`, 1) + "-- bad.out --\n{\"b\":3}\n"
	if string(f.Format()) != want {
		t.Errorf("with other events it is\n%s", f.Format())
	}
}

func TestParseFaults(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                           "no case",
		"now: yesterday\n-- in --\n": "a.test:1:",
		"ecs: v7\n-- in --\n":        "want disabled, v1 or v8",
		"env: X\n-- in --\n":         "want NAME=value",
		"-- in --\na\n-- in --\nb\n": "a.test:3: part in is there twice",
	} {
		if _, err := Parse("a.test", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	c := Case{Name: "c", Out: []string{`{"a":{"b":1},"l":[1],"t":"x","@metadata":{"k":"v"}}`, `{"x":1}`}}
	diffs, err := c.Compare([]string{`{"@timestamp":"now","@version":"1","a":{"b":2,"new":null},"l":[1],"@metadata":{"k":"v","more":1}}`})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range diffs {
		got = append(got, d.String())
	}
	want := "event 1: [a][b] is 2, want 1\nevent 1: [a][new] is null, should not be there\nevent 1: [t] is missing, want \"x\"\nevent 2 is missing: {\"x\":1}"
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
	if _, err := (Case{Out: []string{"{"}}).Compare([]string{"{}"}); err == nil {
		t.Error("a broken expectation was taken")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(text))
	f.Fuzz(func(t *testing.T, b []byte) {
		tf, err := Parse("a.test", b)
		if err != nil {
			return
		}
		again, err := Parse("a.test", tf.Format())
		if err != nil || string(again.Format()) != string(tf.Format()) {
			t.Errorf("%v", err)
		}
	})
}
