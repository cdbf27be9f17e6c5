package agent

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// model writes numbered lines to log files, rotates them in every way, stops and kills the agent, and knows which lines must come out.
type model struct {
	*harness
	rng     *rand.Rand
	streams []*stream
	running bool
	multi   bool // lines are joined: the last message of a log waits for more
	trace   []string
}

// stream is a service that writes one log.
type stream struct {
	name string       // app0.log
	n    int          // lines written
	half string       // the rest of a line of which the beginning is in the file
	must []int        // lines that must come out
	text []string     // of line n at n-1
	old  bool         // the agent knows the log, or a rotation of it
	may  map[int]bool // lines that nobody could know of: written and truncated away unseen
}

func (m *model) note(format string, args ...any) {
	m.trace = append(m.trace, fmt.Sprintf(format, args...))
	if m.cfg.Log != nil {
		m.cfg.Log.Debug("model: " + m.trace[len(m.trace)-1])
	}
}

func (m *model) line(s *stream) string {
	s.n++
	s.must = append(s.must, s.n)
	l := fmt.Sprintf("%s %06d %s", s.name, s.n, strings.Repeat("x", m.rng.IntN(200)))
	for m.multi && m.rng.IntN(3) == 0 {
		l += "\n  at " + strings.Repeat("y", m.rng.IntN(100))
	}
	s.text = append(s.text, l)
	return l
}

// appends writes lines, at times half of the last one.
func (m *model) appends(s *stream) {
	var b strings.Builder
	if s.half != "" {
		b.WriteString(s.half)
		s.half = ""
	}
	for range m.rng.IntN(60) {
		b.WriteString(m.line(s) + "\n")
	}
	if m.rng.IntN(3) == 0 {
		l := m.line(s) + "\n"
		cut := 1 + m.rng.IntN(len(l)-1)
		b.WriteString(l[:cut])
		s.half = l[cut:]
	}
	if b.Len() > 0 {
		m.write(s.name, b.String())
	}
}

// finishLine ends a half line, as a service does before it opens a new file.
func (m *model) finishLine(s *stream) {
	if s.half != "" {
		m.write(s.name, s.half)
		s.half = ""
	}
}

func (m *model) exists(name string) bool {
	_, err := os.Stat(m.path(name))
	return err == nil
}

// shift renames name.1 to name.2 and so on; what is third goes. Nothing unread is ever third in this model.
func (m *model) shift(s *stream) {
	if m.exists(s.name + ".2") {
		if m.multi { // the last message waits for more lines, and may be in what goes
			m.finishLine(s)
			m.write(s.name, m.line(s)+"\n")
		}
		m.settled(s)
		if err := os.Remove(m.path(s.name + ".2")); err != nil {
			m.t.Fatal(err)
		}
	}
	if m.exists(s.name + ".1") {
		m.rename(s.name+".1", s.name+".2")
	}
}

// settled waits until everything that must come out of s has.
func (m *model) settled(s *stream) {
	m.t.Helper()
	m.up()
	m.finishLine(s)
	last := s.n
	for m.multi && last == s.n || s.may[last] {
		last--
	}
	m.await("all lines of "+s.name, func() bool { return last <= 0 || m.seen(s)[last] })
	s.old = s.n > 0
}

func (m *model) seen(s *stream) map[int]bool {
	out := map[int]bool{}
	for _, msg := range m.q.messages() {
		if rest, ok := strings.CutPrefix(msg, s.name+" "); ok {
			n, _ := strconv.Atoi(rest[:6])
			out[n] = true
		}
	}
	return out
}

func (m *model) up() {
	if !m.running {
		m.cfg.timing.kill = false
		m.start()
		m.running = true
	}
}

func (m *model) down(kill bool) {
	if m.running {
		m.a.cfg.timing.kill = kill
		m.stop()
		m.running = false
	}
}

func (m *model) rotate(s *stream) {
	if !m.exists(s.name) {
		return
	}
	m.finishLine(s)
	if !s.old {
		for m.multi && s.n < 2 { // the first message comes when the second does
			m.write(s.name, m.line(s)+"\n")
		}
		m.settled(s) // a first look digs up no history
	}
	m.shift(s)
	m.rename(s.name, s.name+".1")
	if m.rng.IntN(3) == 0 { // the service writes on for a while
		m.note("late line")
		m.write(s.name+".1", m.line(s)+"\n")
	}
}

func (m *model) copytruncate(s *stream) {
	if !m.exists(s.name) {
		return
	}
	m.finishLine(s)
	m.settled(s) // what the agent has not even looked at cannot be proven to be in the copy
	m.shift(s)
	if m.rng.IntN(2) == 0 {
		m.down(m.rng.IntN(2) == 0)
		m.note("two lines while down")
		m.write(s.name, m.line(s)+"\n"+m.line(s)+"\n")
	}
	m.copyFile(s.name, s.name+".1")
	m.truncate(s.name)
}

func (m *model) remove(s *stream) {
	if !m.exists(s.name) || m.multi { // a message that waits for more lines would go with the file
		return
	}
	m.settled(s)
	if err := os.Remove(m.path(s.name)); err != nil {
		m.t.Fatal(err)
	}
	s.old = false
}

