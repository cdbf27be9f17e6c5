package analysis

import (
	"unicode"
	"unicode/utf8"
)

// Normalizer rewrites a whole keyword value: it appends the form that is indexed to dst.
type Normalizer func(dst, value []byte) []byte

// LookupNormalizer is the normalizer of that name; ok is false when there is none.
func LookupNormalizer(name string) (n Normalizer, ok bool) {
	if name == "lowercase" {
		return AppendLower, true
	}
	return nil, false
}

// AppendLower appends the lower-case form of s, character by character. Bytes that are not UTF-8 stay as they are.
func AppendLower(dst, s []byte) []byte { return appendLower(dst, s, false) }

func appendLower(dst, s []byte, fold bool) []byte {
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, c)
			i++
			continue
		}
		if fold {
			r = foldWidth(r)
		}
		dst = utf8.AppendRune(dst, unicode.ToLower(r))
		i += n
	}
	return dst
}

// foldWidth maps full-width ASCII forms to ASCII, and half-width Katakana to Katakana.
func foldWidth(r rune) rune {
	switch {
	case 0xFF01 <= r && r <= 0xFF5E:
		return r - 0xFEE0
	case 0xFF65 <= r && r <= 0xFF9F:
		return halfKana[r-0xFF65]
	}
	return r
}

// halfKana is what U+FF65 to U+FF9F stand for.
var halfKana = [...]rune{
	0x30FB, 0x30F2, 0x30A1, 0x30A3, 0x30A5, 0x30A7, 0x30A9, 0x30E3, 0x30E5, 0x30E7, 0x30C3, 0x30FC, 0x30A2, 0x30A4, 0x30A6, 0x30A8,
	0x30AA, 0x30AB, 0x30AD, 0x30AF, 0x30B1, 0x30B3, 0x30B5, 0x30B7, 0x30B9, 0x30BB, 0x30BD, 0x30BF, 0x30C1, 0x30C4, 0x30C6, 0x30C8,
	0x30CA, 0x30CB, 0x30CC, 0x30CD, 0x30CE, 0x30CF, 0x30D2, 0x30D5, 0x30D8, 0x30DB, 0x30DE, 0x30DF, 0x30E0, 0x30E1, 0x30E2, 0x30E4,
	0x30E6, 0x30E8, 0x30E9, 0x30EA, 0x30EB, 0x30EC, 0x30ED, 0x30EF, 0x30F3, 0x3099, 0x309A,
}

func hasUpper(s []byte) bool {
	for _, c := range s {
		if 'A' <= c && c <= 'Z' {
			return true
		}
	}
	return false
}
