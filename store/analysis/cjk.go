package analysis

import "unicode/utf8"

// joinBigrams hands on the pieces of split, with each run of adjacent CJK characters as its overlapping pairs. A character that
// stands alone is kept alone.
func joinBigrams(text []byte, split splitter, f func(p piece)) {
	prev, single := piece{start: -1}, false // the last character of a run; whether it is not part of a pair yet
	flush := func() {
		if prev.start >= 0 && single {
			f(prev)
		}
		prev.start = -1
	}
	split(text, func(p piece) {
		if !p.kind.cjk() {
			flush()
			f(p)
			return
		}
		for i := p.start; i < p.end; {
			_, n := utf8.DecodeRune(text[i:p.end])
			c := piece{i, i + n, p.kind}
			if prev.start >= 0 && prev.end == i {
				f(piece{prev.start, c.end, p.kind})
				single = false
			} else {
				flush()
				single = true
			}
			prev = c
			i += n
		}
	})
	flush()
}
