package config

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// isWeir tells weir.yml from filebeat.yml, where ${env:x} and ${file:x} mean variables named env and file.
func (f *file) isWeir() bool {
	base := filepath.Base(f.name)
	return !strings.Contains(base, "filebeat") && base != "logstash.yml" && base != "pipelines.yml"
}

// prefixed reads ${env:NAME} and ${file:/path}.
func (c *converter) prefixed(n *Node, kind, arg string) string {
	if kind == "env" {
		v, ok := c.f.env(arg)
		if !ok {
			c.f.fail(n.Pos, len(n.Text), "", "variable %s is not set", arg)
		}
		return v
	}
	b, err := os.ReadFile(arg)
	if err != nil {
		c.f.fail(n.Pos, len(n.Text), "", "%v", err)
	}
	return strings.TrimRight(string(b), "\r\n")
}

// listIndex finds the place in a list within a setting's name.
var listIndex = regexp.MustCompile(`\[\d+\]`)

// binder reads one map: each method asks for a key by its type and leaves the target alone when the key is absent. done then
// reports what was never asked for.
type binder struct {
	f     *file
	n     *Node // a Map
	path  string
	known []string
	asked map[string]bool
}

func (f *file) bind(n *Node, path string) *binder {
	b := &binder{f: f, n: n, path: path, asked: map[string]bool{}}
	if n == nil {
		b.n = &Node{Kind: Map}
		return b
	}
	if n.Kind == Null {
		b.n = &Node{Kind: Map, Pos: n.Pos}
	} else if n.Kind != Map {
		f.fail(n.Pos, max(1, len(n.Text)), "", "%s must be a map of settings", orRoot(path))
		b.n = &Node{Kind: Map, Pos: n.Pos}
	}
	return b
}

func orRoot(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}

func (b *binder) name(key string) string {
	if b.path == "" {
		return key
	}
	return b.path + "." + key
}

// get asks for a key; nil when absent or null.
func (b *binder) get(key string) *Node {
	if !b.asked[key] {
		b.known = append(b.known, key)
		b.f.keys[listIndex.ReplaceAllString(b.name(key), "[]")] = true
	}
	b.asked[key] = true
	n := b.n.get(key)
	if n == nil || n.Kind == Null {
		return nil
	}
	if n.Kind != Map {
		b.mention(key, Honoured, "")
	}
	return n
}

// scalar asks for a key that must be a scalar.
func (b *binder) scalar(key, want string) *Node {
	n := b.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != Scalar {
		b.f.fail(n.Pos, 1, "", "%s must be %s", b.name(key), want)
		return nil
	}
	return n
}

func (b *binder) str(key string, to *string) {
	if n := b.scalar(key, "a text"); n != nil {
		*to = n.Text
	}
}

// oneOf is str with a closed list of values.
func (b *binder) oneOf(key string, to *string, values ...string) {
	n := b.scalar(key, "one of "+strings.Join(values, ", "))
	if n == nil {
		return
	}
	for _, v := range values {
		if n.Text == v {
			*to = v
			return
		}
	}
	hint := "one of " + strings.Join(values, ", ")
	if v := nearest(n.Text, values); v != "" {
		hint = fmt.Sprintf("did you mean %q?", v)
	}
	b.f.fail(n.Pos, len(n.Text), hint, "%s: %q is not known", b.name(key), n.Text)
}

func (b *binder) boolean(key string, to *bool) {
	if n := b.scalar(key, "true or false"); n != nil {
		v, ok := parseBool(n.Text)
		if !ok {
			b.f.fail(n.Pos, len(n.Text), "", "%s: %q is neither true nor false", b.name(key), n.Text)
			return
		}
		*to = v
	}
}

func (b *binder) integer(key string, to *int) {
	if n := b.scalar(key, "a whole number"); n != nil {
		v, err := strconv.Atoi(n.Text)
		if err != nil {
			b.f.fail(n.Pos, len(n.Text), "", "%s: %q is not a whole number", b.name(key), n.Text)
			return
		}
		*to = v
	}
}

func (b *binder) size(key string, to *int64) {
	if n := b.scalar(key, "a size such as 10MiB"); n != nil {
		v, err := parseSize(n.Text)
		if err != nil {
			b.f.fail(n.Pos, len(n.Text), "", "%s: %v", b.name(key), err)
			return
		}
		*to = v
	}
}

