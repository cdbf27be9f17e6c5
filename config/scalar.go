package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// value is a Scalar's text by YAML 1.1's rules, which Filebeat follows: yes, no, on and off are booleans.
func (n *Node) value() any {
	if n.Quoted {
		return n.Text
	}
	if b, ok := parseBool(n.Text); ok {
		return b
	}
	if i, err := strconv.ParseInt(n.Text, 0, 64); err == nil {
		return i
	}
	if f, err := strconv.ParseFloat(n.Text, 64); err == nil {
		return f
	}
	if n.Text == "null" || n.Text == "~" {
		return nil
	}
	return n.Text
}

func parseBool(s string) (value, ok bool) {
	switch strings.ToLower(s) {
	case "true", "yes", "on", "y":
		return true, true
	case "false", "no", "off", "n":
		return false, true
	}
	return false, false
}

// parseDuration reads Go's form ("5m", "1h30m") or a bare number of seconds.
func parseDuration(s string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(s, 64); err == nil {
		return time.Duration(f * float64(time.Second)), nil
	}
	if num, ok := strings.CutSuffix(s, "d"); ok {
		if days, err := strconv.ParseFloat(num, 64); err == nil {
			return time.Duration(days * 24 * float64(time.Hour)), nil
		}
	}
	return time.ParseDuration(s)
}

// units of sizes; KB and KiB differ as their names say.
var sizeUnits = []struct {
	suffix string
	factor float64
}{{"kib", 1 << 10}, {"mib", 1 << 20}, {"gib", 1 << 30}, {"tib", 1 << 40}, {"kb", 1e3}, {"mb", 1e6}, {"gb", 1e9}, {"tb", 1e12}, {"k", 1 << 10}, {"m", 1 << 20}, {"g", 1 << 30}, {"b", 1}}

// parseSize reads "10MiB", "10KB" or bare bytes.
func parseSize(s string) (int64, error) {
	text, factor := strings.ToLower(strings.TrimSpace(s)), 1.0
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(text, u.suffix); ok {
			text, factor = strings.TrimSpace(rest), u.factor
			break
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f < 0 || f*factor > 1<<62 {
		return 0, fmt.Errorf("%q is not a size such as 10MiB", s)
	}
	return int64(f * factor), nil
}

// expand replaces ${NAME}, ${NAME:default} and ${NAME:?message} in a scalar; "$${" and "\$" write a dollar.
func (c *converter) expand(n *Node) {
	if !strings.Contains(n.Text, "$") {
		return
	}
	var b strings.Builder
	s := n.Text
	for {
		i := strings.IndexByte(s, '$')
		if i < 0 || i == len(s)-1 {
			b.WriteString(s)
			break
		}
		switch {
		case s[i+1] == '$' && i+2 < len(s) && s[i+2] == '{':
			b.WriteString(s[:i] + "${")
			s = s[i+3:]
			continue
		case i > 0 && s[i-1] == '\\':
			b.WriteString(s[:i-1] + "$")
			s = s[i+1:]
			continue
		case s[i+1] != '{':
			b.WriteString(s[:i+1])
			s = s[i+1:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if end < 0 {
			c.f.fail(n.Pos, len(n.Text), "close it with }", "${ without }")
			return
		}
		b.WriteString(s[:i])
		b.WriteString(c.variable(n, s[i+2:i+end]))
		s = s[i+end+1:]
	}
	n.Text = b.String()
}

// variable is the value of the text between "${" and "}".
func (c *converter) variable(n *Node, ref string) string {
	name, def, hasDef := strings.Cut(ref, ":")
	if hasDef && (name == "env" || name == "file") && c.f.isWeir() {
		return c.prefixed(n, name, def)
	}
	if v, ok := c.f.env(name); ok {
		return v
	}
	if msg, must := strings.CutPrefix(def, "?"); must {
		c.f.fail(n.Pos, len(n.Text), "set it in the environment", "variable %s: %s", name, msg)
		return ""
	}
	if !hasDef {
		c.f.fail(n.Pos, len(n.Text), fmt.Sprintf("set it, or give a default: ${%s:value}", name), "variable %s is not set", name)
	}
	return def
}
