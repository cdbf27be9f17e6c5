package pipeline

import (
	"bytes"
	"strings"
	"testing"
)

func TestLints(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ conf, want string }{
		{`filter { grok { match => { "message" => "^%{WORD:a} %{DATA:b}" } } }`, "a lazy pattern at the end"},
		{`filter { grok { match => { "message" => "^%{DATA:b} %{WORD:a}" } } }`, ""},
		{`filter { grok { match => { "message" => ["%{GREEDYDATA:a} %{WORD:b}"] } } }`, "begins with anything"},
		{`filter { grok { match => { "message" => "^%{WORD:a} %{GREEDYDATA:message}" } } }`, `write overwrite => ["message"]`},
		{`filter { grok { match => { "message" => "^%{WORD:a} %{GREEDYDATA:message}" } overwrite => ["message"] } }`, ""},
		{`filter { mutate { lowercase => ["a"] rename => { "b" => "a" } } }`, "rename is done before lowercase"},
		{`filter { mutate { rename => { "b" => "a" } lowercase => ["a"] } }`, ""},
		{`filter { mutate { gsub => ["x", "a", "b"] convert => { "a" => "integer" } } }`, ""},
		{`output { elasticsearch { index => "logs-%{[user][id]}" } }`, "may have too many"},
		{`output { elasticsearch { index => "logs-%{type}-%{+yyyy.MM.dd}" } }`, ""},
		{`output { elasticsearch { index => "logs-%{+YYYY.ww}" } }`, "weeks go with xxxx"},
		{`filter { if [a] in ["b"] { } }`, "a list of one"},
	} {
		text := tt.conf
		if !strings.Contains(text, "output") {
			text += " output { null { } }"
		}
		got := Check(testConfig("input { generator { } } "+text, "", &bytes.Buffer{})).Error()
		if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.conf, got, tt.want)
		}
	}
}
