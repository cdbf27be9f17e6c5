package grok

import (
	"fmt"
	"testing"
)

func TestRegexp(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, text, want string }{
		{`a+`, "xaaay", "[1 4]"},
		{`^b`, "a\nb", "[2 3]"},
		{`a.b`, "a\nb", "[]"},
		{`(?m)a.b`, "a\nb", "[0 3]"},
		{`a$`, "a\nb", "[0 1]"},
		{`a\Z`, "a\n", "[0 1]"},
		{`a\z`, "a\n", "[]"},
		{`(a)|(b)`, "b", "[0 1 -1 -1 0 1]"},
		{`(?:(a)b|c)`, "ac", "[1 2 -1 -1]"},
		{`(?<x>a)(b)`, "ab", "[0 2 0 1]"},
		{`(a*)*b`, "aab", "[0 3 2 2]"},
		{`(a|ab)(c|bcd)(d*)`, "abcd", "[0 4 0 1 1 4 4 4]"},
		{`(?>a|ab)c`, "abc", "[]"},
		{`a++a`, "aaa", "[]"},
		{`a{2}+`, "aaaaa", "[0 4]"},
		{`a{,2}`, "aaa", "[0 2]"},
		{`a{,}`, "a{,}", "[0 4]"},
		{`x{a}`, "x{a}", "[0 4]"},
		{`a.?*b`, "axxb", "[0 4]"},
		{`a(?=b)`, "acab", "[2 3]"},
		{`a(?!b)`, "abac", "[2 3]"},
		{`(?<=b)a`, "aba", "[2 3]"},
		{`(?<=ab|c)x`, "abx", "[2 3]"},
		{`(?<!ab|c)x`, "abxcxdx", "[6 7]"},
		{`(?<=é)x`, "éx", "[2 3]"},
		{`(?i)straße`, "STRAßE", "[0 7]"},
		{`a(?i)b|c`, "aC", "[0 2]"},
		{`[a-c&&[^b]]+`, "bacab", "[1 4]"},
		{`[^a-z]`, "aéb", "[1 3]"},
		{`[[:alpha:]]+`, "1éa2", "[1 4]"},
		{`\bé`, "aé é", "[4 6]"},
		{`.{3}`, "éüö", "[0 6]"},
		{`(.*)(.+)`, "xé", "[0 3 0 1 1 3]"},
		{`(.*?)(.*)é$`, "aéé", "[0 5 0 0 0 3]"},
		{`(a)\1`, "abaa", "[2 4 2 3]"},
		{`(?<q>['"]).*?\k<q>`, `x"a'b"`, "[1 6 1 2]"},
		{`(?<n>\d)\g<n>`, "a12", "[1 3 2 3]"},
		{`(a)?(?(1)b|c)`, "c", "[0 1 -1 -1]"},
		{`(a)?(?(1)b|c)`, "ab", "[0 2 0 1]"},
		{`foo\Kbar`, "foobar", "[3 6]"},
		{`\h+`, "xyz09af", "[3 7]"},
		{`\R`, "a\r\nb", "[1 3]"},
		{`(?x) a b # c`, "ab", "[0 2]"},
		{`\p{Lu}\P{Lu}`, "aBc", "[1 3]"},
		{`\p{Han}+`, "ab漢字c", "[2 8]"},
		{`(?:x{10}){2,3}y`, "xxxxxxxxxxxxxxxxxxxxy", "[0 21]"},
		{`(?:ab?){9,12}?c`, "aaaaaaaaaac", "[0 11]"},
		{`(?:a?){20}`, "aa", "[0 2]"},
		{`(?:a*)*`, "b", "[0 0]"},
		{`(?:(?:a|b)?)*c`, "abc", "[0 3]"},
		{`x*`, "aaa", "[0 0]"},
		{`[]a]+`, "]a", "[0 2]"},
		{`[a\-z]+`, "-b", "[0 1]"},
		{`\xC3\xA9`, "é", "[0 2]"},
		{`\u00e9`, "é", "[0 2]"},
	} {
		re, err := CompileRegexp(c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		if got := fmt.Sprint(re.FindSubmatchIndex([]byte(c.text))); got != c.want {
			t.Errorf("%s on %q: got %s, want %s", c.expr, c.text, got, c.want)
		}
	}
}

func TestRegexpErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, want string }{
		{`a(b`, "column 2: this ( is not closed"},
		{`a)`, "column 2: unmatched )"},
		{`[a`, "column 1: this [ is not closed"},
		{`*a`, `column 1: nothing in front of '*' to repeat`},
		{`a\`, "column 2: pattern ends in a backslash"},
		{`é[z-a]`, `column 4: the range 'z' to 'a' is upside down`},
		{`(?~a)`, "column 1: the absence operator (?~) is not supported"},
		{`(?<=a+)b`, "column 1: a look-behind must have a fixed width"},
		{`a\2`, "column 2: group 2 does not exist"},
		{`(?<a>\g<a>)`, `column 6: \g calls itself: recursion is not supported`},
		{`\X`, `column 1: \X is not supported`},
		{`(?q)`, `column 3: unknown option 'q'`},
		{`\p{Klingon}`, `column 1: \p{Klingon} is not a known property`},
		{`a{3,2}`, "column 2: repeat {3,2} is upside down"},
		{`a{999999999}`, "column 2: repeat count 999999999 is larger than 100000"},
	} {
		_, err := CompileRegexp(c.expr)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.expr, err, c.want)
		}
	}
}

func TestReplaceAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ expr, text, template, want string }{
		{`(\w+)=(\w+)`, "a=b, c=d", `\2=\1`, "b=a, d=c"},
		{`(?<k>\w)`, "ab", `<\k<k>>`, "<a><b>"},
		{`x*`, "ab", "-", "-a-b-"},
		{`x*`, "axb", "-", "-a--b-"},
		{`é`, "aéb", `\\n`, `a\nb`},
		{`b`, "abc", "", "ac"},
		{`\s+`, " a  b ", " ", " a b "},
		{`z`, "abc", "x", "abc"},
	} {
		re, err := CompileRegexp(c.expr)
		if err != nil {
			t.Fatal(err)
		}
		got, err := re.ReplaceAll(nil, []byte(c.text), c.template)
		if err != nil || string(got) != c.want {
			t.Errorf("%s on %q: got %q %v, want %q", c.expr, c.text, got, err, c.want)
		}
	}
}
