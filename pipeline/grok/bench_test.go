package grok

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// Lines are made from a fixed seed, so that figures of two runs compare. WEIR_CORPORA names a folder of real ones.

func apacheLines(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	paths := []string{"/", "/index.html", "/presentations/logstash-monitorama-2013/images/kibana-search.png", "/reset.css", "/blog/tags/puppet?flav=rss20", "/images/jordan-80.png"}
	refs := []string{"-", "http://semicomplete.com/presentations/logstash-monitorama-2013/", "http://www.google.com/url?sa=t&q=xdotool"}
	agents := []string{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "UniversalFeedParser/4.2-pre-314-svn +http://feedparser.org/"}
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `%d.%d.%d.%d - - [17/May/2015:10:%02d:%02d +0000] "GET %s HTTP/1.1" %d %d "%s" "%s"`,
			1+r.IntN(223), r.IntN(256), r.IntN(256), r.IntN(256), r.IntN(60), r.IntN(60), paths[r.IntN(len(paths))], 200+r.IntN(2)*104, r.IntN(300000), refs[r.IntN(len(refs))], agents[r.IntN(len(agents))])
	}
	return out
}

func syslogLines(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `Jun %2d %02d:%02d:%02d combo sshd(pam_unix)[%d]: authentication failure; logname= uid=0 euid=0 tty=NODEVssh ruser= rhost=%d.%d.%d.4 `,
			1+r.IntN(30), r.IntN(24), r.IntN(60), r.IntN(60), 1+r.IntN(32000), r.IntN(256), r.IntN(256), r.IntN(256))
	}
	return out
}

func springLines(n int) [][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	levels := []string{" INFO", " INFO", "DEBUG", " WARN", "ERROR"}
	loggers := []string{"o.s.b.w.embedded.tomcat.TomcatWebServer  ", "o.h.e.jdbc.batch.internal.AbstractBatch  ", "com.example.story.StoryController        "}
	out := make([][]byte, n)
	for i := range out {
		out[i] = fmt.Appendf(nil, `2025-03-04T%02d:%02d:%02d.%03d+09:00 %s %d --- [nio-8080-exec-%d] %s : Completed request %d for user %d in %d ms with status OK`,
			r.IntN(24), r.IntN(60), r.IntN(60), r.IntN(1000), levels[r.IntN(len(levels))], 1+r.IntN(32000), r.IntN(10), loggers[r.IntN(len(loggers))], r.IntN(1e6), r.IntN(1e4), r.IntN(100))
	}
	return out
}

func benchmark(b *testing.B, ecs bool, pattern string, lines [][]byte, want bool) {
	p, err := Stock(ecs).Compile(pattern, DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	m := p.NewMatcher()
	total := 0
	for _, l := range lines {
		total += len(l)
		if ok, err := m.Match(l); ok != want || err != nil {
			b.Fatalf("match is %v, want %v: %q %v", ok, want, l, err)
		}
	}
	b.SetBytes(int64(total / len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		_, _ = m.Match(lines[i])
		if i++; i == len(lines) {
			i = 0
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
}

func BenchmarkApache(b *testing.B) {
	benchmark(b, false, "%{COMBINEDAPACHELOG}", apacheLines(2000), true)
}
func BenchmarkApacheECS(b *testing.B) {
	benchmark(b, true, "%{COMBINEDAPACHELOG}", apacheLines(2000), true)
}
func BenchmarkSyslog(b *testing.B)    { benchmark(b, false, "%{SYSLOGLINE}", syslogLines(2000), true) }
func BenchmarkSyslogECS(b *testing.B) { benchmark(b, true, "%{SYSLOGLINE}", syslogLines(2000), true) }
func BenchmarkSpring(b *testing.B)    { benchmark(b, true, spring, springLines(2000), true) }

// A line that does not match: with a literal that it lacks, and without.
func BenchmarkMiss(b *testing.B) {
	for _, c := range []struct{ name, pattern string }{
		{"literal", "%{COMBINEDAPACHELOG}"}, {"spring", spring}, {"nothing", `%{IP:a} %{WORD:b} %{NUMBER:c}$`}, {"syslog", "%{SYSLOGLINE}"},
	} {
		lines := syslogLines(100)
		if c.name == "syslog" {
			lines = springLines(100)
			for i := range lines {
				lines[i] = bytes.ReplaceAll(lines[i], []byte("2025-"), []byte("2025/"))
			}
		}
		b.Run(c.name, func(b *testing.B) { benchmark(b, false, c.pattern, lines, false) })
	}
}

// BenchmarkCorpora runs over real lines, matching or not.
func BenchmarkCorpora(b *testing.B) {
	dir := os.Getenv("WEIR_CORPORA")
	if dir == "" {
		b.Skip("WEIR_CORPORA names no folder")
	}
	for _, c := range []struct{ file, pattern string }{
		{"apache_access.log", "%{COMBINEDAPACHELOG}"}, {"Linux_2k.log", "%{SYSLOGLINE}"}, {"OpenSSH_2k.log", "%{SYSLOGLINE}"},
		{"Apache_2k.log", "%{HTTPD20_ERRORLOG}"},
	} {
		b.Run(c.file, func(b *testing.B) { benchmarkFile(b, filepath.Join(dir, c.file), c.pattern) })
	}
}

func benchmarkFile(b *testing.B, name, pattern string) {
	text, err := os.ReadFile(name)
	if err != nil {
		b.Skip(err)
	}
	lines := bytes.Split(bytes.TrimRight(text, "\r\n"), []byte("\n"))
	p, err := Stock(false).Compile(pattern, DefaultOptions())
	if err != nil {
		b.Fatal(err)
	}
	m := p.NewMatcher()
	hits := 0
	for _, l := range lines {
		if ok, _ := m.Match(l); ok {
			hits++
		}
	}
	b.SetBytes(int64(len(text) / len(lines)))
	i := 0
	for b.Loop() {
		_, _ = m.Match(lines[i])
		if i++; i == len(lines) {
			i = 0
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lines/s")
	b.ReportMetric(100*float64(hits)/float64(len(lines)), "%hits")
}

func BenchmarkCompile(b *testing.B) {
	for _, name := range []string{"COMBINEDAPACHELOG", "SYSLOGLINE", "HAPROXYHTTP", "NAGIOSLOGLINE", "BACULA_LOGLINE", "WORD"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Stock(true).Compile("%{"+name+"}", DefaultOptions()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSpringTrace(b *testing.B) {
	lines := springLines(2000)
	for i, l := range lines {
		lines[i] = bytes.Replace(l, []byte("--- ["), []byte("--- [story,64f1c2a0b7,8a7bffee01] ["), 1)
	}
	benchmark(b, true, springTrace, lines, true)
}
