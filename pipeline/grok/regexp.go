package grok

import (
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// regexpTimeout is the wall limit of one match of a Regexp.
const regexpTimeout = 10 * time.Second

// Regexp is a compiled regular expression, for conditions, replacements and the like. Unlike in a grok pattern, the dot does not take
// newlines unless (?m) says so, and %{NAME} has no meaning. A Regexp is safe for concurrent use: it keeps machines in a pool.
type Regexp struct {
	text   string
	prog   *program
	names  []string // of group 1 and on, "" for an unnamed one
	byName map[string][]int
	pool   sync.Pool
}

// CompileRegexp reads an expression. The error is an *Error.
func CompileRegexp(expr string) (*Regexp, error) {
	ps := &parser{text: expr}
	tree, err := ps.parse()
	if err != nil {
		return nil, err
	}
	r := &resolver{text: expr, keep: true}
	if tree, err = r.resolve(tree); err != nil {
		return nil, err
	}
	re := &Regexp{text: expr, names: r.names, byName: r.byName}
	if re.prog, err = compile(expr, simplify(tree), len(r.names), false); err != nil {
		return nil, err
	}
	re.pool.New = func() any {
		m := &machine{timeout: regexpTimeout}
		m.init(re.prog)
		return m
	}
	return re, nil
}

// QuoteRegexp escapes what has a meaning in an expression.
func QuoteRegexp(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(`\.+*?()|[]{}^$#-`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// String returns the expression as it was written.
func (re *Regexp) String() string { return re.text }

// NumGroups returns the number of capturing groups.
func (re *Regexp) NumGroups() int { return len(re.names) }

// GroupNames returns the names of group 1 and on, "" for an unnamed one. The slice is the Regexp's own.
func (re *Regexp) GroupNames() []string { return re.names }

// GroupIndex returns the number of the last group of a name, 0 when there is none.
func (re *Regexp) GroupIndex(name string) int {
	l := re.byName[name]
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1] + 1
}

// Match says whether b holds a match. A match that exceeds its limits counts as none.
func (re *Regexp) Match(b []byte) bool {
	m := re.pool.Get().(*machine)
	ok, _ := m.search(b, 0)
	re.pool.Put(m)
	return ok
}

// Find returns the places of the first match that starts at or behind at, appended to dst: start and end of the match, then of each
// group, -1 for a group that took no part. Without a match it returns nil. ErrTimeout says that the search was given up.
func (re *Regexp) Find(dst []int, b []byte, at int) ([]int, error) {
	if at > len(b) {
		return nil, nil
	}
	m := re.pool.Get().(*machine)
	defer re.pool.Put(m)
	ok, err := m.search(b, at)
	if !ok {
		return nil, err
	}
	dst = append(dst, m.from, m.to)
	for i := 0; i < len(m.caps); i += 2 {
		from, to := m.caps[i], m.caps[i+1]
		if to < 0 || from < 0 {
			from, to = -1, -1
		}
		dst = append(dst, int(from), int(to))
	}
	return dst, nil
}

// FindSubmatchIndex is Find from the start of b into a new slice; a search that was given up finds nothing.
func (re *Regexp) FindSubmatchIndex(b []byte) []int {
	loc, _ := re.Find(nil, b, 0)
	return loc
}

// ReplaceAll appends b to dst with every match replaced. The template knows \0 to \9, \k<name> and \\ as Ruby's gsub does.
func (re *Regexp) ReplaceAll(dst, b []byte, template string) ([]byte, error) {
	var buf [32]int
	done, at := 0, 0
	for at <= len(b) {
		loc, err := re.Find(buf[:0], b, at)
		if err != nil {
			return nil, err
		}
		if loc == nil {
			break
		}
		dst = append(dst, b[done:max(loc[0], done)]...)
		dst = re.Expand(dst, b, loc, template)
		done = loc[1]
		at = done
		if loc[1] <= loc[0] { // an empty match: one character stays and is stepped over
			_, w := utf8.DecodeRune(b[done:])
			at = done + max(w, 1)
			dst = append(dst, b[done:min(at, len(b))]...)
			done = min(at, len(b))
		}
	}
	if done < len(b) {
		dst = append(dst, b[done:]...)
	}
	return dst, nil
}

// ReplaceFirst is ReplaceAll for the first match only.
func (re *Regexp) ReplaceFirst(dst, b []byte, template string) ([]byte, error) {
	loc, err := re.Find(nil, b, 0)
	if err != nil {
		return nil, err
	}
	if loc == nil {
		return append(dst, b...), nil
	}
	dst = append(dst, b[:loc[0]]...)
	dst = re.Expand(dst, b, loc, template)
	return append(dst, b[loc[1]:]...), nil
}

// Expand appends the template, filled with the groups of loc.
func (re *Regexp) Expand(dst, b []byte, loc []int, template string) []byte {
	for i := 0; i < len(template); i++ {
		c := template[i]
		if c != '\\' || i+1 == len(template) {
			dst = append(dst, c)
			continue
		}
		i++
		switch c = template[i]; {
		case c >= '0' && c <= '9':
			dst = appendGroup(dst, b, loc, int(c-'0'))
		case c == '&':
			dst = appendGroup(dst, b, loc, 0)
		case c == '\\':
			dst = append(dst, '\\')
		case c == 'k' && strings.HasPrefix(template[i+1:], "<"):
			name, _, ok := strings.Cut(template[i+2:], ">")
			if !ok {
				dst = append(dst, '\\', c)
				continue
			}
			dst = appendGroup(dst, b, loc, re.groupOf(name, loc))
			i += len(name) + 2
		default:
			dst = append(dst, '\\', c)
		}
	}
	return dst
}

// groupOf returns the last group of a name that took part, or a group by its number.
func (re *Regexp) groupOf(name string, loc []int) int {
	groups := re.byName[name]
	for i := len(groups) - 1; i >= 0; i-- {
		if g := groups[i] + 1; loc[2*g] >= 0 {
			return g
		}
	}
	if num, err := strconv.Atoi(name); err == nil && len(groups) == 0 {
		return num
	}
	return -1
}

func appendGroup(dst, b []byte, loc []int, g int) []byte {
	if g < 0 || 2*g+1 >= len(loc) || loc[2*g] < 0 {
		return dst
	}
	return append(dst, b[loc[2*g]:loc[2*g+1]]...)
}
