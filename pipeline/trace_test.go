package pipeline

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/weirlog/weir/queue"
)

const traceConf = `
input { kafka { codec => json } }
filter {
  grok { match => { "message" => "%{WORD:a} %{INT:[n][i]:int}" } }
  if "_grokparsefailure" in [tags] { drop { } }
  mutate { id => "m" rename => { "a" => "b" } remove_field => ["message"] replace => { "[n][j]" => "%{b}" } }
  if [b] == "split" { split { field => "l" } }
}
output { elasticsearch { index => "i-%{b}" document_id => "%{[n][i]}" } if [b] == "x" { stdout { codec => line { format => "%{b}" } } } }
`

func TestTrace(t *testing.T) {
	t.Parallel()
	cfg := testConfig(traceConf, "", &bytes.Buffer{})
	var recs []queue.Record
	for _, s := range []string{`{"message":"x 5","deep":{"a":{"b":1}}}`, `{"message":"nope"}`, `{"message":"split 1","l":["p","q"]}`} {
		recs = append(recs, queue.Record{Topic: "t", Value: []byte(s), Time: testNow})
	}
	got, err := Trace(context.Background(), cfg, recs)
	if err != nil {
		t.Fatal(err)
	}
	first := got[0]
	if len(first.Steps) != 2 || len(first.Steps[0].Added) != 2 || first.Steps[0].Added[1].Field != "[n][i]" || string(first.Steps[0].Added[1].New) != "5" {
		t.Errorf("steps %+v", first.Steps)
	}
	if m := first.Steps[1]; m.ID != "m" || m.Place != "t.conf:6" || len(m.Removed) != 2 || m.Removed[0].Field != "[message]" || m.Removed[1].Field != "[a]" {
		t.Errorf("mutate did %+v", m)
	}
	if len(first.Outputs) != 2 || first.Outputs[0].Index != "i-x" || first.Outputs[0].ID != "5" || first.Outputs[0].Action != "index" || first.Outputs[1].Document != "x\n" {
		t.Errorf("outputs %+v", first.Outputs)
	}
	second := got[1]
	if second.Rule != "t.conf:5 drop" || !second.Steps[1].Dropped || strings.Join(second.Steps[0].Tags, "") != "_grokparsefailure" {
		t.Errorf("second record %+v", second)
	}
	third := got[2]
	if len(third.Outputs) != 2 || third.Steps[2].SplitInto != 2 || !third.Steps[2].Dropped {
		t.Errorf("third record %+v", third)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a := testConfig(traceConf, "", &bytes.Buffer{})
	b := testConfig(strings.Replace(traceConf, "drop { }", "mutate { add_tag => [\"kept\"] }", 1), "", &bytes.Buffer{})
	recs := []queue.Record{{Topic: "t", Value: []byte(`{"message":"x 5"}`)}, {Topic: "t", Value: []byte(`{"message":"nope"}`)}}
	c, err := Compare(context.Background(), a, b, recs)
	if err != nil {
		t.Fatal(err)
	}
	if c.Same != 1 || c.New != 1 || c.Lost != 0 || len(c.Differences) != 1 || c.Differences[0].Record != 1 {
		t.Errorf("comparison %+v", c)
	}
}
