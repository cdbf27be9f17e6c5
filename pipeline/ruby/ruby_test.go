package ruby

import (
	"io"
	"log/slog"
	"os"
	osexec "os/exec"
	"strings"
	"testing"
	"time"
)

func testEnv() Env {
	return Env{Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return time.Unix(1795391400, 250e6) }, Hostname: "box",
		Getenv: func(k string) string { return map[string]string{"STAGE": "test"}[k] }}
}

// eval runs a source and gives its value as Ruby shows it, or the exception.
func eval(t *testing.T, src string) string {
	t.Helper()
	p := New("test", testEnv())
	code, faults := p.Compile(Source{Text: src})
	if len(faults[0]) > 0 {
		return "fault " + faults[0][0].Error()
	}
	v, exc := code[0].Call(Run{})
	if exc != nil {
		return exc.Class + ": " + exc.Message
	}
	p.vm.steps, p.vm.bytes = maxSteps, maxBytes
	return p.vm.inspect(v)
}

// cases are snippets with their values: "snippet -> value" a line, blocks of several lines between lines of dashes.
func cases(t *testing.T) (l [][2]string) {
	t.Helper()
	text, err := os.ReadFile("testdata/values.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "## ") {
			continue
		}
		i := strings.LastIndex(line, " -> ")
		if i < 0 {
			t.Fatalf("no value: %s", line)
		}
		l = append(l, [2]string{strings.ReplaceAll(line[:i], " ⏎ ", "\n"), line[i+4:]})
	}
	return l
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range cases(t) {
		if got := eval(t, c[0]); got != c[1] {
			t.Errorf("%s\n got  %s\n want %s", c[0], got, c[1])
		}
	}
}

// TestAgainstRuby runs the same snippets in a real Ruby, when the machine has one.
func TestAgainstRuby(t *testing.T) {
	t.Parallel()
	ruby, err := osexec.LookPath("ruby")
	if err != nil {
		t.Skip("no ruby on this machine")
	}
	var script strings.Builder
	script.WriteString("require 'json'; require 'base64'; require 'digest'; require 'time'; require 'date'; require 'uri'; require 'cgi'; require 'ipaddr'; require 'bigdecimal'\nENV['TZ']='UTC'\n")
	list := cases(t)
	for _, c := range list {
		script.WriteString("begin; x = (lambda do\n" + c[0] + "\nend).call; puts x.inspect.gsub(\"\\n\", '\\n')\nrescue Exception => e; puts e.class.name + ': ' + e.message.lines.first.to_s.chomp\nend\n")
	}
	cmd := osexec.Command(ruby, "-W0", "-")
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("ruby: %v\n%s", err, out)
	}
	got := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(got) != len(list) {
		t.Fatalf("ruby gave %d values for %d snippets", len(got), len(list))
	}
	for i, c := range list {
		if got[i] != c[1] {
			t.Errorf("%s\n ruby %s\n here %s", c[0], got[i], c[1])
		}
	}
}
