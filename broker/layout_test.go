package broker

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// fillAll gives every field of a request a value: numbers 1, strings "ab", arrays of two.
func fillAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fillAll(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Version" && f.Name != "UnknownTags" {
				fillAll(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fillAll(v.Index(i))
		}
	case reflect.String:
		v.SetString("ab")
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// TestLayouts: each API's layout is that of its requests in every version, to the byte, with everything filled in.
func TestLayouts(t *testing.T) {
	t.Parallel()
	for _, a := range apiTable() {
		for v := a.min; v <= a.max; v++ {
			req := kmsg.RequestForKey(a.key)
			fillAll(reflect.ValueOf(req))
			req.SetVersion(v)
			b := req.AppendTo(nil)
			if w := a.layout.walk(b, v, req.IsFlexible()); w.bad || len(w.b) > 0 {
				t.Errorf("%s v%d: bad %v, %d of %d bytes left", a.name, v, w.bad, len(w.b), len(b))
			}
			for n := range b {
				if a.layout.check(b[:n], v, req.IsFlexible()) == nil {
					t.Errorf("%s v%d: %d of %d bytes pass", a.name, v, n, len(b))
					break
				}
			}
		}
	}
}

// TestHostileLengths: lengths that no bytes stand behind are refused at once.
func TestHostileLengths(t *testing.T) {
	t.Parallel()
	many := binary.AppendUvarint(nil, 1<<32-1)
	cases := []struct {
		l        layout
		b        []byte
		flexible bool
	}{
		{"4", append([]byte{0, 0, 0, 1}, many...), true}, // tags
		{"{s}", many, true},
		{"[s]", append(append([]byte{3, 2, 'a'}, many...), 0), true}, // tags of an element
		{"{4}", []byte{0x7f, 0xff, 0xff, 0xff}, false},
		{"b", []byte{0x80, 0, 0, 1}, false},
		{"[1]", append(binary.BigEndian.AppendUint32(nil, maxElements+1), make([]byte, maxElements+1)...), false},
	}
	for i, c := range cases {
		start := time.Now()
		if err := c.l.check(c.b, 0, c.flexible); err == nil {
			t.Errorf("case %d passes", i)
		}
		if d := time.Since(start); d > time.Second {
			t.Errorf("case %d took %v", i, d)
		}
	}
}

func TestInVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s       string
		version int
		want    bool
	}{{"3+", 2, false}, {"3+", 3, true}, {"10+", 12, true}, {"2-4", 1, false}, {"2-4", 4, true}, {"2-4", 5, false}, {"8-10", 10, true}, {"1-1", 1, true}} {
		if got := inVersions(c.s, c.version); got != c.want {
			t.Errorf("%s", fmt.Sprintf("inVersions(%q, %d) = %v", c.s, c.version, got))
		}
	}
}
