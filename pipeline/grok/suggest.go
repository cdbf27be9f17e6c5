package grok

import (
	"fmt"
	"slices"
	"strings"
)

// wholeLines are stock patterns of whole lines, the most telling first.
var wholeLines = []string{"COMBINEDAPACHELOG", "COMMONAPACHELOG", "HTTPD_ERRORLOG", "HAPROXYHTTP", "HAPROXYTCP", "SYSLOG5424LINE", "CISCO_TAGGED_SYSLOG %{GREEDYDATA:message}", "S3_ACCESS_LOG",
	"ELB_ACCESS_LOG", "CATALINALOG", "TOMCATLOG", "NAGIOSLOGLINE", "REDISLOG", "MONGO3_LOG", "RUBY_LOGGER", "BIND9", "SQUID3", "SYSLOGLINE"}

// parts are what a line is made of, the most telling first; each with the name of the field.
var parts = []struct{ name, field string }{{"TIMESTAMP_ISO8601", "timestamp"}, {"HTTPDATE", "timestamp"}, {"SYSLOGTIMESTAMP", "timestamp"}, {"DATESTAMP_RFC2822", "timestamp"},
	{"DATESTAMP_OTHER", "timestamp"}, {"DATESTAMP", "timestamp"}, {"TIME", "time"}, {"UUID", "id"}, {"MAC", "mac"}, {"IP", "ip"}, {"EMAILADDRESS", "email"}, {"URI", "url"}, {"LOGLEVEL", "level"},
	{"NUMBER", "number"}, {"QUOTEDSTRING", "text"}, {"UNIXPATH", "path"}, {"JAVACLASS", "class"}, {"WORD", "word"}, {"NOTSPACE", "field"}}

// Bounds of Suggest.
const (
	suggestLines = 50
	suggestParts = 40 // of a pattern
	suggestBytes = 4096
)

// Suggest proposes a pattern that matches all lines: a stock one of whole lines, or one made of what the lines have in common from left to
// right. It looks at the first fifty lines. It is "" when nothing fits.
func (s *Set) Suggest(lines []string) string {
	var sample []string
	for _, l := range lines {
		if l = strings.TrimRight(l, "\r\n"); l != "" && len(l) <= suggestBytes && len(sample) < suggestLines {
			sample = append(sample, l)
		}
	}
	if len(sample) == 0 {
		return ""
	}
	for _, name := range wholeLines {
		pattern := "%{" + name
		if !strings.Contains(name, "}") {
			pattern += "}"
		}
		if name == "SYSLOGLINE" && !s.fitsAll(`\A(?:<\d+>)?%{SYSLOGTIMESTAMP} `, sample) {
			continue // with ECS names it takes nearly every line that begins with a time
		}
		if s.fitsAll(`\A`+pattern+`\Z`, sample) {
			return pattern
		}
	}
	b := &builder{set: s, lines: sample, at: make([]int, len(sample)), used: map[string]int{}}
	return b.build()
}

func (s *Set) fitsAll(pattern string, lines []string) bool {
	p, err := s.Compile(pattern, DefaultOptions())
	if err != nil {
		return false
	}
	m := p.NewMatcher()
	for _, l := range lines {
		if ok, err := m.Match([]byte(l)); !ok || err != nil {
			return false
		}
	}
	return true
}

// builder walks over all lines at once.
type builder struct {
	set      *Set
	lines    []string
	at       []int // byte of each line
	used     map[string]int
	matchers []*Matcher
	out      strings.Builder
	words    int // free words in a row
	sentence int // where they begin in out
}

func (b *builder) build() string {
	for _, p := range parts {
		c, err := b.set.Compile(`\A(?:%{`+p.name+`})`, DefaultOptions())
		if err != nil {
			return ""
		}
		b.matchers = append(b.matchers, c.NewMatcher())
	}
	for range suggestParts {
		if b.ended() {
			return b.out.String()
		}
		if !b.literal() && !b.part() {
			break
		}
		if b.words >= 3 { // a sentence
			break
		}
	}
	if b.ended() {
		return b.out.String()
	}
	out := b.out.String()
	switch {
	case b.words > 0: // what began as a sentence is one to its end
		out = out[:b.sentence]
	case !strings.HasSuffix(out, " ") && !strings.HasSuffix(out, "SPACE}") && b.blank():
		out += " "
	}
	return out + "%{GREEDYDATA:message}"
}

// blank reports that every line goes on with a blank.
func (b *builder) blank() bool {
	for i, l := range b.lines {
		if b.at[i] >= len(l) || l[b.at[i]] != ' ' {
			return false
		}
	}
	return true
}

