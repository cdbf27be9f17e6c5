package main

import (
	"strings"
	"testing"
)

func TestCheckText(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, kind, want string }{
		{"main.conf", "input { stdin {} }\nfilter { grok { matchh => {} } }\noutput { stdout {} }\n", "pipeline", "matchh"},
		{"only.conf", "filter { mutate { lowercase => [\"a\"] } }", "pipeline", ""},
		{"filebeat.yml", "filebeat.inputs:\n  - type: filestream\n    id: a\n    paths: [/tmp/none/*.log]\n    no_such_key: 1\noutput.console: {}\n", "filebeat", "no_such_key"},
		{"weir.yml", "listen:\n  nothing_such: 1\n", "weir", "nothing_such"},
		{"weir.yml", "a: [", "weir", ""},
	} {
		kind, found, err := checkText(c.name, []byte(c.text))
		if err != nil || kind != c.kind {
			t.Errorf("%s: kind %q, %v", c.name, kind, err)
		}
		all := ""
		for _, p := range found {
			all += p.Message + "\n"
			if strings.Contains(p.File, "/") || p.Line == 0 && c.want != "" {
				t.Errorf("%s: %+v", c.name, p)
			}
		}
		if !strings.Contains(all, c.want) {
			t.Errorf("%s: %q lacks %q", c.name, all, c.want)
		}
	}
}
