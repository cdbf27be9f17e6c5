package codec

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var cefOptions = []plugin.Option{
	{Name: "delimiter", Doc: `What ends an event on output, \r and \n in it mean line breaks. On input lines are cut by the input.`},
	{Name: "raw_data_field", Kind: plugin.Field, Doc: "Field of the text as it came."},
	{Name: "fields", Kind: plugin.Array, Doc: "Fields to write as extensions."},
	{Name: "reverse_mapping", Kind: plugin.Boolean, Default: "false", Doc: "Whether extensions are written by their short names."},
	{Name: "vendor", Default: "Elasticsearch", Doc: "Device vendor to write; may hold %{field}."},
	{Name: "product", Default: "Logstash", Doc: "Device product to write; may hold %{field}."},
	{Name: "version", Default: "1.0", Doc: "Device version to write; may hold %{field}."},
	{Name: "signature", Default: "Logstash", Doc: "Signature to write; may hold %{field}."},
	{Name: "name", Default: "Logstash", Doc: "Name to write; may hold %{field}."},
	{Name: "severity", Default: "6", Doc: "Severity to write, 0 to 10; may hold %{field}."},
	{Name: "device", Enum: []string{"observer", "host"}, Default: "observer", Doc: "With ECS: whose fields those of the device are."},
	{Name: "default_timezone", Obsolete: "times stay as they come; use the date filter"},
	{Name: "locale", Unread: "times stay as they come"},
}

// cef reads and writes ArcSight's Common Event Format: CEF:0|vendor|product|version|id|name|severity|key=value ...
type cef struct {
	ecs      bool
	device   string
	raw      *event.Path
	header   [7]*event.Path
	syslog   *event.Path
	paths    map[string]*event.Path // of keys met before
	fields   []*event.Path
	names    []string // keys the fields are written under
	texts    [6]*plugin.Template
	defaults [6]string
	end      string
}

// maxCEFPaths bounds the keys whose fields are remembered.
const maxCEFPaths = 1000

var (
	cefLegacy = [7]string{"cefVersion", "deviceVendor", "deviceProduct", "deviceVersion", "deviceEventClassId", "name", "severity"}
	cefECS    = [7]string{"[cef][version]", "[observer][vendor]", "[observer][product]", "[observer][version]", "[event][code]", "[cef][name]", "[event][severity]"}
)

func newCEF(a *plugin.Args, env *plugin.Env) Codec {
	c := &cef{ecs: a.ECS(env), device: a.String("device"), raw: a.Field("raw_data_field"), syslog: event.MustPath("syslog"), paths: make(map[string]*event.Path)}
	names := cefLegacy
	if c.ecs {
		names, c.syslog = cefECS, event.MustPath("[log][syslog][header]")
	}
	for i, n := range names {
		c.header[i] = event.MustPath(c.ofDevice(n))
	}
	for i, o := range []string{"vendor", "product", "version", "signature", "name", "severity"} {
		c.texts[i] = a.Template(plugin.Text{Pos: a.At(o), Text: a.String(o)})
		for _, opt := range cefOptions {
			if opt.Name == o {
				c.defaults[i] = opt.Default
			}
		}
	}
	short := make(map[string]string)
	for _, k := range slices.Backward(slices.Sorted(maps.Keys(cefKeys))) { // of keys with one field the first is written
		f := cefKeys[k]
		short[f[0]] = k
		if c.ecs {
			short[c.ofDevice(f[1])] = k
		}
	}
	for _, t := range a.Texts("fields") {
		c.fields = append(c.fields, a.Path(t))
		name := strings.Map(func(r rune) rune {
			if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				return r
			}
			return -1
		}, t.Text)
		if k, ok := short[t.Text]; ok && a.Bool("reverse_mapping") {
			name = k
		}
		c.names = append(c.names, name)
	}
	c.end = strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(a.String("delimiter"))
	return c
}

// ofDevice gives the device's fields to the host when the option says so.
func (c *cef) ofDevice(field string) string {
	if c.device == "host" {
		return strings.Replace(field, "[observer]", "[host]", 1)
	}
	return field
}

func (c *cef) Decode(b *event.Batch, ref uint32, data string) {
	text := strings.TrimRight(data, "\r\n")
	if len(text) > 1 && text[0] == '"' {
		text = strings.TrimSuffix(text[1:], `"`)
	}
	at := strings.Index(text, "CEF:")
	if at < 0 {
		message(b, ref, data, "_cefparsefailure")
		return
	}
	parts, rest, ok := cefHeader(text[at+len("CEF:"):])
	if !ok {
		message(b, ref, data, "_cefparsefailure")
		return
	}
	e := b.New(ref)
	if c.raw != nil {
		e.Set(c.raw, event.String(data))
	}
	if head := strings.TrimSpace(text[:at]); head != "" {
		e.Set(c.syslog, event.String(head))
	}
	for i, p := range parts {
		e.Set(c.header[i], event.String(b.KeepString(p)))
	}
	for key, value := range cefExtensions(rest) {
		if c.ecs && (key == "rt" || key == "deviceReceiptTime") {
			if ns, ok := cefTime(value); ok {
				e.SetTimestamp(ns)
				continue
			}
		}
		if p := c.path(key); p != nil {
			e.Set(p, event.String(b.KeepString(value)))
		}
	}
}

