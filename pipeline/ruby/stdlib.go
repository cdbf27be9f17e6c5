package ruby

import (
	"crypto/hmac"
	"crypto/md5"
	crand "crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"hash"
	"html"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/weirlog/weir/event"
)

func constants() map[string]Value {
	return map[string]Value{"Float::INFINITY": math.Inf(1), "Float::NAN": math.NaN(), "Float::MAX": math.MaxFloat64, "Float::EPSILON": 2.220446049250313e-16,
		"Math::PI": math.Pi, "Math::E": math.E, "Process::CLOCK_MONOTONIC": int64(1), "Encoding::UTF_8": &Str{s: "UTF-8", frozen: true},
		"Encoding::BINARY": &Str{s: "ASCII-8BIT", frozen: true}, "Encoding::ASCII_8BIT": &Str{s: "ASCII-8BIT", frozen: true}, "Encoding::ISO_8859_1": &Str{s: "ISO-8859-1", frozen: true},
		"Regexp::IGNORECASE": int64(1), "Regexp::EXTENDED": int64(2), "Regexp::MULTILINE": int64(4)}
}

// text1 makes a function of one text.
func text1(f func(vm *VM, s string) string) *method {
	return &method{1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(f(vm, vm.text(a[0]))) }}
}

func math1(f func(float64) float64) *method {
	return &method{1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return f(vm.asFloat(a[0])) }}
}

func staticMethods() map[string]methods {
	parse := &method{1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
		return vm.parseJSON(vm.text(a[0]), arg(a, 1), "JSON::ParserError")
	}}
	load := &method{1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
		return vm.parseJSON(vm.text(a[0]), nil, "LogStash::Json::ParserError")
	}}
	generate := &method{1, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(vm.toJSON(a[0])) }}
	unescape := text1(func(vm *VM, s string) string { return unescapeURI(s, true) })
	m := map[string]methods{
		"JSON":            {"parse": parse, "load": parse, "parse!": parse, "generate": generate, "dump": generate},
		"LogStash::Json":  {"load": load, "dump": generate},
		"LogStash::Event": {"new": {0, 1, newEvent}},
		"Base64": {"decode64": text1(func(_ *VM, s string) string { return decodeBase64(s) }), "urlsafe_decode64": text1(func(_ *VM, s string) string { return decodeBase64(s) }),
			"strict_decode64": text1(strictBase64), "strict_encode64": text1(func(_ *VM, s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }),
			"encode64": text1(func(_ *VM, s string) string { return wrapBase64(s) }), "urlsafe_encode64": text1(func(_ *VM, s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) })},
		"SecureRandom": {"uuid": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return vm.str(randomUUID()) }},
			"hex": {0, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(hex.EncodeToString(vm.random(a))) }}},
		"URI": {"decode_www_form_component": unescape, "decode": unescape, "unescape": unescape, "decode_uri_component": text1(func(_ *VM, s string) string { return unescapeURI(s, false) }),
			"encode_www_form_component": text1(func(_ *VM, s string) string { return url.QueryEscape(s) }), "decode_www_form": {1, 1, decodeForm}},
		"CGI": {"unescape": unescape, "escape": text1(func(_ *VM, s string) string { return url.QueryEscape(s) }),
			"unescapeHTML": text1(func(_ *VM, s string) string { return html.UnescapeString(s) }), "escapeHTML": text1(func(_ *VM, s string) string { return html.EscapeString(s) })},
		"ENV":    {"[]": {1, 1, getenv}, "fetch": {1, 2, getenv}},
		"Socket": {"gethostname": {0, 0, func(vm *VM, _ Value, _ []Value, _ *Proc) Value { return vm.str(vm.env.Hostname) }}},
		"Math": {"sqrt": {1, 1, squareRoot}, "log": {1, 2, logarithm}, "log2": math1(math.Log2), "log10": math1(math.Log10), "sin": math1(math.Sin), "cos": math1(math.Cos),
			"tan": math1(math.Tan), "atan": math1(math.Atan), "exp": math1(math.Exp), "cbrt": math1(math.Cbrt), "asin": math1(math.Asin), "acos": math1(math.Acos),
			"atan2": {2, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return math.Atan2(vm.asFloat(a[0]), vm.asFloat(a[1])) }},
			"pow":   {2, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return math.Pow(vm.asFloat(a[0]), vm.asFloat(a[1])) }},
			"hypot": {2, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return math.Hypot(vm.asFloat(a[0]), vm.asFloat(a[1])) }}},
		"Regexp": {"new": {1, 2, regexpNew}, "compile": {1, 2, regexpNew}, "escape": {1, 1, regexpEscape}, "quote": {1, 1, regexpEscape}, "last_match": {0, 1, regexpLast},
			"union": {0, -1, regexpUnion}},
		"Hash":  {"new": {0, 1, hashNew}, "[]": {0, -1, hashOf}},
		"Array": {"new": {0, 2, arrayNew}},
		"String": {"new": {0, 2, func(vm *VM, _ Value, a []Value, _ *Proc) Value {
			if len(a) == 0 {
				return vm.str("")
			}
			return vm.str(vm.text(a[0]))
		}}},
		"Proc":            {"new": {0, 0, func(vm *VM, _ Value, _ []Value, blk *Proc) Value { vm.need(blk); return blk }}},
		"IPAddr":          {"new": {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.parseNet(vm.text(a[0])) }}},
		"OpenSSL::HMAC":   {"hexdigest": {3, 3, hmacHex}},
		"OpenSSL::Digest": {"new": {1, 1, func(vm *VM, _ Value, a []Value, _ *Proc) Value { return vm.str(vm.text(a[0])) }}},
	}
	for name, make := range digests {
		sum := func(s string) []byte {
			h := make()
			h.Write([]byte(s))
			return h.Sum(nil)
		}
		m["Digest::"+name] = methods{"hexdigest": text1(func(_ *VM, s string) string { return hex.EncodeToString(sum(s)) }),
			"base64digest": text1(func(_ *VM, s string) string { return base64.StdEncoding.EncodeToString(sum(s)) }), "digest": text1(func(_ *VM, s string) string { return string(sum(s)) })}
	}
	for name, t := range timeStatic() {
		m[name] = t
	}
	return m
}

