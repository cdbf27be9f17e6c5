package pipeline

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// testNow is what pipelines in tests take for now.
var testNow = time.Date(2026, 11, 22, 23, 50, 0, 0, time.UTC)

func testConfig(text, in string, out *bytes.Buffer) Config {
	cfg := DefaultConfig()
	cfg.Text = []Source{{"t.conf", text}}
	cfg.Workers = 2
	cfg.Stdin = strings.NewReader(in)
	cfg.Stdout = out
	cfg.Now = func() time.Time { return testNow }
	cfg.Log = slog.New(slog.DiscardHandler)
	cfg.Lookup = func(string) (string, bool) { return "", false }
	return cfg
}

// run runs a configuration over lines until they end.
func run(t testing.TB, cfg Config) *Pipeline {
	t.Helper()
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	p.poison = true
	if err := p.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestStdinToStdout(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	run(t, testConfig(`
		input { stdin { codec => json } }
		filter {
			grok { match => { "message" => "%{TIMESTAMP_ISO8601:ts} +%{LOGLEVEL:[log][level]} %{GREEDYDATA:message}" } overwrite => ["message"] }
			date { match => ["ts", "ISO8601"] timezone => "Asia/Seoul" remove_field => ["ts"] }
			if [log][level] == "DEBUG" { drop { } } else { mutate { add_field => { "n" => "%{[log][level]}-%{+yyyy}" } lowercase => ["[log][level]"] } }
		}
		output { stdout { codec => json_lines } }`,
		`{"message":"2026-11-22T10:00:00.123 INFO hello"}
{"message":"2026-11-22T10:00:00.124 DEBUG drop me"}
{"message":"no match","@timestamp":"2026-01-02T03:04:05Z"}
broken
`, &out))
	want := `{"@timestamp":"2026-11-22T01:00:00.123Z","@version":"1","message":"hello","log":{"level":"info"},"n":"info-2026"}
{"@timestamp":"2026-01-02T03:04:05.000Z","@version":"1","message":"no match","tags":["_grokparsefailure"],"n":"%{[log][level]}-2026"}
`
	got := out.String()
	if !strings.HasPrefix(got, want) || !strings.Contains(got, `{"@timestamp":"2026-11-22T23:50:00.000Z","@version":"1","message":"broken","tags":["_jsonparsefailure","_grokparsefailure"]`) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
