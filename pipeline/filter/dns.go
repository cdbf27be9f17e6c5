package filter

import (
	"bufio"
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

var dnsOptions = []plugin.Option{
	{Name: "resolve", Kind: plugin.Array, Doc: "Fields with names to look addresses up for."},
	{Name: "reverse", Kind: plugin.Array, Doc: "Fields with addresses to look names up for."},
	{Name: "action", Enum: []string{"append", "replace"}, Default: "append", Doc: "Whether the answer stands beside the question or in its place."},
	{Name: "nameserver", Kind: plugin.Any, Doc: "Server or servers to ask, or { address => [...] search => [...] ndots => 1 }; default are the machine's."},
	{Name: "timeout", Kind: plugin.Number, Default: "0.5", Doc: "Seconds an answer may take."},
	{Name: "max_retries", Kind: plugin.Number, Default: "2", Doc: "Further questions when none came in time."},
	{Name: "hit_cache_size", Kind: plugin.Number, Default: "0", Doc: "Answers kept."},
	{Name: "hit_cache_ttl", Kind: plugin.Number, Default: "60", Doc: "Seconds an answer is kept for."},
	{Name: "failed_cache_size", Kind: plugin.Number, Default: "0", Doc: "Questions without an answer kept."},
	{Name: "failed_cache_ttl", Kind: plugin.Number, Default: "5", Doc: "Seconds they are kept for."},
	{Name: "hostsfile", Kind: plugin.Array, Doc: "Files of addresses and names that are looked at first."},
	{Name: "tag_on_timeout", Kind: plugin.Array, Default: "_dnstimeout", Doc: "Tags of events whose answer did not come in time."},
}

// dnsFilter asks for names and addresses. A question without an answer leaves the event as it is.
type dnsFilter struct {
	resolve, reverse []*event.Path
	replace          bool
	timeout          time.Duration
	retries          int
	onTimeout        []string
	resolver         *net.Resolver
	search           []string
	hosts            map[string]string // both ways
	hits, misses     *ttlCache
}

// ttlCache keeps answers for a while; when it is full it begins anew.
type ttlCache struct {
	most int
	ttl  time.Duration
	now  func() time.Time
	m    map[string]kept
}

type kept struct {
	text  string
	until time.Time
}

func newCache(a *plugin.Args, env *plugin.Env, name string) *ttlCache {
	return &ttlCache{a.Int(name + "_size"), a.Seconds(name + "_ttl"), env.Now, map[string]kept{}}
}

func (c *ttlCache) get(k string) (string, bool) {
	v, ok := c.m[k]
	return v.text, ok && c.now().Before(v.until)
}

func (c *ttlCache) put(k, v string) {
	if c.most <= 0 {
		return
	}
	if len(c.m) >= c.most {
		clear(c.m)
	}
	c.m[strings.Clone(k)] = kept{strings.Clone(v), c.now().Add(c.ttl)}
}

func newDNS(a *plugin.Args, env *plugin.Env) Filter {
	f := &dnsFilter{replace: a.String("action") == "replace", timeout: a.Seconds("timeout"), retries: a.Int("max_retries"), onTimeout: tags(a, "tag_on_timeout"),
		hosts: map[string]string{}, hits: newCache(a, env, "hit_cache"), misses: newCache(a, env, "failed_cache"), resolver: &net.Resolver{PreferGo: true}}
	for _, t := range a.Texts("resolve") {
		f.resolve = append(f.resolve, a.Path(t))
	}
	for _, t := range a.Texts("reverse") {
		f.reverse = append(f.reverse, a.Path(t))
	}
	if len(f.resolve)+len(f.reverse) == 0 {
		a.Fail("resolve", "", "dns needs resolve or reverse")
	}
	for _, t := range a.Texts("hostsfile") {
		if err := f.readHosts(t.Text); err != nil {
			a.FailAt(t.Pos, "", "%v", err)
		}
	}
	if servers := f.servers(a); len(servers) > 0 {
		f.resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, servers[rand.IntN(len(servers))])
		}
	}
	return f
}

