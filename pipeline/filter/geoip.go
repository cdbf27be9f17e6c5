package filter

import (
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/oschwald/maxminddb-golang/v2"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var geoipOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Required: true, Doc: "Field with the address."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the findings below; default geoip, with ECS the parent of the source."},
	{Name: "database", Kind: plugin.Path, Required: true, Doc: "MaxMind file (.mmdb) of places, countries, networks, domains or providers. None comes with weir."},
	{Name: "default_database_type", Enum: []string{"City", "ASN"}, Default: "City", Unread: "database is always named", Doc: "Which database of Logstash is used without database."},
	{Name: "fields", Kind: plugin.Array, Doc: "The only findings to set, such as city_name and location."},
	{Name: "cache_size", Kind: plugin.Number, Default: "1000", Doc: "Addresses whose findings are remembered."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_geoip_lookup_failure", Doc: "Tags of events whose address is none, or is not known."},
}

// geoNames are the findings in the order they are set: name, field with ECS.
var geoNames = [][2]string{{"city_name", "[geo][city_name]"}, {"continent_code", "[geo][continent_code]"}, {"continent_name", "[geo][continent_name]"},
	{"country_name", "[geo][country_name]"}, {"country_code2", "[geo][country_iso_code]"}, {"country_code3", ""}, {"ip", "[ip]"}, {"postal_code", "[geo][postal_code]"},
	{"region_name", "[geo][region_name]"}, {"region_code", "[geo][region_code]"}, {"region_iso_code", "[geo][region_iso_code]"}, {"timezone", "[geo][timezone]"},
	{"location", "[geo][location]"}, {"latitude", ""}, {"longitude", ""}, {"dma_code", "[mmdb][dma_code]"}, {"asn", "[as][number]"}, {"as_org", "[as][organization][name]"},
	{"autonomous_system_number", "[as][number]"}, {"autonomous_system_organization", "[as][organization][name]"}, {"domain", "[domain]"}, {"isp", "[mmdb][isp]"},
	{"organization", "[mmdb][organization]"}}

type geoip struct {
	source    *event.Path
	fields    []geoField
	onFailure []string
	db        *geoDB
	cache     map[netip.Addr]*geoFound
	most      int
}

type geoField struct {
	name string
	path *event.Path
}

// geoFound is what a database knows of an address; nil when it is not in it.
type geoFound struct{ values map[string]event.Value }

func newGeoIP(a *plugin.Args, env *plugin.Env) Filter {
	f := &geoip{source: a.Field("source"), onFailure: tags(a, "tag_on_failure"), cache: map[netip.Addr]*geoFound{}, most: max(1, a.Int("cache_size"))}
	if f.source == nil || !a.Has("database") {
		return nil
	}
	f.paths(a, a.ECS(env))
	f.db = env.Share("geoip "+a.String("database"), func() any { return openGeo(a.String("database")) }).(*geoDB)
	if f.db.err != nil {
		a.Fail("database", "", "%v", f.db.err)
		return nil
	}
	return f
}

// geoDB is a database in memory, one for all workers.
type geoDB struct {
	r   *maxminddb.Reader
	err error
}

func openGeo(path string) *geoDB {
	data, err := os.ReadFile(path)
	if err != nil {
		return &geoDB{err: err}
	}
	r, err := maxminddb.OpenBytes(data)
	return &geoDB{r, err}
}

// paths finds out where each finding goes.
func (f *geoip) paths(a *plugin.Args, ecs bool) {
	target := a.Field("target")
	if target == nil {
		switch names := f.source.Names(); {
		case !ecs:
			target = event.MustPath("geoip")
		case len(names) > 1:
			target = event.MustPath("[" + strings.Join(names[:len(names)-1], "][") + "]")
		default:
			a.Fail("target", `write target => "source"`, "with ECS names geoip needs a target, for %s has no parent", f.source)
			return
		}
	}
	want := a.Strings("fields")
	for _, n := range want {
		if !slices.ContainsFunc(geoNames, func(g [2]string) bool { return strings.EqualFold(g[0], n) }) {
			a.Fail("fields", "", "geoip has no field %q", n)
		}
	}
	for _, g := range geoNames {
		if len(want) > 0 && !slices.ContainsFunc(want, func(n string) bool { return strings.EqualFold(n, g[0]) }) {
			continue
		}
		switch {
		case !ecs:
			if g[0] == "autonomous_system_number" || g[0] == "autonomous_system_organization" {
				continue // asn and as_org are their names
			}
			f.fields = append(f.fields, geoField{g[0], target.Child(g[0])})
		case g[1] != "":
			p := target
			for _, n := range event.MustPath(g[1]).Names() {
				p = p.Child(n)
			}
			f.fields = append(f.fields, geoField{g[0], p})
		}
	}
}

