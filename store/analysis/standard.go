package analysis

import (
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"
)

// Classes of bytes for word boundaries, by UAX #29's Word_Break property.
const (
	classOther   = iota
	classLetter  // ALetter
	classDigit   // Numeric
	classJoin    // ExtendNumLet: _
	classMid     // MidLetter: ':'
	classMidNum  // MidNum: , ;
	classMidBoth // MidNumLet and Single_Quote: . '
	classSpace   // space, tab, CR, LF: ends every token
	classWide    // a byte of a character over 0x7f
)

var classes = func() (t [256]uint8) {
	for c := range 256 {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
			t[c] = classLetter
		case '0' <= c && c <= '9':
			t[c] = classDigit
		case c >= utf8.RuneSelf:
			t[c] = classWide
		}
	}
	t['_'], t[':'], t[','], t[';'], t['.'], t['\''] = classJoin, classMid, classMidNum, classMidNum, classMidBoth, classMidBoth
	t[' '], t['\t'], t['\r'], t['\n'] = classSpace, classSpace, classSpace, classSpace
	return t
}()

// splitStandard walks text from space to space: stretches of ASCII by table, others by the full rules.
func splitStandard(text []byte, f func(p piece)) {
	for i := 0; i < len(text); {
		if classes[text[i]] == classSpace {
			i++
			continue
		}
		end, wide := stretch(text, i)
		if wide {
			splitWide(text, i, end, f)
		} else {
			splitASCII(text, i, end, f)
		}
		i = end
	}
}

// stretch is the end of the run without spaces that starts at i, and whether it has a character over 0x7f.
func stretch(text []byte, i int) (end int, wide bool) {
	var seen uint8
	for ; i < len(text) && classes[text[i]] != classSpace; i++ {
		seen |= text[i]
	}
	return i, seen >= utf8.RuneSelf
}

// splitASCII cuts text[i:end], which has no byte over 0x7f.
func splitASCII(text []byte, i, end int, f func(p piece)) {
	for i < end {
		c := classes[text[i]]
		if c != classLetter && c != classDigit && c != classJoin {
			i++
			continue
		}
		start, word := i, c != classJoin
		for last := c; ; last = c {
			i++
			if i == end {
				break
			}
			c = classes[text[i]]
			if c == classLetter || c == classDigit {
				word = true
				continue
			}
			if c == classJoin {
				continue
			}
			if i+1 == end || !bridges(last, c, classes[text[i+1]]) {
				break
			}
			i++
			c = classes[text[i]]
		}
		if word {
			cut(piece{start, i, kindASCII}, f)
		}
	}
}

// bridges tells whether mid does not end a word between a and b: one colon, dot or quote between letters, or one comma,
// semicolon, dot or quote between digits.
func bridges(a, mid, b uint8) bool {
	switch mid {
	case classMid:
		return a == classLetter && b == classLetter
	case classMidNum:
		return a == classDigit && b == classDigit
	case classMidBoth:
		return a == b && (a == classLetter || a == classDigit)
	}
	return false
}

// cut hands on an ASCII word, in parts when it is too long.
func cut(p piece, f func(p piece)) {
	for p.end-p.start > MaxTokenLength {
		f(piece{p.start, p.start + MaxTokenLength, p.kind})
		p.start += MaxTokenLength
	}
	f(p)
}

// splitWide cuts text[i:end] by UAX #29.
func splitWide(text []byte, i, end int, f func(p piece)) {
	run := piece{start: -1} // adjacent pieces of South-East Asian script
	it := words.FromBytes(text[i:end])
	for it.Next() {
		p, keep := classify(text, i+it.Start(), i+it.End())
		if run.start >= 0 && (!keep || p.kind != kindSoutheastAsian || p.start != run.end) {
			cutWide(text, run, f)
			run.start = -1
		}
		switch {
		case !keep:
		case p.kind != kindSoutheastAsian:
			cutWide(text, p, f)
		case run.start < 0:
			run = p
		default:
			run.end = p.end
		}
	}
	if run.start >= 0 {
		cutWide(text, run, f)
	}
}

// classify tells what a word segment is; keep is false for punctuation and symbols.
func classify(text []byte, start, end int) (p piece, keep bool) {
	p = piece{start, end, kindASCII}
	for i := start; i < end; {
		r, n := utf8.DecodeRune(text[i:end])
		i += n
		if r < utf8.RuneSelf {
			if c := classes[r]; c == classLetter || c == classDigit {
				keep = true
			}
			continue
		}
		k, ok := kindOf(r)
		if !ok {
			if p.kind == kindASCII {
				p.kind = kindWord
			}
			continue
		}
		if !keep || p.kind == kindASCII || p.kind == kindWord {
			p.kind = k
		}
		keep = true
	}
	return p, keep
}

// kindOf tells what a character over 0x7f makes of its word; ok is false for what makes no word alone.
func kindOf(r rune) (k kind, ok bool) {
	switch {
	case 0xAC00 <= r && r <= 0xD7A3, 0x1100 <= r && r <= 0x11FF, 0x3130 <= r && r <= 0x318F:
		return kindHangul, true
	case unicode.Is(unicode.Han, r), unicode.Is(unicode.Hiragana, r):
		return kindSingle, true
	case unicode.Is(unicode.Katakana, r), r == 0x30FC, r == 0xFF70:
		return kindKatakana, true
	case unicode.In(r, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar):
		return kindSoutheastAsian, unicode.In(r, unicode.L, unicode.N, unicode.M)
	case unicode.In(r, unicode.L, unicode.N):
		return kindWord, true
	case 0x1F1E6 <= r && r <= 0x1F1FF, 0x1F300 <= r && r <= 0x1FAFF, 0x2600 <= r && r <= 0x27BF:
		return kindEmoji, true
	}
	return kindWord, false
}

// cutWide hands on a word, in parts of at most MaxTokenLength UTF-16 units.
func cutWide(text []byte, p piece, f func(p piece)) {
	if p.end-p.start <= MaxTokenLength {
		f(p)
		return
	}
	units := 0
	for i := p.start; i < p.end; {
		r, n := utf8.DecodeRune(text[i:p.end])
		w := 1
		if r > 0xFFFF {
			w = 2
		}
		if units+w > MaxTokenLength {
			f(piece{p.start, i, p.kind})
			p.start, units = i, 0
		}
		units += w
		i += n
	}
	f(p)
}