var digests = map[string]func() hash.Hash{"MD5": md5.New, "SHA1": sha1.New, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New}

func hmacHex(vm *VM, _ Value, a []Value, _ *Proc) Value {
	name := strings.ToUpper(strings.ReplaceAll(vm.text(a[0]), "-", ""))
	h, ok := digests[name]
	if !ok {
		vm.raise("RuntimeError", "Unsupported digest algorithm (%s).", name)
	}
	mac := hmac.New(h, []byte(vm.text(a[1])))
	mac.Write([]byte(vm.text(a[2])))
	return vm.str(hex.EncodeToString(mac.Sum(nil)))
}

// parseJSON reads JSON of at most 64 levels.
func (vm *VM) parseJSON(s string, opts Value, class string) Value {
	vm.work(len(s) / 32)
	b := vm.batch
	if b == nil {
		b = event.NewBatch(false)
	}
	v, err := b.ParseJSON(s)
	if err != nil {
		if len(s) > 60 {
			s = s[:60]
		}
		vm.raise(class, "unexpected token at '%s': %v", s, err)
	}
	out := vm.toValue(b, v)
	if h, ok := opts.(*Hash); ok {
		if sym, _ := h.get(vm, Sym("symbolize_names")); truthy(sym) {
			out = vm.symbolize(out)
		}
	}
	return out
}

func (vm *VM) symbolize(v Value) Value {
	switch v := v.(type) {
	case *Array:
		for i := range v.l {
			v.l[i] = vm.symbolize(v.l[i])
		}
	case *Hash:
		out := newHash(len(v.e))
		for _, p := range v.e {
			out.set(vm, Sym(vm.show(p.k)), vm.symbolize(p.v))
		}
		return out
	}
	return v
}

func (vm *VM) toJSON(v Value) string { return string(vm.appendJSON(nil, v, 0)) }

func (vm *VM) appendJSON(dst []byte, v Value, depth int) []byte {
	if depth > maxNesting/2 {
		vm.raise("JSON::JSONError", "nesting of %d is too deep", depth)
	}
	vm.work(1)
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			vm.raise("JSON::GeneratorError", "%s not allowed in JSON", formatFloat(v))
		}
	case *Str:
		vm.alloc(len(v.s))
		return event.AppendString(dst, v.s)
	case *Event:
		return v.e.AppendJSON(dst)
	case *Array:
		dst = append(dst, '[')
		for i, el := range v.l {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = vm.appendJSON(dst, el, depth+1)
		}
		return append(dst, ']')
	case *Hash:
		dst = append(dst, '{')
		for i := range v.e {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(event.AppendString(dst, vm.show(v.e[i].k)), ':')
			dst = vm.appendJSON(dst, v.e[i].v, depth+1)
		}
		return append(dst, '}')
	}
	switch kindOf(v) {
	case kBool, kInt, kFloat:
		return append(dst, vm.show(v)...)
	}
	return event.AppendString(dst, vm.show(v))
}

// decodeBase64 skips what is no digit, as Ruby's decode64 does.
func decodeBase64(s string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '+', r == '/':
			return r
		}
		return -1
	}, s)
	if len(clean)%4 == 1 {
		clean = clean[:len(clean)-1]
	}
	out, _ := base64.RawStdEncoding.DecodeString(clean)
	return string(out)
}

func strictBase64(vm *VM, s string) string {
	out, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		vm.raise("ArgumentError", "invalid base64")
	}
	return string(out)
}

// wrapBase64 ends a line after 60 digits.
func wrapBase64(s string) string {
	var b strings.Builder
	for c := range slices.Chunk([]byte(s), 45) {
		b.WriteString(base64.StdEncoding.EncodeToString(c))
		b.WriteByte('\n')
	}
	return b.String()
}

