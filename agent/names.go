package agent

import (
	"path/filepath"
	"strings"
)

// compressedExt are the endings of compressed rotations.
var compressedExt = [...]string{".gz", ".zst", ".bz2"}

// isRotationOf reports whether the file name is what a rotation of base is called: base.1, base.2026-11-22[.1], base-20261122[-093000],
// base.20261122-093000, the same before base's extension (app-2026-11-22.1.log), each also compressed.
func isRotationOf(name, base string) bool {
	if name == base {
		return false
	}
	name = trimCompressed(name)
	if name == base {
		return true
	}
	if rest, ok := strings.CutPrefix(name, base); ok && isRotationMark(rest) {
		return true
	}
	ext := filepath.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	if ext == "" || stem == "" {
		return false
	}
	rest, ok := strings.CutPrefix(name, stem)
	if !ok {
		return false
	}
	rest, ok = strings.CutSuffix(rest, ext)
	return ok && isRotationMark(rest)
}

func trimCompressed(name string) string {
	for _, ext := range compressedExt {
		if s, ok := strings.CutSuffix(name, ext); ok {
			return s
		}
	}
	return name
}

// isCompressedName reports whether a name says that the content is compressed.
func isCompressedName(name string) bool { return trimCompressed(name) != name }

// isRotationMark reports whether s is one or more groups of digits, each behind '.', '-' or '_': ".1", "-20261122", ".2026-11-22.0".
// The word "old" counts as a group. A short number behind a dash is no mark: web-1.log and web-8080.log are services of their own.
func isRotationMark(s string) bool {
	if s == "" || s[0] != '.' && isShortNumber(s[1:]) {
		return false
	}
	for s != "" {
		if s[0] != '.' && s[0] != '-' && s[0] != '_' {
			return false
		}
		s = s[1:]
		if rest, ok := strings.CutPrefix(s, "old"); ok {
			s = rest
			continue
		}
		n := 0
		for n < len(s) && s[n] >= '0' && s[n] <= '9' {
			n++
		}
		if n == 0 {
			return false
		}
		if s = s[n:]; strings.HasPrefix(s, "T") || strings.HasPrefix(s, "Z") { // times as 20261122T093000Z
			if s = "-" + s[1:]; s == "-" {
				return true
			}
		}
	}
	return true
}

// isShortNumber reports whether s begins with fewer digits than a date has, and nothing but an index follows.
func isShortNumber(s string) bool {
	digits, groups := 0, 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '-' || c == '_':
			groups++
		case c == '.':
			return digits < 6 && groups == 0
		default:
			return false
		}
	}
	return digits < 6
}
