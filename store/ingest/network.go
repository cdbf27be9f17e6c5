package ingest

import (
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/weirlog/weir/store/painless"
)

// lookup reads a text field that a processor explains below a target.
type lookup struct {
	field, target string
	missing       bool
}

func newLookup(o *options, target string) lookup {
	return lookup{o.mustText("field"), o.text("target_field", target), o.boolean("ignore_missing", false)}
}

// text is the field's; ok is false when it may be missing and is.
func (l *lookup) text(d *Document) (s string, ok bool, err error) {
	v, has := d.Get(l.field)
	switch {
	case (!has || v == nil) && l.missing:
		return "", false, nil
	case !has:
		_, err := d.Must(l.field)
		return "", false, err
	case v == nil:
		return "", false, failf("field [%s] is null, cannot process it.", l.field)
	}
	s, isText := v.(string)
	if !isText {
		return "", false, failf("field [%s] of type [%s] cannot be cast to [java.lang.String]", l.field, typeName(v))
	}
	return s, true, nil
}

// keep leaves only the wanted keys of a map.
func keep(m *painless.Map, wanted []string) *painless.Map {
	if len(wanted) == 0 {
		return m
	}
	for _, k := range slices.Clone(m.Keys()) {
		if !slices.ContainsFunc(wanted, func(w string) bool { return strings.EqualFold(w, k) }) {
			m.Delete(k)
		}
	}
	return m
}

type userAgent struct {
	lookup
	props []string
	f     func(string) *painless.Map
}

func newUserAgent(o *options) processor {
	u := &userAgent{lookup: newLookup(o, "user_agent"), props: o.texts("properties", false), f: o.c.s.filters.UserAgent}
	o.boolean("extract_device_type", false)
	if file := o.text("regex_file", ""); file != "" {
		o.fail("regex_file", "[regex_file] is not supported")
	}
	if u.f == nil {
		o.fail("field", "[user_agent] is not available in this process")
	}
	return u
}

func (u *userAgent) run(_ *execution, d *Document) error {
	s, ok, err := u.text(d)
	if err != nil || !ok {
		return err
	}
	return d.Set(u.target, keep(u.f(s), u.props))
}

type geoIP struct {
	lookup
	props []string
	first bool
	f     func(string) (*painless.Map, bool, error)
}

func newGeoIP(o *options) processor {
	g := &geoIP{lookup: newLookup(o, "geoip"), props: o.texts("properties", false), first: o.boolean("first_only", true)}
	o.boolean("download_database_on_pipeline_creation", true)
	file := o.text("database_file", "GeoLite2-City.mmdb")
	switch {
	case o.err != nil:
	case o.c.s.filters.GeoIP == nil:
		o.fail("field", "[geoip] is not available in this process")
	default:
		var err error
		if g.f, err = o.c.s.filters.GeoIP(file); err != nil {
			o.fail("database_file", "[database_file] database ["+file+"] is not there: "+err.Error())
		}
	}
	return g
}

func (g *geoIP) run(_ *execution, d *Document) error {
	v, ok := d.Get(g.field)
	if l, isList := v.(*painless.List); ok && isList {
		return g.list(d, l)
	}
	s, ok, err := g.text(d)
	if err != nil || !ok {
		return err
	}
	m, found, err := g.f(s)
	if err != nil {
		return failf("%v", err)
	}
	if !found {
		return nil
	}
	return d.Set(g.target, keep(m, g.props))
}

// list explains the addresses of a list: the first that is known, or all.
func (g *geoIP) list(d *Document, l *painless.List) error {
	out := &painless.List{}
	any := false
	for _, e := range l.Items {
		m, found, err := g.f(painless.Text(e))
		if err != nil {
			return failf("%v", err)
		}
		if !found {
			out.Items = append(out.Items, nil)
			continue
		}
		if g.first {
			return d.Set(g.target, keep(m, g.props))
		}
		any = true
		out.Items = append(out.Items, keep(m, g.props))
	}
	if !any {
		return nil
	}
	return d.Set(g.target, out)
}

type registeredDomain struct{ lookup }

func newRegisteredDomain(o *options) processor {
	r := &registeredDomain{newLookup(o, "")}
	return r
}

func (r *registeredDomain) run(_ *execution, d *Document) error {
	s, ok, err := r.text(d)
	if err != nil || !ok {
		return err
	}
	host := strings.TrimSuffix(strings.ToLower(s), ".")
	suffix, _ := publicsuffix.PublicSuffix(host)
	reg, err := publicsuffix.EffectiveTLDPlusOne(host)
	if err != nil {
		return nil // a bare suffix has no domain
	}
	prefix := r.target
	if prefix != "" {
		prefix += "."
	}
	sub := strings.TrimSuffix(strings.TrimSuffix(host, reg), ".")
	for _, f := range []struct{ k, v string }{{"domain", host}, {"registered_domain", reg}, {"top_level_domain", suffix}, {"subdomain", sub}} {
		if f.v == "" {
			continue
		}
		if err := d.Set(prefix+f.k, f.v); err != nil {
			return err
		}
	}
	return nil
}

type uriParts struct {
	lookup
	keepOriginal, removeOK bool
}

func newURIParts(o *options) processor {
	return &uriParts{newLookup(o, "url"), o.boolean("keep_original", true), o.boolean("remove_if_successful", false)}
}

func (u *uriParts) run(_ *execution, d *Document) error {
	s, ok, err := u.text(d)
	if err != nil || !ok {
		return err
	}
	p, err := url.Parse(s)
	if err != nil {
		return failf("unable to parse URI [%s]", s)
	}
	m := painless.NewMap()
	set := func(k, v string) {
		if v != "" {
			m.Set(k, v)
		}
	}
	if u.keepOriginal {
		m.Set("original", s)
	}
	set("scheme", p.Scheme)
	set("domain", p.Hostname())
	if port, err := strconv.ParseInt(p.Port(), 10, 64); err == nil {
		m.Set("port", port)
	}
	m.Set("path", p.Path)
	set("extension", strings.TrimPrefix(path.Ext(p.Path), "."))
	set("query", p.RawQuery)
	set("fragment", p.Fragment)
	if p.User != nil {
		set("user_info", p.User.String())
		set("username", p.User.Username())
		pw, _ := p.User.Password()
		set("password", pw)
	}
	if u.removeOK && u.field != u.target {
		if err := d.Remove(u.field); err != nil {
			return err
		}
	}
	return d.Set(u.target, m)
}