// truncateOnly empties the file without a copy, at times while the agent is down, and at times with lines nobody has seen.
func (m *model) truncateOnly(s *stream) {
	if !m.exists(s.name) || m.multi {
		return
	}
	m.finishLine(s)
	m.settled(s)
	if m.rng.IntN(2) == 0 {
		m.down(m.rng.IntN(2) == 0)
	}
	if m.rng.IntN(4) == 0 {
		m.note("a line nobody may see")
		m.write(s.name, m.line(s)+"\n")
		s.may[s.n] = true
	}
	m.truncate(s.name)
	if m.rng.IntN(2) == 0 {
		m.appends(s)
	}
}

// recreate removes the file and makes a new one at once, which may get the same inode.
func (m *model) recreate(s *stream) {
	if !m.exists(s.name) || m.multi {
		return
	}
	m.finishLine(s)
	m.settled(s)
	if m.rng.IntN(2) == 0 {
		m.down(m.rng.IntN(2) == 0)
	}
	if err := os.Remove(m.path(s.name)); err != nil {
		m.t.Fatal(err)
	}
	m.appends(s)
}

func (m *model) compress(s *stream) {
	if !m.exists(s.name+".1") || m.exists(s.name+".1.gz") {
		return
	}
	m.settled(s)
	m.gzip(s.name+".1", s.name+".1.gz")
	if m.rng.IntN(2) == 0 && !m.multi {
		if err := os.Remove(m.path(s.name + ".1.gz")); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *model) step() {
	s := m.streams[m.rng.IntN(len(m.streams))]
	m.note("%s at line %d", s.name, s.n)
	switch p := m.rng.IntN(100); {
	case p < 55:
		m.note("appends")
		m.appends(s)
	case p < 67:
		m.note("rotate")
		m.rotate(s)
	case p < 73:
		m.note("copytruncate")
		m.copytruncate(s)
	case p < 75:
		m.note("remove")
		m.remove(s)
	case p < 77:
		m.note("recreate")
		m.recreate(s)
	case p < 79:
		m.note("truncate")
		m.truncateOnly(s)
	case p < 82:
		m.note("compress")
		m.compress(s)
	case p < 90:
		m.note("up")
		m.up()
	default:
		m.note("down, kill %t", p < 95)
		m.down(p < 95)
	}
}

// check compares what came out with what must: each line once, in order.
func (m *model) check() {
	m.t.Helper()
	for _, s := range m.streams {
		m.settled(s)
		var got []int
		for _, msg := range m.q.messages() {
			if rest, ok := strings.CutPrefix(msg, s.name+" "); ok {
				n, _ := strconv.Atoi(rest[:6])
				got = append(got, n)
				if msg != s.text[n-1] {
					m.t.Fatalf("%s: line %d is %q, want %q\n%s", s.name, n, msg, s.text[n-1], strings.Join(m.trace, "\n"))
				}
			}
		}
		got = slices.DeleteFunc(got, func(n int) bool { return s.may[n] && n > 0 })
		must := slices.DeleteFunc(slices.Clone(s.must), func(n int) bool { return s.may[n] })
		if m.multi && len(got) == len(must)-1 {
			got = append(got, s.n)
		}
		if !slices.Equal(got, must) {
			m.t.Fatalf("%s: %s\n%s", s.name, diff(got, must), strings.Join(m.trace, "\n"))
		}
	}
}

func diff(got, want []int) string {
	for i := range want {
		if i >= len(got) || got[i] != want[i] {
			return fmt.Sprintf("%d lines, want %d; from %d on %v, want %v", len(got), len(want), i, got[i:min(len(got), i+8)], want[i:min(len(want), i+8)])
		}
	}
	return fmt.Sprintf("%d lines, want %d; too many: %v", len(got), len(want), got[len(want):])
}

// modelSeeds is the number of runs; more by the environment, for a longer search.
func modelSeeds() uint64 {
	n, err := strconv.ParseUint(os.Getenv("WEIR_AGENT_SEEDS"), 10, 32)
	if err != nil {
		return 8
	}
	return n
}

func TestModel(t *testing.T) {
	t.Parallel()
	first, _ := strconv.ParseUint(os.Getenv("WEIR_AGENT_FIRST"), 10, 32)
	for seed := first; seed < first+modelSeeds(); seed++ {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			m := &model{harness: newHarness(t), rng: rand.New(rand.NewPCG(seed, 7))}
			if m.rng.IntN(2) == 0 {
				m.cfg.Inputs[0].Paths = []string{filepath.Join(m.dir, "*.log*")}
			}
			for i := range 1 + m.rng.IntN(3) {
				m.streams = append(m.streams, &stream{name: fmt.Sprintf("app%d.log", i), may: map[int]bool{}})
			}
			if m.rng.IntN(3) == 0 {
				m.multi = true
				m.cfg.Inputs[0].Parsers = []Parser{{Multiline: &Multiline{Type: "pattern", Pattern: `^\s`, Match: "after", MaxLines: 500}}}
			}
			m.up()
			for range 60 {
				m.step()
			}
			m.check()
		})
	}
}