// cefTime reads milliseconds since 1970 or an ISO time.
func cefTime(s string) (ns int64, ok bool) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 && ms < 1<<53 {
		return ms * 1e6, true
	}
	return event.ParseISO(s)
}

// cefHeader reads the seven fields of the header; \| and \\ stand for themselves.
func cefHeader(s string) (parts [7]string, rest string, ok bool) {
	n := 0
	var field strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '|' || s[i+1] == '\\'):
			i++
			field.WriteByte(s[i])
		case s[i] == '|':
			parts[n] = field.String()
			field.Reset()
			if n++; n == len(parts) {
				return parts, s[i+1:], true
			}
		default:
			field.WriteByte(s[i])
		}
	}
	if n == len(parts)-1 { // the last bar may be missing when there are no extensions
		parts[n] = field.String()
		return parts, "", true
	}
	return parts, "", false
}

// cefExtensions gives key and value of each extension. A value goes on to the last space before the next key.
func cefExtensions(s string) func(yield func(string, string) bool) {
	return func(yield func(string, string) bool) {
		s = strings.TrimSpace(s)
		eq := nextEquals(s, 0)
		for eq >= 0 {
			key := s[keyStart(s, eq):eq]
			next := nextEquals(s, eq+1)
			end := len(s)
			if next >= 0 {
				end = keyStart(s, next)
			}
			value := strings.TrimSpace(s[eq+1 : max(end, eq+1)])
			if key != "" && !yield(key, cefUnescape(value)) {
				return
			}
			eq = next
		}
	}
}

// nextEquals is the next = from i on that is not escaped and has a key before it, -1 when there is none.
func nextEquals(s string, i int) int {
	for ; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '=' && keyStart(s, i) < i:
			return i
		}
	}
	return -1
}

// keyStart is where the key that ends at the = at eq begins; eq when there is none: a key stands at the beginning or behind a space.
func keyStart(s string, eq int) int {
	i := eq
	for i > 0 && strings.IndexByte(" \t=|\\", s[i-1]) < 0 {
		i--
	}
	if i == eq || i > 0 && s[i-1] != ' ' && s[i-1] != '\t' {
		return eq
	}
	return i
}

func cefUnescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	return strings.NewReplacer(`\\`, `\`, `\=`, "=", `\n`, "\n", `\r`, "\r").Replace(s)
}

// path is the field of a key: its long name, or with ECS its place there. Keys with an index, such as ad.field[0], become lists' elements.
func (c *cef) path(key string) *event.Path {
	if p, ok := c.paths[key]; ok {
		return p
	}
	name := key
	if f, ok := cefKeys[key]; ok {
		name = f[0]
		if c.ecs && f[1] != "" {
			name = c.ofDevice(f[1])
		}
	} else if c.ecs {
		for _, f := range cefKeys {
			if f[0] == key && f[1] != "" {
				name = c.ofDevice(f[1])
			}
		}
	}
	if i := strings.IndexByte(name, '['); i > 0 && strings.HasSuffix(name, "]") {
		name = "[" + name[:i] + "]" + name[i:]
	}
	p, err := event.ParsePath(name)
	if err != nil {
		p = event.Field(key)
	}
	if len(c.paths) < maxCEFPaths {
		c.paths[strings.Clone(key)] = p
	}
	return p
}

func (c *cef) Encode(dst []byte, e *event.Event) []byte {
	dst = append(dst, "CEF:0"...)
	for i, t := range c.texts {
		s := t.Render(e)
		if i == len(c.texts)-1 {
			if n, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err != nil || n != float64(int(n)) || n < 0 || n > 10 {
				s = c.defaults[i]
			} else {
				s = strconv.Itoa(int(n))
			}
		}
		if s == "" {
			s = c.defaults[i]
		}
		dst = append(append(dst, '|'), strings.NewReplacer(`\`, `\\`, "|", `\|`, "\r\n", " ", "\n", " ", "\r", " ").Replace(s)...)
	}
	dst = append(dst, '|')
	first := true
	for i, p := range c.fields {
		v, ok := e.Get(p)
		if !ok || v.IsNil() {
			continue
		}
		if !first {
			dst = append(dst, ' ')
		}
		first = false
		text := strings.NewReplacer(`\`, `\\`, "=", `\=`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`).Replace(e.Batch().Text(v))
		dst = fmt.Appendf(dst, "%s=%s", c.names[i], text)
	}
	return append(dst, c.end...)
}
