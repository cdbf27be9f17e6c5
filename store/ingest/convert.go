package ingest

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/weirlog/weir/store/painless"
)

func parseInt(s string) (int64, error) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	if hex, ok := strings.CutPrefix(strings.TrimPrefix(s, "-"), "0x"); ok {
		n, err := strconv.ParseInt(hex, 16, 64)
		if neg {
			n = -n
		}
		return n, err
	}
	return strconv.ParseInt(s, 10, 64)
}

type convert struct {
	field, target, typ string
	missing            bool
}

func newConvert(o *options) processor {
	c := &convert{field: o.mustText("field"), missing: o.boolean("ignore_missing", false), typ: o.mustText("type")}
	c.target = o.text("target_field", c.field)
	switch c.typ {
	case "integer", "long", "float", "double", "boolean", "ip", "string", "auto", "":
	default:
		o.fail("type", "type ["+c.typ+"] not supported, cannot convert field.")
	}
	return c
}

func (c *convert) run(_ *execution, d *Document) error {
	v, ok := d.Get(c.field)
	switch {
	case (!ok || v == nil) && c.missing:
		return nil
	case !ok:
		_, err := d.Must(c.field)
		return err
	case v == nil:
		return failf("Field [%s] is null, cannot be converted to type [%s]", c.field, c.typ)
	}
	out, err := c.value(v)
	if err != nil {
		return err
	}
	return d.Set(c.target, out)
}

func (c *convert) value(v any) (any, error) {
	if l, ok := v.(*painless.List); ok {
		out := &painless.List{}
		for _, e := range l.Items {
			x, err := c.value(e)
			if err != nil {
				return nil, err
			}
			out.Items = append(out.Items, x)
		}
		return out, nil
	}
	s := painless.Text(v)
	bad := func() (any, error) { return nil, failf("unable to convert [%s] to %s", s, c.typ) }
	switch c.typ {
	case "integer", "long":
		n, err := parseInt(s)
		if err != nil || c.typ == "integer" && n != int64(int32(n)) {
			return bad()
		}
		return n, nil
	case "float", "double":
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil {
			return bad()
		}
		if c.typ == "float" {
			f, _ = strconv.ParseFloat(strconv.FormatFloat(float64(float32(f)), 'g', -1, 32), 64)
		}
		return f, nil
	case "boolean":
		switch strings.ToLower(s) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, failf("[%s] is not a boolean value, cannot convert to boolean", s)
	case "ip":
		if _, err := netip.ParseAddr(s); err != nil {
			return nil, failf("'%s' is not an IP string literal.", s)
		}
		return s, nil
	case "auto":
		return auto(v), nil
	}
	return s, nil
}

// auto finds the narrowest type a text fits.
func auto(v any) any {
	s, ok := v.(string)
	if !ok {
		return v
	}
	if n, err := parseInt(s); err == nil {
		return n
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return f
	}
	switch strings.ToLower(s) {
	case "true":
		return true
	case "false":
		return false
	}
	return v
}