func (b *binder) duration(key string, to *time.Duration) {
	if n := b.scalar(key, "a time such as 5m"); n != nil {
		v, err := parseDuration(n.Text)
		if err != nil {
			b.f.fail(n.Pos, len(n.Text), "", "%s: %q is not a time such as 5m or a number of seconds", b.name(key), n.Text)
			return
		}
		*to = v
	}
}

// strs reads a list of texts; a single text is a list of one.
func (b *binder) strs(key string, to *[]string) {
	n := b.get(key)
	if n == nil {
		return
	}
	if n.Kind == Scalar {
		*to = splitList(n)
		return
	}
	if n.Kind != List {
		b.f.fail(n.Pos, 1, "", "%s must be a list of texts", b.name(key))
		return
	}
	list := []string{}
	for _, e := range n.List {
		if e.Kind != Scalar {
			b.f.fail(e.Pos, 1, "", "an entry of %s must be a text", b.name(key))
			continue
		}
		list = append(list, e.Text)
	}
	*to = list
}

// splitList cuts an unquoted text with commas, as ${HOSTS:a,b} may give.
func splitList(n *Node) []string {
	if n.Quoted || !strings.Contains(n.Text, ",") {
		return []string{n.Text}
	}
	parts := strings.Split(n.Text, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return parts
}

// plain reads any map as Go values.
func (b *binder) plain(key string, to *map[string]any) {
	n := b.get(key)
	if n == nil {
		return
	}
	if n.Kind != Map {
		b.f.fail(n.Pos, max(1, len(n.Text)), "", "%s must be a map", b.name(key))
		return
	}
	*to = n.Plain().(map[string]any)
}

// sub binds the map under key; an absent key gives an empty map.
func (b *binder) sub(key string) *binder { return b.f.bind(b.get(key), b.name(key)) }

// has reports whether the key is there and not null.
func (b *binder) has(key string) bool { return b.get(key) != nil }

// list is the entries of a list, or nil.
func (b *binder) list(key string) []*Node {
	n := b.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != List {
		b.f.fail(n.Pos, max(1, len(n.Text)), "", "%s must be a list", b.name(key))
		return nil
	}
	return n.List
}

// ignore marks keys that are accepted and without effect here.
func (b *binder) ignore(keys ...string) {
	for _, k := range keys {
		if b.get(k) != nil {
			b.mention(k, Accepted, "nothing to do here")
		}
	}
}

// warn marks a key whose effect is missed, and says so when it is set.
func (b *binder) warn(key, effect string, to *[]Warning) {
	if n := b.get(key); n != nil {
		b.mention(key, Ignored, effect)
		*to = append(*to, Warning{b.keyPos(key), b.name(key), effect})
	}
}

// refuse marks a key that cannot be honoured.
func (b *binder) refuse(key, why string) {
	if n := b.get(key); n != nil {
		b.mention(key, Refused, why)
		b.f.fail(b.keyPos(key), len(key), "", "%s is not supported: %s", b.name(key), why)
	}
}

// keyPos is where a key stands; the zero Pos with the file's name when it does not.
func (b *binder) keyPos(key string) Pos {
	for _, k := range b.n.Keys {
		if k.Name == key {
			return k.Pos
		}
	}
	return Pos{File: b.f.name}
}

// done reports keys nobody asked for.
func (b *binder) done() {
	for _, k := range b.n.Keys {
		if b.asked[k.Name] {
			continue
		}
		hint := ""
		if c := nearest(k.Name, b.known); c != "" {
			hint = fmt.Sprintf("did you mean %q?", c)
		}
		if b.f.lenient != nil {
			b.mention(k.Name, Ignored, "unknown setting; "+hint)
			*b.f.lenient = append(*b.f.lenient, Warning{k.Pos, b.name(k.Name), strings.TrimSuffix("unknown setting, has no effect; "+hint, "; ")})
			continue
		}
		b.f.fail(k.Pos, len(k.Name), hint, "unknown setting %s", b.name(k.Name))
	}
}

// Warning is a setting that is read and has not its usual effect.
type Warning struct {
	Pos    Pos
	Key    string
	Effect string
}

func (w Warning) String() string { return fmt.Sprintf("%s: %s: %s", w.Pos, w.Key, w.Effect) }
