package mapping

import (
	"fmt"
	"net/netip"
	"strings"
)

// Term encodes a value of a Values field as its column holds it: ip as 16 bytes, version by VersionKey, others normalized text.
func (f *Field) Term(text string) ([]byte, error) {
	switch f.Type {
	case IP:
		b, err := ParseIP(text)
		if err != nil {
			return nil, err
		}
		return b[:], nil
	case Version:
		return VersionKey(text), nil
	case Flattened:
		if f.Key != "" {
			return append(append([]byte(f.Key), 0), text...), nil
		}
		return []byte(text), nil
	}
	return f.Normalize([]byte(text)), nil
}

// TermText is the text of a column value: the inverse of Term.
func (f *Field) TermText(b []byte) string {
	switch f.Type {
	case IP:
		return IPText(b)
	case Version:
		return VersionText(b)
	case Flattened:
		if f.Key != "" {
			_, v, _ := strings.Cut(string(b), "\x00")
			return v
		}
	}
	return string(b)
}

// Normalize applies the field's normalizer: lowercase is the one every index has.
func (f *Field) Normalize(b []byte) []byte {
	if f.Normalizer != "lowercase" {
		return b
	}
	for i, c := range b {
		if c >= 'A' && c <= 'Z' || c >= 0x80 {
			return append(append([]byte(nil), b[:i]...), strings.ToLower(string(b[i:]))...)
		}
	}
	return b
}

// ParseIP reads an IPv4 or IPv6 address as 16 bytes.
func ParseIP(s string) ([16]byte, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return [16]byte{}, fmt.Errorf("'%s' is not an IP string literal.", s)
	}
	return a.As16(), nil
}

// ParseCIDR reads address/bits as the first and the last address.
func ParseCIDR(s string) (first, last [16]byte, err error) {
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return first, last, fmt.Errorf("'%s' is not an IP string literal.", s)
	}
	bits := p.Bits()
	if p.Addr().Is4() {
		bits += 96
	}
	first = p.Masked().Addr().As16()
	last = first
	for i := bits; i < 128; i++ {
		last[i/8] |= 0x80 >> (i % 8)
	}
	return first, last, nil
}

// IPText prints 16 bytes as Elasticsearch does.
func IPText(b []byte) string {
	if len(b) != 16 {
		return string(b)
	}
	return netip.AddrFrom16([16]byte(b)).Unmap().String()
}

// VersionKey is the column value of a version: a key whose byte order is the order of semantic versions, a zero byte, the text. Texts
// that are no version sort behind all versions.
//
//	valid    01, each of the numbers of the core as length byte and digits, 00, then FF for a release or 02 and the pre-release
//	         identifiers (01 length digits for a number, 02 text 00 for others), 00
//	invalid  02, the text
func VersionKey(s string) []byte {
	key, ok := versionSort(s)
	if !ok {
		key = append([]byte{2}, s...)
	}
	return append(append(key, 0), s...)
}

// VersionText is the text of a VersionKey.
func VersionText(b []byte) string {
	if len(b) > 0 && b[0] == 2 {
		return string(b[1 : 1+(len(b)-2)/2])
	}
	for i := len(b) - 1; i >= 0; i-- {
		if b[i] == 0 {
			return string(b[i+1:])
		}
	}
	return string(b)
}

func versionSort(s string) ([]byte, bool) {
	core, _, _ := strings.Cut(s, "+")
	core, pre, hasPre := strings.Cut(core, "-")
	key := []byte{1}
	parts := strings.Split(core, ".")
	for _, p := range parts {
		if !numeric(p) {
			return nil, false
		}
		p = strings.TrimLeft(p, "0")
		key = append(append(key, byte(len(p)+1)), p...)
	}
	key = append(key, 0)
	if !hasPre {
		return append(key, 0xFF), true
	}
	key = append(key, 2)
	for _, id := range strings.Split(pre, ".") {
		if id == "" {
			return nil, false
		}
		if numeric(id) {
			id = strings.TrimLeft(id, "0")
			key = append(append(key, 1, byte(len(id)+1)), id...)
			continue
		}
		key = append(append(append(key, 2), id...), 0)
	}
	return append(key, 0), true
}

func numeric(s string) bool {
	if s == "" || len(s) > 200 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i]-'0' > 9 {
			return false
		}
	}
	return true
}
