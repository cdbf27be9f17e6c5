package filter

import (
	"fmt"
	"os"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/grok"
	"github.com/weirlog/weir/pipeline/plugin"
)

var useragentOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Required: true, Doc: "Field with the text a browser names itself by."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the findings below; default is the event itself, with ECS user_agent."},
	{Name: "regexes", Kind: plugin.Path, Doc: "File of rules in the form of uap-core's regexes.yaml; default is a small set of weir's own."},
	{Name: "prefix", Doc: "Text in front of the names of the fields; not with ECS."},
	{Name: "lru_cache_size", Kind: plugin.Number, Default: "100000", Doc: "Texts whose findings are remembered."},
}

// useragent finds browser, system and device in a user agent's text.
type useragent struct {
	source *event.Path
	fields []uaField
	rules  *uaRules
	cache  map[string]*uaFound
	most   int
}

type uaField struct {
	path *event.Path
	of   func(*uaFound) string
}

// uaFound is what a text says: family and version parts of the browser and of the system, and the device.
type uaFound struct {
	name, os uaVersion
	device   string
	text     string
}

type uaVersion struct{ family, major, minor, patch, patchMinor string }

// version joins the parts there are.
func (v uaVersion) version() string {
	s := v.major
	for _, p := range []string{v.minor, v.patch, v.patchMinor} {
		if s == "" || p == "" {
			break
		}
		s += "." + p
	}
	return s
}

func (v uaVersion) full() string {
	if n := v.version(); n != "" {
		return v.family + " " + n
	}
	return v.family
}

func newUserAgent(a *plugin.Args, env *plugin.Env) Filter {
	f := &useragent{source: a.Field("source"), cache: map[string]*uaFound{}, most: max(1, a.Int("lru_cache_size"))}
	f.paths(a, a.ECS(env))
	type read struct {
		rules *uaRules
		err   error
	}
	r := env.Share("useragent "+a.String("regexes"), func() any { // expressions may be used by several workers at once
		rules, err := readUARules(a.String("regexes"))
		return &read{rules, err}
	}).(*read)
	if r.err != nil {
		a.Fail("regexes", "", "%v", r.err)
		return nil
	}
	f.rules = r.rules
	return f
}

func readUARules(path string) (*uaRules, error) {
	if path == "" {
		return parseUARules(uaStock)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseUARules(string(text))
}

func (f *useragent) paths(a *plugin.Args, ecs bool) {
	target := a.Field("target")
	add := func(name string, of func(*uaFound) string) {
		if !ecs {
			name = a.String("prefix") + name
		}
		p := event.Field(name)
		if strings.HasPrefix(name, "[") {
			p = event.MustPath(name)
		}
		if target != nil {
			p = below(target, p)
		}
		f.fields = append(f.fields, uaField{p, of})
	}
	if ecs {
		if a.Has("prefix") {
			a.Fail("prefix", "use target", "prefix has no meaning with ECS names")
		}
		if target == nil {
			target = event.MustPath("user_agent")
		}
		add("original", func(u *uaFound) string { return u.text })
		add("name", func(u *uaFound) string { return u.name.family })
		add("version", func(u *uaFound) string { return u.name.version() })
		add("[os][name]", func(u *uaFound) string { return u.os.family })
		add("[os][version]", func(u *uaFound) string { return u.os.version() })
		add("[os][full]", func(u *uaFound) string { return u.os.full() })
		add("[device][name]", func(u *uaFound) string { return u.device })
		return
	}
	add("name", func(u *uaFound) string { return u.name.family })
	add("version", func(u *uaFound) string { return u.name.version() })
	add("major", func(u *uaFound) string { return u.name.major })
	add("minor", func(u *uaFound) string { return u.name.minor })
	add("patch", func(u *uaFound) string { return u.name.patch })
	add("os", func(u *uaFound) string { return u.os.family })
	add("os_name", func(u *uaFound) string { return u.os.family })
	add("os_version", func(u *uaFound) string { return u.os.version() })
	add("os_full", func(u *uaFound) string { return u.os.full() })
	add("os_major", func(u *uaFound) string { return u.os.major })
	add("os_minor", func(u *uaFound) string { return u.os.minor })
	add("device", func(u *uaFound) string { return u.device })
}

func (f *useragent) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if ok && v.Kind() == event.ListKind {
		if l := e.Batch().Elems(v); len(l) > 0 {
			v = l[0]
		}
	}
	text := v.Str()
	if text == "" {
		return None
	}
	u := f.cache[text]
	if u == nil {
		if len(f.cache) >= f.most {
			clear(f.cache)
		}
		u = f.rules.find(strings.Clone(text))
		f.cache[u.text] = u
	}
	for i := range f.fields {
		if s := f.fields[i].of(u); s != "" {
			e.Set(f.fields[i].path, event.String(s))
		}
	}
	return Matched
}

// uaRules are lists of rules; of each the first that matches counts.
type uaRules struct{ names, systems, devices []uaRule }

// uaRule is an expression with what takes the place of its groups, where $1 stands for a group.
type uaRule struct {
	re *grok.Regexp
	to [5]string // family, then the parts of the version; "" for the group of that number
}

// maxUserAgent is how much of a text is looked at.
const maxUserAgent = 2048

