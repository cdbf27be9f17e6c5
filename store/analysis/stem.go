package analysis

import "bytes"

// stemEnglish strips a possessive 's and applies Porter's algorithm (M. F. Porter, "An algorithm for suffix stripping", 1980) to a
// lower-case word, in place. Words with anything but a-z, and those under three letters, are left.
func stemEnglish(w []byte) []byte {
	if n := len(w); n >= 2 && w[n-1] == 's' && w[n-2] == '\'' {
		w = w[:n-2]
	}
	if len(w) < 3 {
		return w
	}
	for _, c := range w {
		if c < 'a' || c > 'z' {
			return w
		}
	}
	w = stemPlural(w)
	w = stemPast(w)
	if hasSuffix(w, "y") && hasVowel(w[:len(w)-1]) {
		w[len(w)-1] = 'i'
	}
	w = stemTable(w, step2, 0)
	w = stemTable(w, step3, 0)
	w = stemStep4(w)
	return stemFinal(w)
}

// suffix is a rule: from becomes to.
type suffix struct{ from, to string }

var step2 = []suffix{
	{"ational", "ate"}, {"tional", "tion"}, {"enci", "ence"}, {"anci", "ance"}, {"izer", "ize"}, {"bli", "ble"}, {"alli", "al"},
	{"entli", "ent"}, {"eli", "e"}, {"ousli", "ous"}, {"ization", "ize"}, {"ation", "ate"}, {"ator", "ate"}, {"alism", "al"},
	{"iveness", "ive"}, {"fulness", "ful"}, {"ousness", "ous"}, {"aliti", "al"}, {"iviti", "ive"}, {"biliti", "ble"}, {"logi", "log"},
}

var step3 = []suffix{
	{"icate", "ic"}, {"ative", ""}, {"alize", "al"}, {"iciti", "ic"}, {"ical", "ic"}, {"ful", ""}, {"ness", ""},
}

var step4 = []string{"al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
	"ous", "ive", "ize"}

// stemTable replaces the first suffix that fits when what is left measures more than min.
func stemTable(w []byte, rules []suffix, min int) []byte {
	for _, r := range rules {
		if !hasSuffix(w, r.from) {
			continue
		}
		if stem := w[:len(w)-len(r.from)]; measure(stem) > min {
			return append(stem, r.to...)
		}
		return w
	}
	return w
}

func stemPlural(w []byte) []byte {
	switch {
	case hasSuffix(w, "sses"), hasSuffix(w, "ies"):
		return w[:len(w)-2]
	case hasSuffix(w, "s") && !hasSuffix(w, "ss"):
		return w[:len(w)-1]
	}
	return w
}

func stemPast(w []byte) []byte {
	if hasSuffix(w, "eed") {
		if measure(w[:len(w)-3]) > 0 {
			return w[:len(w)-1]
		}
		return w
	}
	var stem []byte
	switch {
	case hasSuffix(w, "ed"):
		stem = w[:len(w)-2]
	case hasSuffix(w, "ing"):
		stem = w[:len(w)-3]
	}
	if stem == nil || !hasVowel(stem) {
		return w
	}
	n := len(stem)
	switch {
	case hasSuffix(stem, "at"), hasSuffix(stem, "bl"), hasSuffix(stem, "iz"):
		return append(stem, 'e')
	case doubleConsonant(stem) && stem[n-1] != 'l' && stem[n-1] != 's' && stem[n-1] != 'z':
		return stem[:n-1]
	case measure(stem) == 1 && endsCVC(stem):
		return append(stem, 'e')
	}
	return stem
}

func stemStep4(w []byte) []byte {
	best := ""
	for _, s := range step4 {
		if len(s) > len(best) && hasSuffix(w, s) {
			best = s
		}
	}
	stem := w[:len(w)-len(best)]
	if best == "" || measure(stem) < 2 {
		return w
	}
	if best == "ion" && !hasSuffix(stem, "s") && !hasSuffix(stem, "t") {
		return w
	}
	return stem
}

func stemFinal(w []byte) []byte {
	if hasSuffix(w, "e") {
		stem := w[:len(w)-1]
		if m := measure(stem); m > 1 || m == 1 && !endsCVC(stem) {
			w = stem
		}
	}
	if measure(w) > 1 && hasSuffix(w, "ll") {
		w = w[:len(w)-1]
	}
	return w
}

func hasSuffix(w []byte, s string) bool { return bytes.HasSuffix(w, []byte(s)) }

// consonant tells whether letter i is one: y is after a vowel and at the start.
func consonant(w []byte, i int) bool {
	switch w[i] {
	case 'a', 'e', 'i', 'o', 'u':
		return false
	case 'y':
		return i == 0 || !consonant(w, i-1)
	}
	return true
}

// measure counts the vowel-consonant turns of a stem.
func measure(w []byte) int {
	n := 0
	for i := 1; i < len(w); i++ {
		if consonant(w, i) && !consonant(w, i-1) {
			n++
		}
	}
	return n
}

func hasVowel(w []byte) bool {
	for i := range w {
		if !consonant(w, i) {
			return true
		}
	}
	return false
}

func doubleConsonant(w []byte) bool {
	n := len(w)
	return n >= 2 && w[n-1] == w[n-2] && consonant(w, n-1)
}

// endsCVC tells whether a stem ends consonant, vowel, consonant other than w, x, y.
func endsCVC(w []byte) bool {
	n := len(w)
	if n < 3 || !consonant(w, n-1) || consonant(w, n-2) || !consonant(w, n-3) {
		return false
	}
	return w[n-1] != 'w' && w[n-1] != 'x' && w[n-1] != 'y'
}