func (b *builder) ended() bool {
	for i, l := range b.lines {
		if b.at[i] < len(l) {
			return false
		}
	}
	return true
}

// literal takes what stands in every line: signs, and with several lines words.
func (b *builder) literal() bool {
	first := b.lines[0][b.at[0]:]
	n := 0
	for n < len(first) && !wordByte(first[n]) && first[n] != '"' && first[n] != '/' && first[n] < 0x80 && !(first[n] == '-' && n+1 < len(first) && first[n+1]-'0' <= 9) {
		n++
	}
	if n == 0 && len(b.lines) > 1 {
		for n < len(first) && wordByte(first[n]) && first[n]-'0' > 9 {
			n++
		}
		if n < len(first) && (wordByte(first[n]) || first[n] == '.') { // not a whole word, or the beginning of a name with dots
			n = 0
		}
		if !b.differ() {
			n = 0 // equal lines tell nothing of what changes
		}
	}
	for i, l := range b.lines {
		n = min(n, common(first, l[b.at[i]:]))
	}
	if n == 0 || wordByte(first[0]) && n < len(first) && wordByte(first[n]) {
		return false
	}
	spaces := strings.Count(first[:n], " ") == n
	switch {
	case spaces && b.runs(n):
		b.out.WriteString("%{SPACE}")
	default:
		b.out.WriteString(QuoteRegexp(first[:n]))
		b.move(func(int) int { return n })
		if wordByte(first[0]) {
			b.words = 0
		}
	}
	return true
}

// runs passes blanks of different lengths; false when all are n long.
func (b *builder) runs(n int) bool {
	length := func(i int) int {
		rest := b.lines[i][b.at[i]:]
		return len(rest) - len(strings.TrimLeft(rest, " "))
	}
	for i := range b.lines {
		if length(i) != n {
			b.move(length)
			return true
		}
	}
	return false
}

func (b *builder) differ() bool {
	return slices.ContainsFunc(b.lines, func(l string) bool { return l != b.lines[0] })
}

func (b *builder) move(n func(i int) int) {
	for i := range b.at {
		b.at[i] += n(i)
	}
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' || c >= 0x80
}

// bracket takes what stands between brackets when the opening one was just passed.
func (b *builder) bracket() bool {
	ends := make([]int, len(b.lines))
	for i, l := range b.lines {
		if ends[i] = strings.IndexByte(l[b.at[i]:], ']'); ends[i] < 1 {
			return false
		}
	}
	fmt.Fprintf(&b.out, "%%{DATA:%s}", b.name(len(parts)-1))
	b.move(func(i int) int { return ends[i] })
	b.words = 0
	return true
}

// part takes the first kind of thing that stands at every line's place, whole.
func (b *builder) part() bool {
	inside := strings.HasSuffix(b.out.String(), `\[`)
	for k, p := range parts {
		ends := make([]int, len(b.lines))
		fits := true
		for i, l := range b.lines {
			rest := l[b.at[i]:]
			ok, err := b.matchers[k].Match([]byte(rest))
			if !ok || err != nil {
				fits = false
				break
			}
			_, to := b.matchers[k].Span()
			if inside && (to >= len(rest) || rest[to] != ']') {
				fits = false
				break
			}
			if p.name == "JAVACLASS" && !strings.Contains(rest[:to], ".") {
				fits = false
				break
			}
			if ends[i] = to; to == 0 || to < len(rest) && wordByte(rest[to]) && wordByte(rest[to-1]) {
				fits = false
				break
			}
		}
		if !fits {
			continue
		}
		if b.words == 0 {
			b.sentence = b.out.Len()
		}
		b.words++
		if p.name != "WORD" && p.name != "NOTSPACE" {
			b.words = 0
		}
		fmt.Fprintf(&b.out, "%%{%s:%s%s}", p.name, b.name(k), map[bool]string{true: ":float"}[p.name == "NUMBER"])
		b.move(func(i int) int { return ends[i] })
		return true
	}
	return inside && b.bracket()
}

// name is the field of a part; the word in front of an equals sign or colon is a better one.
func (b *builder) name(k int) string {
	name := parts[k].field
	before := strings.TrimRight(b.out.String(), `=:\" `)
	if tail := b.out.String()[len(before):]; strings.ContainsAny(tail, "=:") && !strings.HasSuffix(before, "}") {
		from := len(before)
		for from > 0 && wordByte(before[from-1]) {
			from--
		}
		if w := before[from:]; w != "" && w[0]-'0' > 9 {
			name = strings.ToLower(w)
		}
	}
	if b.used[name]++; b.used[name] > 1 {
		return fmt.Sprintf("%s%d", name, b.used[name])
	}
	return name
}