func (vm *VM) random(a []Value) []byte {
	n := 16
	if len(a) > 0 && a[0] != nil {
		n = min(4096, vm.positive(a[0]))
	}
	b := make([]byte, n)
	crand.Read(b)
	return b
}

func randomUUID() string {
	var b [16]byte
	crand.Read(b[:])
	b[6], b[8] = b[6]&15|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// unescapeURI decodes %XX; what is none stays.
func unescapeURI(s string, plus bool) string {
	if plus {
		s = strings.ReplaceAll(s, "+", " ")
	}
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if b, err := hex.DecodeString(s[i+1 : i+3]); err == nil {
				out = append(out, b[0])
				i += 2
				continue
			}
		}
		out = append(out, s[i])
	}
	return string(out)
}

func decodeForm(vm *VM, _ Value, a []Value, _ *Proc) Value {
	var out []Value
	for p := range strings.SplitSeq(vm.text(a[0]), "&") {
		k, v, _ := strings.Cut(p, "=")
		out = append(out, vm.array([]Value{vm.str(unescapeURI(k, true)), vm.str(unescapeURI(v, true))}))
	}
	return vm.array(out)
}

func getenv(vm *VM, _ Value, a []Value, _ *Proc) Value {
	s := ""
	if vm.env.Getenv != nil {
		s = vm.env.Getenv(vm.text(a[0]))
	}
	if s == "" {
		return arg(a, 1)
	}
	return vm.str(s)
}

func squareRoot(vm *VM, _ Value, a []Value, _ *Proc) Value {
	f := vm.asFloat(a[0])
	if f < 0 {
		vm.raise("ArgumentError", `Numerical argument is out of domain - "sqrt"`)
	}
	return math.Sqrt(f)
}

func logarithm(vm *VM, _ Value, a []Value, _ *Proc) Value {
	f := math.Log(vm.asFloat(a[0]))
	if len(a) > 1 {
		f /= math.Log(vm.asFloat(a[1]))
	}
	return f
}

func regexpNew(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if re, ok := a[0].(*Regexp); ok {
		return re
	}
	flags := ""
	switch v := arg(a, 1).(type) {
	case nil:
	case int64:
		for i, c := range "ixm" {
			if v&(1<<i) != 0 {
				flags += string(c)
			}
		}
	default:
		if truthy(v) {
			flags = "i"
		}
	}
	return vm.regexp(vm.text(a[0]), flags)
}

func regexpEscape(vm *VM, _ Value, a []Value, _ *Proc) Value {
	var b strings.Builder
	s := vm.symText(a[0])
	for i := range len(s) {
		if j := strings.IndexByte("\n\t\r\f\v ", s[i]); j >= 0 {
			b.WriteByte('\\')
			b.WriteByte("ntrfv "[j])
			continue
		}
		if strings.IndexByte(`.*?+^$|\()[]{}-#`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return vm.str(b.String())
}

func regexpLast(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if vm.match == nil {
		return nil
	}
	if len(a) > 0 {
		return vm.match.group(vm.match.number(vm, a[0]))
	}
	return vm.match
}

func regexpUnion(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if len(a) == 1 {
		if l, ok := a[0].(*Array); ok {
			a = l.l
		}
	}
	var parts []string
	for _, v := range a {
		if re, ok := v.(*Regexp); ok {
			parts = append(parts, re.show())
		} else {
			parts = append(parts, vm.show(regexpEscape(vm, nil, []Value{v}, nil)))
		}
	}
	return vm.regexp(strings.Join(parts, "|"), "")
}

func hashNew(vm *VM, _ Value, a []Value, blk *Proc) Value {
	vm.alloc(64)
	return &Hash{def: arg(a, 0), proc: blk}
}

// hashOf is Hash[pairs] and Hash[k, v, ...].
func hashOf(vm *VM, _ Value, a []Value, _ *Proc) Value {
	if len(a) == 1 {
		switch v := a[0].(type) {
		case *Hash:
			return vm.dup(v)
		case *Array:
			h := &Hash{}
			for _, el := range v.l {
				p := vm.list(el)
				if len(p) == 0 || len(p) > 2 {
					vm.raise("ArgumentError", "invalid number of elements (%d for 1..2)", len(p))
				}
				h.set(vm, p[0], arg(p, 1))
			}
			return h
		}
	}
	if len(a)%2 != 0 {
		vm.raise("ArgumentError", "odd number of arguments for Hash")
	}
	h := &Hash{}
	for i := 0; i < len(a); i += 2 {
		h.set(vm, a[i], a[i+1])
	}
	return h
}

func arrayNew(vm *VM, _ Value, a []Value, blk *Proc) Value {
	if len(a) == 0 {
		return vm.array(nil)
	}
	if l, ok := a[0].(*Array); ok {
		return vm.dup(l)
	}
	n := vm.positive(a[0])
	vm.alloc(16 * n)
	out := make([]Value, n)
	for i := range out {
		if blk != nil {
			out[i] = vm.yield1(blk, int64(i))
		} else {
			out[i] = arg(a, 1)
		}
	}
	return &Array{l: out}
}
