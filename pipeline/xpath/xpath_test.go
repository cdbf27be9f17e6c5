package xpath

import (
	"strings"
	"testing"
)

const doc = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE order><!-- a comment -->
<order id="7" xmlns:x="urn:x"><item n="1" price="2.5">tea &amp; milk</item><item n="2" price="10"><b>bread</b></item><x:note lang="en"><![CDATA[<fast>]]></x:note><empty/></order>`

// show is a value as the filter xml would set it.
func show(v Value) string {
	l, ok := v.([]*Node)
	if !ok {
		return str(v)
	}
	var out []string
	for _, n := range l {
		out = append(out, n.String())
	}
	return strings.Join(out, "|")
}

func TestEval(t *testing.T) {
	t.Parallel()
	root, err := Parse(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range [][2]string{
		{"/order/item/text()", "tea &amp; milk"}, {"//item[2]/b", "<b>bread</b>"}, {"//item[@n='1']/@price", "2.5"}, {"/order/@id", "7"}, {"count(//item)", "2"},
		{"sum(//@price)", "12.5"}, {"string(//item[1])", "tea & milk"}, {"//item[last()]/@n", "2"}, {"//item[position()<2]/@n", "1"}, {"//b/..//@n", "2"},
		{"//x:note/text()", "&lt;fast&gt;"}, {"//note", ""}, {"//*[local-name()='note']/@lang", "en"}, {"name(//x:note)", "x:note"}, {"/order/*[3]/@lang", "en"},
		{"//item[contains(., 'milk')]/@n", "1"}, {"//item[starts-with(b, 'br')]/@n", "2"}, {"//item[@price > 3 and @n = 2]/@n", "2"}, {"//item/@n | //x:note/@lang", "1|2|en"},
		{"concat('a', /order/@id, \"b\")", "a7b"}, {"substring('12345', 2, 3)", "234"}, {"translate('bar','abc','AB')", "BAr"}, {"normalize-space('  a  b ')", "a b"},
		{"not(//missing)", "true"}, {"1 + 2 * 3", "7"}, {"7 mod 4", "3"}, {"10 div 4", "2.5"}, {"-3", "-3"}, {"//item[1]/following-sibling::item/@n", "2"},
		{"//item[2]/preceding-sibling::*/@n", "1"}, {"//b/ancestor::order/@id", "7"}, {"descendant::b/text()", "bread"}, {"(//item)[2]/@n", "2"}, {"//empty", "<empty/>"},
		{"/", strings.TrimSpace(root.String())}, {"//item[not(@n=1)]/@price", "10"}, {"//@*[.='en']", "en"}, {"string-length('äb')", "2"}, {"substring-before('a=b','=')", "a"},
		{"substring-after('a=b','=')", "b"}, {"round(2.5)", "3"}, {"floor(-1.5)", "-2"}, {"/order/item/@n = 2", "true"}, {"boolean(//nothing)", "false"}, {"//self::b", "<b>bread</b>"},
	} {
		x, err := Compile(tt[0])
		if err != nil {
			t.Errorf("%s: %v", tt[0], err)
			continue
		}
		if v, err := x.Eval(root, nil); err != nil || show(v) != tt[1] {
			t.Errorf("%s = %q, %v; want %q", tt[0], show(v), err, tt[1])
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"//item[": "column 8", "foo(1)": "function foo is not supported", "/a/": "a name is missing", "following::a": "axis following",
		"'abc": "the text does not end", "a b": "unexpected", "count()": "takes 1 to 1", strings.Repeat("(", 500): "too deep", "": "missing at the end", "a:": "a name is missing"} {
		if _, err := Compile(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v, want %s", text, err, want)
		}
	}
	for _, text := range []string{"", "text", "<a>", "<a></b>", "<a><b></a></b>", "</a>", "<a>&evil;</a>", "<a b=1/>", strings.Repeat("<a>", 300), "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>"} {
		if n, err := Parse(text); err == nil {
			t.Errorf("%.30s was read as %s", text, n)
		}
	}
	root, err := Parse("<a>" + strings.Repeat("<b/>", 5000) + "</a>")
	if err != nil {
		t.Fatal(err)
	}
	x, _ := Compile("//b[count(//b[count(//b) > 1]) > 1]")
	if _, err := x.Eval(root, nil); err != errSteps {
		t.Errorf("a costly expression ended with %v", err)
	}
}

func FuzzXPath(f *testing.F) {
	f.Add(doc, "//item[@n='1']/text() | /order/*[position() mod 2 = 1]/@*")
	f.Add("<a:b xmlns:a='u'><c d='1'>x</c></a:b>", "concat(name(/*), //c[last()]/@d, string-length(normalize-space(.)))")
	f.Fuzz(func(t *testing.T, text, expr string) {
		root, err := Parse(text)
		if err != nil {
			return
		}
		_ = root.String()
		if x, err := Compile(expr); err == nil {
			v, _ := x.Eval(root, map[string]string{"a": "u"})
			_ = show(v)
		}
	})
}
