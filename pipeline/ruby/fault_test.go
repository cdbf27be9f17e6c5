package ruby

import (
	"strings"
	"testing"
)

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ src, want string }{
		{"x = ", "1:5: a value expected, found the end"},
		{"a = 1\n  b = (2", "2:9: ) expected, found the end"},
		{"if x", "1:5: end expected"},
		{"1 +* 2", "1:4: a value expected"},
		{"\"abc", "1:1: the string that begins here does not end"},
		{"x = %w[a", "1:7: the string that begins here does not end"},
		{"File.open('x')", "1:1: File is not supported"},
		{"Time.frob", "1:6: \"Time.frob\" is not supported (supported: at gm iso8601"},
		{"@@x = 1", "1:1: class variables"},
		{"def self.x; end", "1:5: def self.name is not supported"},
		{"module A; end", "1:1: defining a module is not supported"},
		{"case 1\nin Integer then 2\nend", "2:1: case with patterns"},
		{"[1].each { |x| foo(x) }", "1:16: \"foo\" is neither"},
		{"\"#{bar(1)}\"", "1:4: \"bar\" is neither"},
		{"x = <<~A\n abc", "1:5: the heredoc does not end with A"},
		{"1 = 2", "1:1: this cannot be assigned to"},
		{"eval('1')", "1:1: \"eval\" is neither"},
		{"x = 'é'; y.z", "1:10: \"y\" is neither"},
		{"Kernel.exit", "1:8: \"Kernel.exit\" is not supported"},
		{strings.Repeat("[", 300), "nested deeper than"},
		{"x = 1\nx" + strings.Repeat(".abs", 3000), "a chain of too many calls"},
		{"undef x", "1:1: undef is not supported"},
		{"/(?<n>/", "1:2: regular expression"},
		{"{ a: 1", "1:7: , expected, found the end"},
		{"|", "1:1: a value expected"},
		{"end", "1:1: unexpected \"end\""},
	} {
		if got := eval(t, tt.src); !strings.HasPrefix(got, "fault ") || !strings.Contains(got, tt.want) {
			t.Errorf("%.40s\n got  %s\n want %s", tt.src, got, tt.want)
		}
	}
}

// TestLimits: hostile or careless code ends by its budget of steps, bytes and depth.
func TestLimits(t *testing.T) {
	t.Parallel()
	for _, src := range []string{"loop { }", "while true; end", "i = 0; i += 1 until false", "def f; f; end; f", "a = []; loop { a << a.dup }", "s = 'x'; loop { s << s }",
		"'x' * 1_000_000_000", "[0] * 1_000_000_000", "(1..10_000_000_000).to_a", "Array.new(1_000_000_000, 0)", "10 ** 10_000 * 10 ** 10_000",
		"x = 2; loop { x = x * x }", "f = ->(g) { g.call(g) }; f.call(f)", "begin; loop { }; rescue Exception; 1; ensure; 2; end", "1 << 100_000_000",
		"a = []; a[0] = a; a.flatten", "a = []; a << a; a.to_s", "h = {}; h[:h] = h; h.to_json", "a = (1..5000).to_a; a.each { a.each { |x| a.index(-1) } }",
		"'a'.ljust(1_000_000_000)", "retries = 0; begin; raise 'x'; rescue; retry; end", "1.step(2, 0.0000001) { }", "a = [1]; a.each { |x| a << x }",
		"s = 'ab' * 100_000; 1000.times { s.gsub(/b/) { 'x' * 100 } }", "a = [1]; a[1_000_000_000] = 1", "(1..).each { }", "'a'.upto('zzzzzzzz').to_a",
		"a = (1..400).to_a; a.combination(200).to_a", "s = 'a' * 100_000; s.split('').each { |c| s.include?('b' * 50_000) }"} {
		got := eval(t, src)
		if !strings.HasPrefix(got, "LimitExceeded") && !strings.Contains(got, "Error: ") {
			t.Errorf("%s gave %.60s", src, got)
		}
	}
}

// TestMethodsAcrossSources: what init defines, code may call; an exception tells the line of its own source.
func TestMethodsAcrossSources(t *testing.T) {
	t.Parallel()
	p := New("two", testEnv())
	code, faults := p.Compile(Source{Text: "@n = 5\ndef twice(x)\n  x * 2\nend\n", Init: true}, Source{Text: "\ntwice(v) + @n", Params: []string{"v"}})
	if code == nil {
		t.Fatal(faults)
	}
	if _, exc := code[0].Call(Run{}); exc != nil {
		t.Fatal(exc)
	}
	if v, exc := code[1].Call(Run{}, int64(4)); v != int64(13) {
		t.Fatal(v, exc)
	}
	if _, exc := code[1].Call(Run{}, nil); exc == nil || exc.Line != 3 || exc.Class != "NoMethodError" {
		t.Fatal(exc)
	}
	if p.Writes() {
		t.Error("code that only reads was taken for one that writes")
	}
}

func TestWrites(t *testing.T) {
	t.Parallel()
	for src, want := range map[string]bool{"x = @a": false, "@a = 1": true, "@a << 1": true, "@a[:k] ||= 2": true, "$n += 1": true, "@h.each { |k, v| k }": false,
		"event.set('a', @list.include?(1))": false, "@h['x'].delete('y')": true, "a = [1]; a << 2": false} {
		p := New("w", testEnv())
		p.Compile(Source{Text: src, Params: []string{"event"}})
		if p.Writes() != want {
			t.Errorf("%s: writes %v", src, p.Writes())
		}
	}
}

func FuzzRuby(f *testing.F) {
	f.Add("[1, 2].map { |x| x * 2 }.select(&:even?).each_with_index { |a, (b, c)| \"#{a}#{b}\" }")
	f.Add("case x = 5 when 1..3 then :a when /x/i then 'b' else nil end; begin raise 'x' rescue => e; e.message ensure 1 end")
	f.Add("h = { a: 1, 'b' => [1, *[2, 3]] }; h.each { |k, v| next if v == 1; h[k] ||= v }; s = <<~E\n a #{h}\nE\ns =~ /(?<n>\\w+)/; $~[:n]")
	f.Add("def f(a, b = 1, *c, d:, e: 2, **g, &h) = a; f(1, d: 2) ? ->(x) { x&.y } : %w[a b].inject(:+)")
	f.Add("format('%05.2f %-10s %x', 1.5, 'a', 255).gsub(/(\\d)/, '<\\1>').tr('a-y', 'b-z').unpack('C*').pack('U*')")
	f.Add("Time.at(0).utc.strftime('%F %T %-d %^a'); DateTime.strptime('2020', '%Y'); JSON.parse('[1]').to_json; 7.divmod(-2)")
	f.Fuzz(func(t *testing.T, src string) {
		p := New("fuzz", testEnv())
		code, _ := p.Compile(Source{Text: src})
		if code == nil {
			return
		}
		if v, exc := code[0].Call(Run{}); exc == nil {
			_ = v
		}
	})
}
