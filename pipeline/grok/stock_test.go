package grok

import (
	"fmt"
	"strings"
	"testing"
)

// fields runs a pattern on a line and renders what it captured as "name=value" in the order of the pattern; ok is false for a miss.
func fields(t *testing.T, p *Pattern, line string) (string, bool) {
	t.Helper()
	m := p.NewMatcher()
	ok, err := m.Match([]byte(line))
	if err != nil {
		t.Fatalf("%s on %q: %v", p, line, err)
	}
	if !ok {
		return "", false
	}
	return rendered(m, line), true
}

func rendered(m *Matcher, line string) string {
	var out []string
	m.Each(func(i, from, to int) {
		c := m.p.captures[i]
		v := line[from:to]
		switch c.Type {
		case Int:
			v = fmt.Sprintf("%d:int", ToInt([]byte(v)))
		case Float:
			v = fmt.Sprintf("%g:float", ToFloat([]byte(v)))
		}
		out = append(out, c.Name+"="+v)
	})
	return strings.Join(out, " | ")
}

func TestEveryStockPatternCompiles(t *testing.T) {
	t.Parallel()
	for _, ecs := range []bool{false, true} {
		set := Stock(ecs)
		for _, name := range set.Names() {
			if _, err := set.Compile("%{"+name+"}", DefaultOptions()); err != nil {
				t.Errorf("ecs=%v %s: %v", ecs, name, err)
			}
		}
	}
}

const combined = `83.149.9.216 - frank [17/May/2015:10:05:03 +0000] "GET /a/b.png?x=1 HTTP/1.1" 200 203023 "http://example.com/" "Mozilla/5.0 (X11; Linux)"`

func TestHotPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ecs                 bool
		pattern, line, want string
	}{
		{false, "%{COMBINEDAPACHELOG}", combined, `clientip=83.149.9.216 | ident=- | auth=frank | timestamp=17/May/2015:10:05:03 +0000 | verb=GET | request=/a/b.png?x=1 | httpversion=1.1 | response=200 | bytes=203023 | referrer="http://example.com/" | agent="Mozilla/5.0 (X11; Linux)"`},
		{true, "%{COMBINEDAPACHELOG}", combined, `[source][address]=83.149.9.216 | [user][name]=frank | timestamp=17/May/2015:10:05:03 +0000 | [http][request][method]=GET | [url][original]=/a/b.png?x=1 | [http][version]=1.1 | [http][response][status_code]=200:int | [http][response][body][bytes]=203023:int | [http][request][referrer]=http://example.com/ | [user_agent][original]=Mozilla/5.0 (X11; Linux)`},
		{false, "%{SYSLOGLINE}", `Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0`, `timestamp=Jun 14 15:16:01 | logsource=combo | program=sshd(pam_unix) | pid=19939 | message=authentication failure; logname= uid=0`},
		{true, "%{SYSLOGLINE}", `Jun 14 15:16:01 combo sshd(pam_unix)[19939]: authentication failure; logname= uid=0`, `timestamp=Jun 14 15:16:01 | [host][hostname]=combo | [process][name]=sshd(pam_unix) | [process][pid]=19939:int | message=authentication failure; logname= uid=0`},
		{true, spring, `2025-03-04T09:00:00.581+09:00  INFO 4711 --- [nio-8080-exec-1] o.h.e.jdbc.Batch  : done in 3 ms`, `timestamp=2025-03-04T09:00:00.581+09:00 | log.level=INFO | process.pid=4711:int | thread=nio-8080-exec-1 | logger=o.h.e.jdbc.Batch | message=done in 3 ms`},
		{true, springTrace, `2025-03-04T09:00:00.581+09:00  INFO 4711 --- [story,64f1c2a0,8a7bffee] [nio-8080-exec-1] c.w.s.[.StoryController   : got 3: fine`, `timestamp=2025-03-04T09:00:00.581+09:00 | log.level=INFO | process.pid=4711:int | service.name=story | trace.id=64f1c2a0 | span.id=8a7bffee | thread=nio-8080-exec-1 | logger=c.w.s.[.StoryController | message=got 3: fine`},
		{true, springTrace, `2025-03-04T09:00:00.581+09:00 ERROR 4711 --- [story] [task [a] b] o.h.e.jdbc : x`, `timestamp=2025-03-04T09:00:00.581+09:00 | log.level=ERROR | process.pid=4711:int | service.name=story | thread=task [a] b | logger=o.h.e.jdbc | message=x`},
		{true, springTrace, `2025-03-04T09:00:00.581+09:00 ERROR 4711 --- [           main] o.h.e.jdbc : x`, `timestamp=2025-03-04T09:00:00.581+09:00 | log.level=ERROR | process.pid=4711:int | thread=main | logger=o.h.e.jdbc | message=x`},
	} {
		p, err := Stock(c.ecs).Compile(c.pattern, DefaultOptions())
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := fields(t, p, c.line); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.pattern, got, c.want)
		}
		for _, bad := range []string{"", "nothing of that sort", c.line[:8]} {
			if got, ok := fields(t, p, bad); ok {
				t.Errorf("%s matches %q: %s", c.pattern, bad, got)
			}
		}
	}
}

const springTrace = `%{TIMESTAMP_ISO8601:timestamp}\s+%{LOGLEVEL:log.level}\s+%{POSINT:process.pid:int} --- (?:\[(?<service.name>[^],\s]+)(?:,%{WORD:trace.id}?,%{WORD:span.id}?)?\] )?\[\s*%{DATA:thread}\]\s+%{NOTSPACE:logger}\s*: %{GREEDYDATA:message}`

const spring = `%{TIMESTAMP_ISO8601:timestamp}\s+%{LOGLEVEL:log.level}\s+%{POSINT:process.pid:int} --- \[\s*%{DATA:thread}\]\s+%{JAVACLASS:logger}\s*: %{GREEDYDATA:message}`
