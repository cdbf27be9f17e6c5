package analysis

import (
	"fmt"
	"strings"
	"testing"
)

// TestCustomAnalyzers gives terms with their places in the text.
func TestCustomAnalyzers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		settings string // a=b; without "analysis."
		text     string
		want     string
	}{
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=lowercase,asciifolding", "Éclair Straße", "eclair@0 strasse@8"},
		{"analyzer.x.tokenizer=whitespace;analyzer.x.filter=s;filter.s.type=stop;filter.s.stopwords=a,b", "a x b y", "x@2 y@6"},
		{"analyzer.x.tokenizer=keyword;analyzer.x.filter=trim,uppercase,reverse", " ab ", "BA@0"},
		{"analyzer.x.tokenizer=n;tokenizer.n.type=edge_ngram;tokenizer.n.min_gram=2;tokenizer.n.max_gram=3;tokenizer.n.token_chars=letter", "abc1de", "ab@0 abc@0 de@4"},
		{"analyzer.x.tokenizer=n;tokenizer.n.type=ngram;tokenizer.n.min_gram=2;tokenizer.n.max_gram=2", "한국어", "한국@0 국어@3"},
		{"analyzer.x.tokenizer=p;tokenizer.p.type=pattern;tokenizer.p.pattern=[,;]", "a b,c;;d", "a b@0 c@4 d@7"},
		{"analyzer.x.tokenizer=p;tokenizer.p.type=pattern;tokenizer.p.pattern='(.*?)';tokenizer.p.group=1", "'a' 'b c'", "a@1 b c@5"},
		{"analyzer.x.tokenizer=path_hierarchy", "/var/log/app", "/var@0 /var/log@0 /var/log/app@0"},
		{"analyzer.x.tokenizer=r;tokenizer.r.type=path_hierarchy;tokenizer.r.reverse=true;tokenizer.r.delimiter=.", "a.b.c", "a.b.c@0 b.c@2 c@4"},
		{`analyzer.x.tokenizer=g;tokenizer.g.type=char_group;tokenizer.g.tokenize_on_chars=["-",",","whitespace"]`, "a-b,c d", "a@0 b@2 c@4 d@6"},
		{"analyzer.x.tokenizer=whitespace;analyzer.x.filter=shingle", "a b c", "a@0 a b@0 b@2 b c@2 c@4"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=k,porter_stem;filter.k.type=keyword_marker;filter.k.keywords=running", "running jumping", "running@0 jump@8"},
		{"analyzer.x.tokenizer=whitespace;analyzer.x.filter=r;filter.r.type=pattern_replace;filter.r.pattern=(\\d+);filter.r.replacement=#$1", "a1 b22", "a#1@0 b#22@3"},
		{"analyzer.x.tokenizer=standard;analyzer.x.char_filter=html_strip", "<p>a &amp; <b>b&eacute;</b></p>", "a@3 bé@14"},
		{"analyzer.x.tokenizer=whitespace;analyzer.x.char_filter=m;char_filter.m.type=mapping;char_filter.m.mappings=:)=>happy,&=>and", "x :) y&z", "x@0 happy@2 yandz@5"},
		{"analyzer.x.tokenizer=keyword;analyzer.x.char_filter=m;char_filter.m.type=pattern_replace;char_filter.m.pattern=(\\w)-(\\w);char_filter.m.replacement=$1_$2", "a-b", "a_b@0"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=unique,l;filter.l.type=limit;filter.l.max_token_count=2", "a a b c", "a@0 b@4"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=l,t;filter.l.type=length;filter.l.min=2;filter.t.type=truncate;filter.t.length=3", "a bb cccc", "bb@2 ccc@5"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=elision,apostrophe,decimal_digit", "l'avion Ada's ٣४", "avion@0 Ada@8 34@14"},
		{"analyzer.x.tokenizer=lowercase", "AB1cd", "ab@0 cd@3"},
		{"analyzer.x.type=fingerprint", "b A b é", "a b e@0"},
		{"analyzer.x.type=pattern;analyzer.x.pattern=\\s+", "A b-c", "a@0 b-c@2"},
		{"analyzer.x.type=standard;analyzer.x.stopwords=_english_", "The a dog", "dog@6"},
		{"analyzer.default.type=keyword;analyzer.x.type=simple", "A b", "a@0 b@2"},
	} {
		set, err := Configure(parse(c.settings))
		if err != nil {
			t.Errorf("%s: %v", c.settings, err)
			continue
		}
		a, _ := set.Lookup("x")
		var got []string
		a.Tokens([]byte(c.text), func(tok Token) { got = append(got, fmt.Sprintf("%s@%d", tok.Term, tok.Start)) })
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s of %q: %q, want %q", c.settings, c.text, strings.Join(got, " "), c.want)
		}
	}
}