func (f *geoip) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() {
		return None
	}
	b := e.Batch()
	if v.Kind() == event.ListKind {
		l := b.Elems(v)
		if len(l) == 0 {
			return None
		}
		v = l[0]
	}
	ip, err := netip.ParseAddr(strings.TrimSpace(b.Text(v)))
	if err != nil {
		return fail(e, f.onFailure)
	}
	found := f.find(ip.Unmap())
	if len(found.values) == 0 {
		return fail(e, f.onFailure)
	}
	for i := range f.fields {
		if v, ok := found.values[f.fields[i].name]; ok {
			e.Set(f.fields[i].path, b.Copy(v))
		}
	}
	return Matched
}

// find looks an address up. When the cache is full it begins anew.
func (f *geoip) find(ip netip.Addr) *geoFound {
	if g, ok := f.cache[ip]; ok {
		return g
	}
	g := &geoFound{}
	if rec, ok := f.record(ip); ok {
		g.values = geoValues(ip, rec)
	}
	if len(f.cache) >= f.most {
		clear(f.cache)
	}
	f.cache[ip] = g
	return g
}

func (f *geoip) record(ip netip.Addr) (rec map[string]any, ok bool) {
	r := f.db.r.Lookup(ip)
	if r.Err() != nil || !r.Found() {
		return nil, false
	}
	return rec, r.Decode(&rec) == nil && len(rec) > 0
}

// geoValues turns a record into findings. The batch it makes them in is theirs.
func geoValues(ip netip.Addr, rec map[string]any) map[string]event.Value {
	b := event.NewBatch(false)
	out := map[string]event.Value{}
	text := func(name string, path ...string) {
		if s, ok := dig(rec, path...).(string); ok && s != "" {
			out[name] = event.String(s)
		}
	}
	text("city_name", "city", "names", "en")
	text("continent_code", "continent", "code")
	text("continent_name", "continent", "names", "en")
	text("country_name", "country", "names", "en")
	text("country_code2", "country", "iso_code")
	text("country_code3", "country", "iso_code")
	text("postal_code", "postal", "code")
	text("timezone", "location", "time_zone")
	text("domain", "domain")
	text("isp", "isp")
	text("organization", "organization")
	text("as_org", "autonomous_system_organization")
	text("autonomous_system_organization", "autonomous_system_organization")
	if l, ok := dig(rec, "subdivisions").([]any); ok && len(l) > 0 {
		if s, ok := l[0].(map[string]any); ok {
			geoRegion(out, rec, s)
		}
	}
	for name, path := range map[string][]string{"asn": {"autonomous_system_number"}, "autonomous_system_number": {"autonomous_system_number"}, "dma_code": {"location", "metro_code"}} {
		if n, ok := dig(rec, path...).(uint64); ok {
			out[name] = event.Int(int64(n))
		}
	}
	lat, ok1 := dig(rec, "location", "latitude").(float64)
	lon, ok2 := dig(rec, "location", "longitude").(float64)
	if ok1 && ok2 {
		m := b.NewMap()
		b.Put(m, "lon", event.Float(lon))
		b.Put(m, "lat", event.Float(lat))
		out["location"], out["latitude"], out["longitude"] = m, event.Float(lat), event.Float(lon)
	}
	if len(out) > 0 {
		out["ip"] = event.String(ip.String())
	}
	return out
}

func geoRegion(out map[string]event.Value, rec, sub map[string]any) {
	if s, ok := dig(sub, "names", "en").(string); ok {
		out["region_name"] = event.String(s)
	}
	code, ok := dig(sub, "iso_code").(string)
	if !ok {
		return
	}
	out["region_code"] = event.String(code)
	if c, ok := dig(rec, "country", "iso_code").(string); ok {
		out["region_iso_code"] = event.String(c + "-" + code)
	}
}

// dig follows names into objects.
func dig(v any, path ...string) any {
	for _, p := range path {
		m, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = m[p]
	}
	return v
}
