package filter

import (
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var cidrOptions = []plugin.Option{
	{Name: "address", Kind: plugin.Array, Doc: "Addresses to look at; may hold %{field}."},
	{Name: "network", Kind: plugin.Array, Doc: "Networks, 10.0.0.0/8; may hold %{field}."},
	{Name: "network_path", Kind: plugin.Path, Doc: "File of networks."},
	{Name: "separator", Default: "\n", Doc: "What stands between networks in the file."},
	{Name: "refresh_interval", Kind: plugin.Number, Default: "600", Doc: "Seconds after which the file is looked at again."},
}

// cidr succeeds when an address lies in a network.
type cidr struct {
	addresses, dynamic []*plugin.Template
	fixed              []netip.Prefix
	file               *watched
	separator          string
}

func newCIDR(a *plugin.Args, env *plugin.Env) Filter {
	f := &cidr{addresses: a.Templates("address"), separator: a.String("separator")}
	for _, t := range a.Texts("network") {
		tpl := a.Template(t)
		if !tpl.Const() {
			f.dynamic = append(f.dynamic, tpl)
			continue
		}
		p, ok := parsePrefix(t.Text)
		if !ok {
			a.FailAt(t.Pos, "write it as 10.0.0.0/8", "%q is no network", t.Text)
		}
		f.fixed = append(f.fixed, p)
	}
	if path := a.String("network_path"); path != "" {
		if a.Has("network") {
			a.Fail("network_path", "", "network and network_path exclude each other")
		}
		f.file = newWatched(a, env, "network_path", a.Seconds("refresh_interval"), f.load)
	}
	return f
}

func parsePrefix(s string) (netip.Prefix, bool) {
	s = strings.TrimSpace(s)
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), true
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(ip, ip.BitLen()), true
}

func (f *cidr) load(text []byte) error {
	var l []netip.Prefix
	for s := range strings.SplitSeq(string(text), f.separator) {
		if p, ok := parsePrefix(s); ok {
			l = append(l, p)
		}
	}
	f.fixed = l
	return nil
}

func (f *cidr) Filter(e *event.Event) Result {
	if f.file != nil {
		f.file.refresh()
	}
	for _, t := range f.addresses {
		ip, err := netip.ParseAddr(strings.TrimSpace(t.Render(e)))
		if err != nil {
			continue
		}
		ip = ip.Unmap()
		for _, p := range f.fixed {
			if p.Contains(ip) {
				return Matched
			}
		}
		for _, d := range f.dynamic {
			for s := range strings.SplitSeq(d.Render(e), ",") { // a list is joined by commas
				if p, ok := parsePrefix(s); ok && p.Contains(ip) {
					return Matched
				}
			}
		}
	}
	return None
}

// watched is a file that is read again when it changes. A file that cannot be read leaves what was read before.
type watched struct {
	path  string
	every time.Duration
	env   *plugin.Env
	load  func([]byte) error
	next  time.Time
	mod   time.Time
	size  int64
}

// maxDictionary is the size of the largest file that is read whole.
const maxDictionary = 256 << 20

func newWatched(a *plugin.Args, env *plugin.Env, option string, every time.Duration, load func([]byte) error) *watched {
	w := &watched{path: a.String(option), every: every, env: env, load: load, next: env.Now().Add(every)}
	if err := w.read(); err != nil {
		a.Fail(option, "", "%v", err)
	}
	return w
}

func (w *watched) read() error {
	st, err := os.Stat(w.path)
	if err != nil {
		return err
	}
	if st.Size() > maxDictionary {
		return &os.PathError{Op: "read", Path: w.path, Err: os.ErrInvalid}
	}
	if st.ModTime().Equal(w.mod) && st.Size() == w.size {
		return nil
	}
	b, err := os.ReadFile(w.path)
	if err != nil {
		return err
	}
	if err := w.load(b); err != nil {
		return err
	}
	w.mod, w.size = st.ModTime(), st.Size()
	return nil
}

func (w *watched) refresh() {
	if w.every <= 0 || w.env.Now().Before(w.next) {
		return
	}
	w.next = w.env.Now().Add(w.every)
	if err := w.read(); err != nil {
		w.env.Log.Warn("file cannot be read again, its old content stays", "path", w.path, "err", err)
	}
}
