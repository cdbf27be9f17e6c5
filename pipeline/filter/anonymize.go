package filter

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"strconv"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var anonymizeOptions = []plugin.Option{
	{Name: "fields", Kind: plugin.Array, Required: true, Doc: "Fields whose values are replaced by their sums."},
	{Name: "algorithm", Enum: []string{"SHA1", "SHA256", "SHA384", "SHA512", "MD5", "MURMUR3", "IPV4_NETWORK"}, Default: "SHA1", Doc: "How the sum is made."},
	{Name: "key", Kind: plugin.Password, Required: true, Doc: "Key of the sum, or number of bits of IPV4_NETWORK."},
}

// anonymize puts sums in the place of values; those of lists one by one.
type anonymize struct {
	paths []*event.Path
	sum   fingerprint
}

func newAnonymize(a *plugin.Args, _ *plugin.Env) Filter {
	f := &anonymize{sum: fingerprint{method: a.String("algorithm")}}
	for _, t := range a.Texts("fields") {
		f.paths = append(f.paths, a.Path(t))
	}
	key := a.String("key")
	makers := map[string]func() hash.Hash{"SHA1": sha1.New, "SHA256": sha256.New, "SHA384": sha512.New384, "SHA512": sha512.New, "MD5": md5.New}
	if mk := makers[f.sum.method]; mk != nil {
		f.sum.sum = hmac.New(mk, []byte(key))
	}
	if f.sum.method == "IPV4_NETWORK" {
		n, err := strconv.Atoi(key)
		if err != nil || n < 0 || n > 32 {
			a.Fail("key", "", "IPV4_NETWORK needs the number of bits as key")
		}
		f.sum.bits = n
	}
	return f
}

func (f *anonymize) Filter(e *event.Event) Result {
	b := e.Batch()
	for _, p := range f.paths {
		v, ok := e.Get(p)
		if !ok || v.IsNil() {
			continue
		}
		if v.Kind() != event.ListKind {
			e.Set(p, f.sum.value(b, b.Text(v)))
			continue
		}
		out := b.NewList(b.Len(v))
		for _, el := range b.Elems(v) {
			b.Append(out, f.sum.value(b, b.Text(el)))
		}
		e.Set(p, out)
	}
	return Matched
}
