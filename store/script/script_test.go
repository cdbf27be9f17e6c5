package script

import (
	"math"
	"testing"
)

func TestScripts(t *testing.T) {
	t.Parallel()
	env := map[string]Value{"a": 6.0, "b": 4.0, "none": nil, "values": []float64{1, 2, math.NaN(), 6}, "s": "x"}
	for _, c := range []struct {
		src  string
		want Value
	}{
		{"1 + 2 * 3", 7.0}, {"(1 + 2) * 3", 9.0}, {"params.a / params.b", 1.5}, {"params['a'] % b", 2.0}, {"a > b && b >= 4", true},
		{"a < b || !(a == 6)", false}, {"a > b ? 'big' : 'small'", "big"}, {"none ?: 5", 5.0}, {"params.none == null", true},
		{"Math.max(a, b) - Math.abs(-2)", 4.0}, {"-a + +b", -2.0}, {"def x = a * 2; return x + 1;", 13.0}, {"'a' + 'b'", "ab"},
		{"MovingFunctions.sum(values)", 9.0}, {"MovingFunctions.unweightedAvg(values)", 3.0}, {"MovingFunctions.max(values)", 6.0},
		{"MovingFunctions.min([])", math.NaN()}, {"MovingFunctions.linearWeightedAvg(values)", 23.0 / 6}, {"(long) 2.7", 2.0}, {"1.5e2", 150.0},
		{"MovingFunctions.stdDev(values, MovingFunctions.unweightedAvg(values))", math.Sqrt(14.0 / 3)}, {"MovingFunctions.ewma([1,3], 0.5)", 2.0},
		{"1 / 0", math.Inf(1)}, {"true != false", true}, {"Math.PI > 3", true}, {"2147483648L", 2147483648.0},
	} {
		s, err := Compile(c.src)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		got, err := s.Run(env)
		f, isNum := got.(float64)
		w, _ := c.want.(float64)
		if same := got == c.want || isNum && (math.IsNaN(f) && math.IsNaN(w) || math.Abs(f-w) < 1e-12); err != nil || !same {
			t.Errorf("%s = %v, %v, want %v", c.src, got, err, c.want)
		}
	}
	for _, src := range []string{"", "1 +", "for (;;) {}", "params", "Math.nope(1)", "'x", "1 2", "doc['f'].value", "return 1; 2", "((((", "a ? 1"} {
		if _, err := Compile(src); err == nil {
			t.Errorf("%q compiles", src)
		}
	}
	for _, src := range []string{"nope + 1", "s * 2", "!a", "none + 1", "a && true"} {
		if s, err := Compile(src); err != nil {
			t.Errorf("%q: %v", src, err)
		} else if v, err := s.Run(env); err == nil {
			t.Errorf("%q = %v", src, v)
		}
	}
}

func FuzzScript(f *testing.F) {
	f.Add("def x = params.a * 2; return x > 1 ? Math.max(x, 2) : MovingFunctions.sum([1,2])")
	f.Fuzz(func(t *testing.T, src string) {
		if s, err := Compile(src); err == nil {
			_, _ = s.Run(map[string]Value{"a": 1.0})
		}
	})
}
