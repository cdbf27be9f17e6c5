package tree

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzJSONString(f *testing.F) {
	f.Add("plain", []byte("a\"b\\c\x00\x1f\xff\u2028로그 and a longer run of plain text"))
	f.Fuzz(func(t *testing.T, before string, text []byte) {
		b, bad := AppendText([]byte(`"`), text)
		b = append(b, '"')
		var got string
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%q became %q: %v", text, b, err)
		}
		if want := strings.ToValidUTF8(string(text), "\uFFFD"); bad != !utf8.Valid(text) || !bad && got != want {
			t.Fatalf("%q became %q, bad %t", text, got, bad)
		}
	})
}
