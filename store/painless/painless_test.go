package painless

import (
	"errors"
	"strings"
	"testing"
)

func run1(t *testing.T, src, ctx string) (any, *Map, error) {
	t.Helper()
	v, err := ParseJSON([]byte(ctx))
	if err != nil {
		t.Fatal(err)
	}
	s, err := Compile(src)
	if err != nil {
		return nil, nil, err
	}
	m := v.(*Map)
	p, _ := ParseJSON([]byte(`{"n":3,"list":["a","b"]}`))
	out, err := s.Run(map[string]any{"ctx": m, "params": p})
	return out, m, err
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ src, want string }{
		{"1 + 2 * 3", "7"},
		{"7 / 2", "3"},
		{"7 / 2.0", "3.5"},
		{"-7 % 3", "-1"},
		{"1 == 1.0", "true"},
		{"'a' + 1 + true + null", "a1truenull"},
		{"(int) 3.9", "3"},
		{"(1 + 2) * params.n", "9"},
		{"ctx.a?.b?.c", "null"},
		{"ctx.x ?: 'none'", "none"},
		{"ctx.s == 'abc' && ctx.n > 4 || false", "true"},
		{"ctx.l[1] + ctx.l.size() + ctx['n']", "10"},
		{"def x = 0; for (int i = 0; i < 5; i++) { if (i == 1) continue; if (i == 4) break; x += i } return x", "5"},
		{"int s = 0; for (def v : ctx.l) { s += v } s", "6"},
		{"int s = 0; for (v in ctx.l) s += v; return s", "6"},
		{"def m = ['a': 1, 'b': [1, 2]]; m.c = m.b.size(); m", "{a=1, b=[1, 2], c=2}"},
		{"def s = ''; for (e in ctx.m.entrySet()) { s += e.key + '=' + e.getValue() + ';' } s", "k=v;"},
		{"ctx.s.substring(1).toUpperCase() + 'x'.repeat(3)", "BCxxx"},
		{"'a,b,,c'.splitOnToken(',')", "[a, b, , c]"},
		{"Math.max(1, 2.5) + Math.round(2.5) + Math.abs(-3)", "8.5"},
		{"Integer.parseInt('42') + Double.parseDouble('0.5')", "42.5"},
		{"int i = 0; do { i++ } while (i < 3); i", "3"},
		{"def l = new ArrayList(); l.add(3); l.add(0, 1); l.remove(0); l.contains(3)", "true"},
		{"ctx.l instanceof List && !(ctx.s instanceof Map)", "true"},
		{"def b = new StringBuilder(); b.append('x').append(1); b.toString()", "x1"},
		{"5 & 3 | 8 ^ 1 << 2", "13"},
		{"1 > 0 ? 'y' : 'n'", "y"},
		{"/* c */ 1 // two", "1"},
		{"1.5e10", "1.5E10"},
		{"def i = 1; i++ + i", "3"},
		{"0x1F", "31"},
		{"", "null"},
	} {
		out, _, err := run1(t, c.src, `{"s":"abc","n":5,"l":[1,2,3],"m":{"k":"v"},"x":null}`)
		if err != nil || Text(out) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.src, Text(out), err, c.want)
		}
	}
}

func TestChanges(t *testing.T) {
	t.Parallel()
	_, m, err := run1(t, `ctx._source.n += params.n; ctx._source.tags.add('x'); ctx._source.remove('gone'); ctx._source.a = ['b': 1.0]; if (ctx._source.n > 4) { ctx.op = 'none' }`,
		`{"_source":{"n":2,"tags":["y"],"gone":1},"op":"index"}`)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(AppendJSON(nil, m)), `{"_source":{"n":5,"tags":["y","x"],"a":{"b":1.0}},"op":"none"}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		src, typ, reason string
		compile          bool
	}{
		{"ctx.none.x", "null_pointer_exception", "cannot access method/field [x] from a null def reference", false},
		{"1 / 0", "arithmetic_exception", "/ by zero", false},
		{"while (true) {}", "painless_error", "maximum number of statements", false},
		{"def s = 'x'; while (true) { s += s }", "painless_error", "too much data", false},
		{"nobody + 1", "illegal_argument_exception", "cannot resolve symbol [nobody]", true},
		{"1 +", "illegal_argument_exception", "unexpected end of script", true},
		{"foo(1)", "illegal_argument_exception", "Unknown call [foo]", true},
		{"ctx.l.removeIf(x -> x > 1)", "illegal_argument_exception", "lambdas are not supported", true},
		{"ctx.s =~ /a/", "illegal_argument_exception", "Regexes are not supported", true},
		{"throw new IllegalArgumentException('no')", "illegal_argument_exception", "no", false},
		{"int x = 'a'", "class_cast_exception", "Cannot cast from [java.lang.String] to [int].", false},
		{"ctx.l[7]", "index_out_of_bounds_exception", "Index 7 out of bounds for length 1", false},
		{"'a'.nothing()", "illegal_argument_exception", "dynamic method [java.lang.String, nothing/0] not found", false},
		{strings.Repeat("(", 500), "illegal_argument_exception", "nested too deeply", true},
	} {
		_, _, err := run1(t, c.src, `{"s":"abc","l":[1]}`)
		var e *Error
		if !errors.As(err, &e) || e.Type != c.typ || !strings.Contains(e.Reason, c.reason) || e.Compile != c.compile {
			t.Errorf("%.40s: %+v, want %s %s", c.src, err, c.typ, c.reason)
		}
	}
}

// TestSelfReference: a list in itself is neither printed nor compared for ever.
func TestSelfReference(t *testing.T) {
	t.Parallel()
	out, m, err := run1(t, "ctx.l.add(ctx.l); def x = ctx.l + ''; return ctx.l == ctx.m", `{"l":[],"m":[]}`)
	if err != nil || out != false {
		t.Errorf("%v %v", out, err)
	}
	if Check(m) == nil {
		t.Error("a list that contains itself passes")
	}
}

// FuzzScript: any text compiles or not, and a run ends, without a panic.
func FuzzScript(f *testing.F) {
	for _, s := range []string{"ctx.a = 1", "for (x in ctx.l) { ctx.n += x }", "def m = ['a':[1,2,[:]]]; m['a'][0]++", "if (!(ctx?.s instanceof String)) return 'x' ?: null", "(int) 1.5 + 0x1fL - .5e-3", "ctx.l.add(ctx.l)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		s, err := Compile(src)
		if err != nil {
			return
		}
		v, _ := ParseJSON([]byte(`{"s":"abc","n":5,"l":[1,2,3],"m":{"k":"v"}}`))
		s.Run(map[string]any{"ctx": v, "params": NewMap()})
	})
}