// servers reads nameserver: texts, or a hash with address and search.
func (f *dnsFilter) servers(a *plugin.Args) []string {
	var list []plugin.Text
	if _, ok := a.Value("nameserver").(*conf.Hash); ok {
		for _, p := range a.Pairs("nameserver") {
			switch p.Key.Text {
			case "address":
				list = p.Values
			case "search":
				for _, v := range p.Values {
					f.search = append(f.search, v.Text)
				}
			case "ndots":
			default:
				a.FailAt(p.Key.Pos, "one of address, search, ndots", "nameserver has no member %q", p.Key.Text)
			}
		}
	} else {
		list = a.Texts("nameserver")
	}
	var out []string
	for _, t := range list {
		addr := t.Text
		if ip, err := netip.ParseAddr(addr); err == nil {
			addr = netip.AddrPortFrom(ip, 53).String()
		} else if _, err := netip.ParseAddrPort(addr); err != nil {
			a.FailAt(t.Pos, "", "%q is no address of a name server", t.Text)
		}
		out = append(out, addr)
	}
	return out
}

func (f *dnsFilter) readHosts(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	sc := bufio.NewScanner(file)
	for sc.Scan() {
		line, _, _ := strings.Cut(sc.Text(), "#")
		w := strings.Fields(line)
		if len(w) < 2 {
			continue
		}
		for i, h := range w[1:] {
			f.hosts[h] = w[0]
			if _, there := f.hosts[w[0]]; i == 0 && !there {
				f.hosts[w[0]] = h
			}
		}
	}
	return sc.Err()
}

var errUnknown = errors.New("no such name")

func (f *dnsFilter) Filter(e *event.Event) Result {
	for _, set := range []struct {
		paths  []*event.Path
		lookup func(context.Context, string) (string, error)
	}{{f.resolve, f.address}, {f.reverse, f.name}} {
		for _, p := range set.paths {
			switch err := f.field(e, p, set.lookup); {
			case errors.Is(err, context.DeadlineExceeded):
				return fail(e, f.onTimeout)
			case err != nil:
				return None
			}
		}
	}
	return Matched
}

func (f *dnsFilter) field(e *event.Event, p *event.Path, lookup func(context.Context, string) (string, error)) error {
	v, ok := e.Get(p)
	b := e.Batch()
	if ok && v.Kind() == event.ListKind {
		l := b.Elems(v)
		if len(l) != 1 {
			return errUnknown
		}
		v = l[0]
	}
	if v.Kind() != event.StringKind || v.Str() == "" {
		return errUnknown
	}
	found, err := f.ask(v.Str(), lookup)
	if err != nil {
		return err
	}
	if f.replace {
		return e.Set(p, event.String(found))
	}
	plugin.AppendValue(e, p, event.String(found))
	return nil
}

// ask looks into the hosts files, the caches, and then asks.
func (f *dnsFilter) ask(q string, lookup func(context.Context, string) (string, error)) (string, error) {
	if h, ok := f.hosts[q]; ok {
		return h, nil
	}
	if h, ok := f.hits.get(q); ok {
		return h, nil
	}
	if _, ok := f.misses.get(q); ok {
		return "", errUnknown
	}
	var err error
	for range f.retries + 1 {
		ctx, cancel := context.WithTimeout(context.Background(), f.timeout)
		var found string
		found, err = lookup(ctx, strings.Clone(q))
		late := ctx.Err() != nil
		cancel()
		if err == nil {
			f.hits.put(q, found)
			return found, nil
		}
		var de *net.DNSError
		if late || errors.As(err, &de) && de.IsTimeout {
			err = context.DeadlineExceeded
			continue
		}
		break
	}
	f.misses.put(q, "")
	return "", err
}

// address is the first address of a name, an IPv4 one when there is one.
func (f *dnsFilter) address(ctx context.Context, name string) (string, error) {
	names := []string{name}
	for _, s := range f.search {
		names = append(names, name+"."+strings.TrimPrefix(s, "."))
	}
	var last error
	for _, n := range names {
		ips, err := f.resolver.LookupNetIP(ctx, "ip", n)
		if err != nil || len(ips) == 0 {
			last = err
			continue
		}
		for _, ip := range ips {
			if ip.Unmap().Is4() {
				return ip.Unmap().String(), nil
			}
		}
		return ips[0].String(), nil
	}
	if last == nil {
		last = errUnknown
	}
	return "", last
}

func (f *dnsFilter) name(ctx context.Context, addr string) (string, error) {
	if _, err := netip.ParseAddr(addr); err != nil {
		return "", errUnknown
	}
	names, err := f.resolver.LookupAddr(ctx, addr)
	if err != nil {
		return "", err
	}
	if len(names) == 0 {
		return "", errUnknown
	}
	return strings.TrimSuffix(names[0], "."), nil
}