func parse(text string) map[string]string {
	out := map[string]string{}
	for _, kv := range strings.Split(text, ";") {
		k, v, ok := strings.Cut(kv, "=")
		if !ok { // a semicolon of a value
			for last := range out {
				if strings.HasSuffix(last, "pattern") {
					out[last] += ";" + kv
				}
			}
			continue
		}
		out["analysis."+k] = v
	}
	return out
}

// TestAnalyzersRefused: what cannot be done is said, never left out.
func TestAnalyzersRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ settings, want string }{
		{"analyzer.x.type=nori", "failed to find analyzer type [nori]"},
		{"analyzer.x.tokenizer=icu_tokenizer", "failed to find tokenizer under name [icu_tokenizer]"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=phonetic", "failed to find filter under name [phonetic]"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=s;filter.s.type=stop;filter.s.stopwords_path=a.txt", "setting [stopwords_path] of [s] is not supported"},
		{"analyzer.x.tokenizer=standard;analyzer.x.filter=s;filter.s.type=stemmer;filter.s.language=german", "language [german] is not supported"},
		{"analyzer.x.tokenizer=standard;analyzer.x.char_filter=icu_normalizer", "failed to find char_filter under name [icu_normalizer]"},
		{"analyzer.x.char_filter=html_strip", "failed to find analyzer type []"},
		{"analyzer.x.tokenizer=n;tokenizer.n.type=ngram;tokenizer.n.min_gram=3;tokenizer.n.max_gram=2", "minGram must not be greater than maxGram"},
	} {
		if _, err := Configure(parse(c.settings)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %s", c.settings, err, c.want)
		}
	}
}

// FuzzCustom: tokens lie in the text and ascend, whatever the text.
func FuzzCustom(f *testing.F) {
	f.Add("<p>Hello &amp; 세계</p>", 0)
	f.Add("l'avion a-b,c", 1)
	chains := []string{
		"analyzer.x.tokenizer=standard;analyzer.x.char_filter=html_strip;analyzer.x.filter=lowercase,asciifolding,shingle,porter_stem",
		"analyzer.x.tokenizer=n;tokenizer.n.type=ngram;analyzer.x.filter=elision,decimal_digit,cjk_width,unique;analyzer.x.char_filter=m;char_filter.m.type=mapping;char_filter.m.mappings=a=>bb,bb=>",
		"analyzer.x.tokenizer=path_hierarchy;analyzer.x.filter=edge_ngram,reverse,trim",
	}
	f.Fuzz(func(t *testing.T, text string, which int) {
		if len(text) > 1000 {
			return
		}
		set, err := Configure(parse(chains[(which%3+3)%3]))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := set.Lookup("x")
		a.Tokens([]byte(text), func(tok Token) {
			if tok.Start < 0 || tok.End > len(text) || tok.Start > tok.End {
				t.Fatalf("%q: token %q at %d-%d", text, tok.Term, tok.Start, tok.End)
			}
		})
	})
}
