package filter

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var fingerprintOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Array, Default: "message", Doc: "Fields to sum up."},
	{Name: "target", Kind: plugin.Field, Doc: "Field for the sum; default fingerprint, with ECS [event][hash]."},
	{Name: "method", Enum: []string{"SHA1", "SHA256", "SHA384", "SHA512", "MD5", "MURMUR3", "IPV4_NETWORK", "UUID", "PUNCTUATION"}, Default: "SHA1", Doc: "How it is made."},
	{Name: "key", Kind: plugin.Password, Doc: "Key of the sum, or number of bits of IPV4_NETWORK."},
	{Name: "base64encode", Kind: plugin.Boolean, Default: "false", Doc: "Whether the sum is written in base64, else in hexadecimal."},
	{Name: "concatenate_sources", Kind: plugin.Boolean, Default: "false", Doc: "Whether all sources make one sum."},
	{Name: "concatenate_all_fields", Kind: plugin.Boolean, Default: "false", Doc: "Whether all fields make one sum."},
}

type fingerprint struct {
	names     []string
	paths     []*event.Path
	target    *event.Path
	method    string
	sum       hash.Hash
	base64    bool
	join, all bool
	bits      int
}

func newFingerprint(a *plugin.Args, env *plugin.Env) Filter {
	f := &fingerprint{target: a.Field("target"), method: a.String("method"), base64: a.Bool("base64encode"), join: a.Bool("concatenate_sources"), all: a.Bool("concatenate_all_fields")}
	if f.target == nil {
		f.target = event.MustPath("fingerprint")
		if a.ECS(env) {
			f.target = event.MustPath("[event][hash]")
		}
	}
	f.names = a.Strings("source")
	slices.Sort(f.names)
	for _, n := range f.names {
		f.paths = append(f.paths, a.Path(plugin.Text{Pos: a.At("source"), Text: n}))
	}
	makers := map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New, "MD5": md5.New}
	key := a.String("key")
	if mk := makers[f.method]; mk != nil {
		f.sum = mk()
		if key != "" {
			f.sum = hmac.New(mk, []byte(key))
		}
	}
	if f.method == "IPV4_NETWORK" {
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n > 32 {
			a.Fail("key", "", "IPV4_NETWORK needs the number of bits as key")
		}
		f.bits = n
	}
	return f
}

func (f *fingerprint) Filter(e *event.Event) Result {
	b := e.Batch()
	switch {
	case f.method == "UUID":
		e.Set(f.target, event.String(newID()))
		return Matched
	case f.method == "PUNCTUATION":
		return f.punctuation(e)
	case f.all || f.join:
		text := f.concatenate(e)
		e.Set(f.target, f.value(b, text))
		return Matched
	}
	done := false
	for _, p := range f.paths {
		v, ok := e.Get(p)
		if !ok {
			continue
		}
		out := event.Value{}
		if v.Kind() == event.ListKind {
			out = b.NewList(b.Len(v))
			for _, el := range b.Elems(v) {
				b.Append(out, f.value(b, b.Text(el)))
			}
		} else {
			out = f.value(b, b.Text(v))
		}
		e.Set(f.target, out)
		done = true
	}
	if !done {
		return None
	}
	return Matched
}

// concatenate is |name|value|name|value| over the sources, or all fields, sorted by name.
func (f *fingerprint) concatenate(e *event.Event) string {
	names, paths := f.names, f.paths
	if f.all {
		names, paths = e.Names(), nil
		slices.Sort(names)
		for _, n := range names {
			p, err := event.ParsePath(n)
			if err != nil {
				p = event.Field(n)
			}
			paths = append(paths, p)
		}
	}
	var out []byte
	for i, p := range paths {
		out = append(append(append(out, '|'), names[i]...), '|')
		if v, ok := e.Get(p); ok {
			out = e.Batch().AppendText(out, v)
		}
	}
	return string(append(out, '|'))
}

func (f *fingerprint) punctuation(e *event.Event) Result {
	var out []byte
	for _, p := range f.paths {
		if v, ok := e.Get(p); ok {
			for _, c := range []byte(e.Batch().Text(v)) {
				if c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == ' ' || c == '\t' {
					continue
				}
				out = append(out, c)
			}
		}
	}
	e.Set(f.target, event.String(e.Batch().KeepBytes(out)))
	return Matched
}

func (f *fingerprint) value(b *event.Batch, text string) event.Value {
	switch f.method {
	case "MURMUR3":
		return event.Int(int64(murmur3([]byte(text))))
	case "IPV4_NETWORK":
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		if err != nil || !ip.Is4() {
			return event.String(text)
		}
		p, _ := ip.Prefix(f.bits)
		return event.String(p.Addr().String())
	}
	f.sum.Reset()
	f.sum.Write([]byte(text))
	sum := f.sum.Sum(nil)
	if f.base64 {
		return event.String(base64.StdEncoding.EncodeToString(sum))
	}
	return event.String(hex.EncodeToString(sum))
}

// murmur3 is MurmurHash3 for 32 bits with seed 0.
func murmur3(b []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	h, n := uint32(0), uint32(len(b))
	mix := func(k uint32) uint32 {
		k *= c1
		k = k<<15 | k>>17
		return k * c2
	}
	for ; len(b) >= 4; b = b[4:] {
		h ^= mix(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24)
		h = (h<<13|h>>19)*5 + 0xe6546b64
	}
	k := uint32(0)
	for i := len(b) - 1; i >= 0; i-- {
		k = k<<8 | uint32(b[i])
	}
	h ^= mix(k)
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