func (r *uaRules) find(text string) *uaFound {
	u := &uaFound{text: text, device: "Other"}
	if len(text) > maxUserAgent {
		text = text[:maxUserAgent]
	}
	u.name.family, u.os.family = "Other", "Other"
	var p [5]string
	if match(r.names, text, &p) {
		u.name = uaVersion{p[0], p[1], p[2], p[3], p[4]}
	}
	p = [5]string{}
	if match(r.systems, text, &p) {
		u.os = uaVersion{p[0], p[1], p[2], p[3], p[4]}
	}
	p = [5]string{}
	if match(r.devices, text, &p) && p[0] != "" {
		u.device = p[0]
	}
	return u
}

func match(rules []uaRule, text string, parts *[5]string) bool {
	b := event.Bytes(text)
	for i := range rules {
		loc := rules[i].re.FindSubmatchIndex(b)
		if loc == nil {
			continue
		}
		group := func(n int) string {
			if 2*n+1 < len(loc) && loc[2*n] >= 0 {
				return text[loc[2*n]:loc[2*n+1]]
			}
			return ""
		}
		for k, to := range rules[i].to {
			if to == "" {
				parts[k] = group(k + 1)
				continue
			}
			for n := 1; n <= 9 && strings.Contains(to, "$"); n++ {
				to = strings.ReplaceAll(to, fmt.Sprintf("$%d", n), group(n))
			}
			parts[k] = strings.TrimSpace(to)
		}
		return true
	}
	return false
}

// parseUARules reads the part of YAML that such files are written in: three lists of entries with texts in quotes.
func parseUARules(text string) (*uaRules, error) {
	r := &uaRules{}
	var list *[]uaRule
	section := ""
	var entry map[string]string
	flush := func() error {
		if entry == nil || list == nil {
			return nil
		}
		rule, err := uaRuleOf(section, entry)
		if err != nil {
			return err
		}
		*list = append(*list, rule)
		entry = nil
		return nil
	}
	n := 0
	for line := range strings.Lines(text) {
		n++
		s := strings.TrimSpace(line)
		if s == "" || s[0] == '#' || s == "---" {
			continue
		}
		if line[0] != ' ' && line[0] != '-' {
			if err := flush(); err != nil {
				return nil, fmt.Errorf("rules above line %d: %w", n, err)
			}
			section, _, _ = strings.Cut(s, ":")
			list = map[string]*[]uaRule{"user_agent_parsers": &r.names, "os_parsers": &r.systems, "device_parsers": &r.devices}[section]
			continue
		}
		if rest, ok := strings.CutPrefix(s, "- "); ok {
			if err := flush(); err != nil {
				return nil, fmt.Errorf("rules above line %d: %w", n, err)
			}
			entry, s = map[string]string{}, strings.TrimSpace(rest)
		}
		key, val, ok := strings.Cut(s, ":")
		if !ok || entry == nil {
			return nil, fmt.Errorf("line %d: key: value expected", n)
		}
		entry[key] = unquoteYAML(strings.TrimSpace(val))
	}
	if err := flush(); err != nil {
		return nil, err
	}
	if len(r.names)+len(r.systems)+len(r.devices) == 0 {
		return nil, fmt.Errorf("the file has no user_agent_parsers, os_parsers or device_parsers")
	}
	return r, nil
}

// unquoteYAML reads a scalar: in single or double quotes, or plain up to a comment.
func unquoteYAML(s string) string {
	if len(s) > 1 && s[0] == '\'' {
		if end := strings.LastIndexByte(s, '\''); end > 0 {
			return strings.ReplaceAll(s[1:end], "''", "'")
		}
	}
	if len(s) > 1 && s[0] == '"' {
		if end := strings.LastIndexByte(s, '"'); end > 0 {
			return strings.NewReplacer(`\\`, `\`, `\"`, `"`).Replace(s[1:end])
		}
	}
	s, _, _ = strings.Cut(s, " #")
	return strings.TrimSpace(s)
}

func uaRuleOf(section string, entry map[string]string) (uaRule, error) {
	expr := entry["regex"]
	if expr == "" {
		return uaRule{}, fmt.Errorf("an entry has no regex")
	}
	if strings.Contains(entry["regex_flag"], "i") {
		expr = "(?i)" + expr
	}
	re, err := grok.CompileRegexp(expr)
	if err != nil {
		return uaRule{}, fmt.Errorf("%s: %w", expr, err)
	}
	names := map[string][5]string{"user_agent_parsers": {"family_replacement", "v1_replacement", "v2_replacement", "v3_replacement", "v4_replacement"},
		"os_parsers":     {"os_replacement", "os_v1_replacement", "os_v2_replacement", "os_v3_replacement", "os_v4_replacement"},
		"device_parsers": {"device_replacement"}}[section]
	rule := uaRule{re: re}
	for i, n := range names {
		if n != "" {
			rule.to[i] = entry[n]
		}
	}
	return rule, nil
}

// UserAgent is what a user agent's text says of browser, system and device; texts that say nothing are empty.
type UserAgent struct{ Name, Version, OS, OSVersion, OSFull, Device string }

// UserAgents gives the function that takes user agents' texts apart by the rules that come with weir. It is safe for concurrent use.
func UserAgents() (func(text string) UserAgent, error) {
	rules, err := readUARules("")
	if err != nil {
		return nil, err
	}
	return func(text string) UserAgent {
		u := rules.find(text)
		return UserAgent{u.name.family, u.name.version(), u.os.family, u.os.version(), u.os.full(), u.device}
	}, nil
}
