package ingest

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/painless"
)

// dateFormat reads one of the forms the date processors know.
type dateFormat struct {
	name string
	f    *mapping.DateFormat // nil for UNIX, UNIX_MS and TAI64N
}

func newDateFormat(name string) (dateFormat, error) {
	switch name {
	case "UNIX", "UNIX_MS", "TAI64N":
		return dateFormat{name: name}, nil
	case "ISO8601":
		f, err := mapping.ParseDateFormat("strict_date_optional_time||basic_date_time")
		return dateFormat{name, f}, err
	}
	f, err := mapping.ParseDateFormat(name)
	return dateFormat{name, f}, err
}

// tai64Base is the second of TAI64 labels at 1970, and tai64Leap the seconds TAI was ahead of UTC then.
const (
	tai64Base = 1 << 62
	tai64Leap = 10
)

func (df dateFormat) parse(s string, loc *time.Location) (time.Time, error) {
	switch df.name {
	case "UNIX":
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Abs(f) > 1e12 {
			return time.Time{}, failf("unable to parse date [%s]", s)
		}
		sec, frac := math.Modf(f)
		return time.Unix(int64(sec), int64(math.Round(frac*1e3))*1e6), nil
	case "UNIX_MS":
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return time.Time{}, failf("unable to parse date [%s]", s)
		}
		return time.UnixMilli(n), nil
	case "TAI64N":
		hex := strings.TrimPrefix(s, "@")
		if len(hex) != 24 {
			return time.Time{}, failf("unable to parse date [%s]", s)
		}
		sec, err1 := strconv.ParseUint(hex[:16], 16, 64)
		ns, err2 := strconv.ParseUint(hex[16:], 16, 64)
		if err1 != nil || err2 != nil || sec < tai64Base {
			return time.Time{}, failf("unable to parse date [%s]", s)
		}
		return time.Unix(int64(sec-tai64Base)-tai64Leap, int64(ns)), nil
	}
	ns, err := df.f.Parse(s, false, loc)
	if err != nil {
		return time.Time{}, err
	}
	t := time.Unix(0, ns)
	if !strings.ContainsAny(df.name, "yu") && df.name != "ISO8601" && t.UTC().Year() == 1970 { // a format without a year means this one
		u := t.In(loc)
		t = time.Date(time.Now().In(loc).Year(), u.Month(), u.Day(), u.Hour(), u.Minute(), u.Second(), u.Nanosecond(), loc)
	}
	return t, nil
}

// parseAny tries the formats in order.
func parseAny(formats []dateFormat, s string, loc *time.Location) (time.Time, error) {
	for _, f := range formats {
		if t, err := f.parse(s, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, failf("unable to parse date [%s]", s)
}

func (o *options) formats(name string, required bool, def []string) []dateFormat {
	list := o.texts(name, required)
	if list == nil {
		list = def
	}
	var out []dateFormat
	for _, s := range list {
		f, err := newDateFormat(s)
		if err != nil {
			o.fail(name, "["+name+"] "+err.Error())
		}
		out = append(out, f)
	}
	return out
}

func (o *options) zone() template { return o.template("timezone", "UTC", false) }

func zoneOf(t template, d *Document) (*time.Location, error) {
	name := t.render(d)
	if name == "" {
		return time.UTC, nil
	}
	return mapping.ParseZone(name)
}

type date struct {
	field, target string
	formats       []dateFormat
	zone          template
	out           *mapping.DateFormat
}

func newDate(o *options) processor {
	p := &date{field: o.mustText("field"), target: o.text("target_field", "@timestamp"), zone: o.zone(), formats: o.formats("formats", true, nil)}
	o.text("locale", "")
	var err error
	if p.out, err = mapping.ParseDateFormat(o.text("output_format", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")); err != nil {
		o.fail("output_format", "[output_format] "+err.Error())
	}
	return p
}

func (p *date) run(_ *execution, d *Document) error {
	v, err := d.Must(p.field)
	if err != nil {
		return err
	}
	loc, err := zoneOf(p.zone, d)
	if err != nil {
		return err
	}
	t, err := parseAny(p.formats, dateText(v), loc)
	if err != nil {
		return err
	}
	return d.Set(p.target, p.out.Format(t.UnixNano(), loc))
}

// dateText is a date's text; a floating number keeps no exponent.
func dateText(v any) string {
	if f, ok := v.(float64); ok {
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
	return painless.Text(v)
}

type dateIndexName struct {
	field      string
	prefix     template
	rounding   template
	nameFormat template
	formats    []dateFormat
	zone       template
}

func newDateIndexName(o *options) processor {
	p := &dateIndexName{field: o.mustText("field"), prefix: o.template("index_name_prefix", "", false), rounding: o.template("date_rounding", "", true),
		nameFormat: o.template("index_name_format", "yyyy-MM-dd", false), zone: o.zone(), formats: o.formats("date_formats", false, []string{"yyyy-MM-dd'T'HH:mm:ss.SSSXX"})}
	o.text("locale", "")
	if o.err == nil && p.rounding.plain() && !strings.Contains("y M w d h m s", p.rounding.parts[0]) {
		o.fail("date_rounding", "[date_rounding] must be one of y, M, w, d, h, m, s")
	}
	return p
}

func (p *dateIndexName) run(_ *execution, d *Document) error {
	v, err := d.Must(p.field)
	if err != nil {
		return err
	}
	loc, err := zoneOf(p.zone, d)
	if err != nil {
		return err
	}
	t, err := parseAny(p.formats, dateText(v), loc)
	if err != nil {
		return err
	}
	f, err := mapping.ParseDateFormat(p.nameFormat.render(d))
	if err != nil {
		return failf("%v", err)
	}
	ns, err := mapping.ParseDateMath("now/"+p.rounding.render(d), t, f, loc, false)
	if err != nil {
		return failf("%v", err)
	}
	d.Index = p.prefix.render(d) + f.Format(ns, loc)
	return nil
}
