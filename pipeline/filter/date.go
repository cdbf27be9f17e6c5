package filter

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/pipeline/timefmt"
)

var dateOptions = []plugin.Option{
	{Name: "match", Kind: plugin.Array, Required: true, Doc: "The field, then formats in the order to try: Joda patterns, ISO8601, UNIX, UNIX_MS, TAI64N."},
	{Name: "target", Kind: plugin.Field, Default: "@timestamp", Doc: "Where the time goes."},
	{Name: "timezone", Doc: "Zone of times without one; may hold %{field}. Default is the machine's."},
	{Name: "locale", Doc: "Language of month and day names; English is known."},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_dateparsefailure", Doc: "Tags of events no format fits."},
}

type dateFilter struct {
	source, target *event.Path
	formats        []dateFormat
	zone           *timefmt.Zone
	zoneText       *plugin.Template // when it depends on the event
	zoneName       string           // of zone, when zoneText is set
	now            func() time.Time
	onFailure      []string
}

type dateFormat func(s string, zone *timefmt.Zone) (ns int64, ok bool)

func newDate(a *plugin.Args, env *plugin.Env) Filter {
	f := &dateFilter{target: a.Field("target"), onFailure: tags(a, "tag_on_failure"), now: env.Now, zone: timefmt.NewZone(time.Local)}
	match := a.Texts("match")
	if len(match) < 2 {
		a.Fail("match", `write ["field", "format"]`, "match of date needs a field and at least one format")
		return nil
	}
	f.source = a.Path(match[0])
	for _, m := range match[1:] {
		if df := f.format(m.Text, a, m); df != nil {
			f.formats = append(f.formats, df)
		}
	}
	if l := a.String("locale"); l != "" && l != "en" && !strings.HasPrefix(l, "en-") && !strings.HasPrefix(l, "en_") && l != "C" && l != "POSIX" {
		a.Fail("locale", "", "locale %q is not known; month and day names are read in English", l)
	}
	if a.Has("timezone") {
		f.setZone(a)
	}
	return f
}

func (f *dateFilter) setZone(a *plugin.Args) {
	t := a.Template(plugin.Text{Pos: a.At("timezone"), Text: a.String("timezone")})
	if !t.Const() {
		f.zoneText = t
		return
	}
	loc, err := timefmt.LoadZone(t.String())
	if err != nil {
		a.Fail("timezone", "", "%v", err)
		return
	}
	f.zone = timefmt.NewZone(loc)
}

func (f *dateFilter) format(text string, a *plugin.Args, at plugin.Text) dateFormat {
	switch text {
	case "ISO8601":
		return parseISO
	case "UNIX":
		return parseUnix
	case "UNIX_MS":
		return parseUnixMs
	case "TAI64N":
		return parseTAI64N
	}
	l, err := timefmt.Compile(text, timefmt.Joda)
	if err != nil {
		a.FailAt(at.Pos, "", "%v", err)
		return nil
	}
	return func(s string, zone *timefmt.Zone) (int64, bool) { return l.Parse(s, zone, f.now) }
}

func (f *dateFilter) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() {
		return None
	}
	if v.Kind() == event.TimeKind {
		return f.set(e, v.Int64())
	}
	s := e.Batch().Text(v)
	zone := f.zone
	if f.zoneText != nil {
		if zone = f.eventZone(e); zone == nil {
			return fail(e, f.onFailure)
		}
	}
	for _, df := range f.formats {
		if ns, ok := df(s, zone); ok {
			return f.set(e, ns)
		}
	}
	return fail(e, f.onFailure)
}

func (f *dateFilter) set(e *event.Event, ns int64) Result {
	if e.Set(f.target, event.Time(ns)) != nil {
		return fail(e, f.onFailure)
	}
	return Matched
}

func (f *dateFilter) eventZone(e *event.Event) *timefmt.Zone {
	name := f.zoneText.Render(e)
	if name == f.zoneName && name != "" {
		return f.zone
	}
	loc, err := timefmt.LoadZone(name)
	if err != nil {
		return nil
	}
	f.zone, f.zoneName = timefmt.NewZone(loc), strings.Clone(name)
	return f.zone
}

// parseISO also takes times without an offset, which are in zone.
func parseISO(s string, zone *timefmt.Zone) (int64, bool) {
	ns, ok := event.ParseISO(s)
	if !ok && len(s) == 10 {
		ns, ok = event.ParseISO(s + "T00:00")
	}
	if !ok {
		return 0, false
	}
	if hasOffset(s) {
		return ns, true
	}
	sec := ns / 1e9
	if ns < 0 && ns%1e9 != 0 {
		sec--
	}
	return ns - int64(zone.Offset(sec))*1e9, true
}

func hasOffset(s string) bool {
	return len(s) > 10 && (strings.IndexByte("Zz", s[len(s)-1]) >= 0 || strings.ContainsAny(s[11:], "+-"))
}

// parseUnix reads seconds; a fraction is kept to the microsecond.
func parseUnix(s string, _ *timefmt.Zone) (int64, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || strings.ContainsAny(frac, "eE") || sec > 1<<33 || sec < -1<<33 {
		return parseUnixFloat(s)
	}
	micros := int64(0)
	for i := 0; i < 6; i++ {
		micros *= 10
		if i < len(frac) {
			c := frac[i] - '0'
			if c > 9 {
				return 0, false
			}
			micros += int64(c)
		}
	}
	if strings.HasPrefix(whole, "-") {
		micros = -micros
	}
	return sec*1e9 + micros*1000, true
}

// parseUnixFloat reads 1.4E9 and the like.
func parseUnixFloat(s string) (int64, bool) {
	if len(s) > 40 || strings.ContainsAny(s, "_xXpP") {
		return 0, false
	}
	r, ok := new(big.Float).SetPrec(96).SetString(s)
	if !ok {
		return 0, false
	}
	us, _ := r.Mul(r, big.NewFloat(1e6)).Int64()
	if us > 1<<53 || us < -1<<53 {
		return 0, false
	}
	return us * 1000, true
}

func parseUnixMs(s string, _ *timefmt.Zone) (int64, bool) {
	ms, err := strconv.ParseInt(s, 10, 64)
	if err != nil || ms > 9e12 || ms < -9e12 {
		return 0, false
	}
	return ms * 1e6, true
}

// parseTAI64N reads @ and 24 hexadecimal digits: seconds of TAI above 2^62, then nanoseconds. TAI is ten seconds ahead of what the
// format's users count as UTC.
func parseTAI64N(s string, _ *timefmt.Zone) (int64, bool) {
	s = strings.TrimPrefix(s, "@")
	if len(s) != 24 {
		return 0, false
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return 0, false
	}
	var sec, ns int64
	for i, c := range b {
		if i < 8 {
			sec = sec<<8 | int64(c)
		} else {
			ns = ns<<8 | int64(c)
		}
	}
	sec -= 1<<62 + 10
	if sec > 1<<33 || sec < -1<<33 || ns >= 1e9 {
		return 0, false
	}
	return sec*1e9 + ns, true
}
