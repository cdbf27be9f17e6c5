package grok

import (
	"encoding/json"
	"testing"
)

func TestTry(t *testing.T) {
	t.Parallel()
	p, err := Stock(true).Compile(`%{IP:ip} %{WORD:verb} %{NUMBER:n:int} %{NUMBER:f:float}`, DefaultOptions())
	if err != nil {
		t.Fatal(err)
	}
	for line, want := range map[string]string{
		"x 10.0.0.1 GET 7 1.5 y": `{"line":"x 10.0.0.1 GET 7 1.5 y","matched":true,"from":2,"to":20,"fields":[{"name":"ip","value":"10.0.0.1","from":2,"to":10},{"name":"verb","value":"GET","from":11,"to":14},{"name":"n","value":7,"from":15,"to":16},{"name":"f","value":1.5,"from":17,"to":20}]}`,
		"10.0.0.1 GET seven":     `{"line":"10.0.0.1 GET seven","matched":false,"from":0,"to":0,"miss":{"prefix":"%{IP:ip} %{WORD:verb} ","rest":"%{NUMBER:n:int} %{NUMBER:f:float}","from":0,"furthest":13,"expected":"\".\"","name":"BASE10NUM"}}`,
	} {
		got, _ := json.Marshal(p.Try(line))
		if string(got) != want {
			t.Errorf("%s\n got  %s\n want %s", line, got, want)
		}
	}
}

func TestSuggest(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		lines []string
		want  string
	}{
		{[]string{`1.2.3.4 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 23 "-" "curl/8"`}, "%{COMBINEDAPACHELOG}"},
		{[]string{"Jan  2 03:04:05 box sshd[77]: Accepted key", "Jan 12 03:04:05 box cron: x"}, "%{SYSLOGLINE}"},
		{[]string{"2026-01-02 03:04:05,678 INFO  [main] com.example.App: started in 3 s", "2026-01-02 03:04:06,001 ERROR [worker-1] com.example.Job: failed"},
			`%{TIMESTAMP_ISO8601:timestamp} %{LOGLEVEL:level}%{SPACE}\[%{DATA:field}\] %{JAVACLASS:class}: %{GREEDYDATA:message}`},
		{[]string{"user=alice took=12 ip=10.0.0.1", "user=bob took=7 ip=10.0.0.2"}, `user=%{WORD:user} took=%{NUMBER:took:float} ip=%{IP:ip}`},
		{[]string{"the quick brown fox"}, "%{GREEDYDATA:message}"},
		{nil, ""}, {[]string{"", "\n"}, ""},
	} {
		got := Stock(true).Suggest(tt.lines)
		if got != tt.want {
			t.Errorf("%q\n got  %s\n want %s", tt.lines, got, tt.want)
		}
		if got != "" && !Stock(true).fitsAll(got, tt.lines) {
			t.Errorf("%s does not match the lines it was made of", got)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("a=1 b=2", "a=3 b=x")
	f.Add("2026-01-02T03:04:05Z INFO x", "[2026] \"q\" /p")
	f.Fuzz(func(t *testing.T, a, b string) {
		lines := []string{a, b}
		if p := Stock(true).Suggest(lines); p != "" {
			if _, err := Stock(true).Compile(p, DefaultOptions()); err != nil {
				t.Fatalf("%q gives %s: %v", lines, p, err)
			}
		}
	})
}
