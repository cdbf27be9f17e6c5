package demo

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

var springLine = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d) +(INFO|WARN|ERROR|DEBUG) \d+ --- \[(api|notifications|stories)\] \[[^\]]{15}\] \[( {49}|[0-9a-f]{32}-[0-9a-f]{16})\] \S+ *: .+`)

func TestLinesAreSpringBoots(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p, err := Open(Config{Dir: dir, Rate: 10, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	n, err := p.Write(5000, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	var events, causes int64
	for _, s := range services {
		f, err := os.Open(filepath.Join(dir, s+".log"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for sc := bufio.NewScanner(f); sc.Scan(); {
			line := sc.Text()
			if len(line) > 4 && line[0] == '2' && line[4] == '-' {
				events++
				if !springLine.MatchString(line) {
					t.Fatalf("%s: not a Spring Boot line: %q", s, line)
				}
			} else if len(line) > 10 && line[:10] == "Caused by:" {
				causes++
			}
		}
	}
	if events != n || n < 5000 {
		t.Errorf("%d events in the files, %d written", events, n)
	}
	if causes == 0 {
		t.Error("no stack trace has a cause")
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a.log")
	l, err := openLog(path)
	if err != nil {
		t.Fatal(err)
	}
	l.size = rotateBytes
	if err := l.write([]byte("one\n")); err != nil {
		t.Fatal(err)
	}
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	if err := l.write([]byte("two\n")); err != nil {
		t.Fatal(err)
	}
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{path: "two\n", path + ".1": "one\n"} {
		if b, err := os.ReadFile(name); err != nil || string(b) != want {
			t.Errorf("%s = %q, %v; want %q", filepath.Base(name), b, err, want)
		}
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{Rate: 0}, {Rate: 1, Burst: -1}, {Rate: 2_000_000}} {
		c.Dir = t.TempDir()
		if _, err := Open(c); err == nil {
			t.Errorf("%+v was accepted", c)
		}
	}
}
