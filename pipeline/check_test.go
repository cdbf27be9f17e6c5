package pipeline

import (
	"bytes"
	"strings"
	"testing"
)

func TestRemarks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`if [a] in ["x"] { drop { } }`: "a list of one",
		`if [a] { }`:                   "nothing happens in this branch",
		`grok { match => { "message" => "%{WORD:message} x" } }`:   "message is captured into itself",
		`grok { match => { "message" => "%{WORD:a} %{DATA:b}" } }`: "always matches nothing",
		`if [clientip] == "1.2.3.4" { drop { } }`:                  "clientip is a name of Logstash 7",
		`mutate { add_tag => "x" enable_metric => false }`:         "enable_metric of mutate has no effect here",
		`translate { field => "a" dictionary => { "x" => "y" } }`:  "option field of translate is deprecated",
	} {
		cfg := testConfig("input { stdin { } } filter { "+text+" } output { stdout { } }", "", &bytes.Buffer{})
		errs := Check(cfg)
		if len(errs) != 1 || !errs[0].Warning || !strings.Contains(errs[0].Msg, want) {
			t.Errorf("%s: %v, want %s", text, errs, want)
		}
	}
	cfg := testConfig("input { kafka { } } output { elasticsearch { } stdout { } }", "", &bytes.Buffer{})
	if got := Check(cfg).Error(); !strings.Contains(got, "codec => json") || !strings.Contains(got, "output stdout may repeat") {
		t.Errorf("remarks %s", got)
	}
}
