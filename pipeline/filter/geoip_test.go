package filter

import (
	"encoding/binary"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// mmdb writes a MaxMind file whose tree holds one network for each record: 28-bit nodes, then the data, then the metadata.
func mmdb(t *testing.T, records map[string]any) string {
	t.Helper()
	type tree struct {
		kids [2]*tree
		data int // place in the data section, -1 for none
	}
	root := &tree{data: -1}
	var data []byte
	for _, network := range slices.Sorted(func(yield func(string) bool) {
		for n := range records {
			if !yield(n) {
				return
			}
		}
	}) {
		p := netip.MustParsePrefix(network)
		bits := p.Addr().As16()
		length := p.Bits()
		if p.Addr().Is4() {
			bits, length = [16]byte{12: bits[12], 13: bits[13], 14: bits[14], 15: bits[15]}, length+96
		}
		n := root
		for i := range length {
			k := bits[i/8] >> (7 - i%8) & 1
			if n.kids[k] == nil {
				n.kids[k] = &tree{data: -1}
			}
			n = n.kids[k]
		}
		n.data = len(data)
		data = mmdbValue(data, records[network])
	}
	var nodes []*tree
	var number func(n *tree)
	index := map[*tree]int{}
	number = func(n *tree) {
		if n == nil || n.data >= 0 {
			return
		}
		index[n] = len(nodes)
		nodes = append(nodes, n)
		number(n.kids[0])
		number(n.kids[1])
	}
	number(root)
	var out []byte
	for _, n := range nodes {
		for _, k := range n.kids {
			v := len(nodes)
			if k != nil && k.data >= 0 {
				v = len(nodes) + 16 + k.data
			} else if k != nil {
				v = index[k]
			}
			out = binary.BigEndian.AppendUint32(out, uint32(v))
		}
	}
	out = append(append(out, make([]byte, 16)...), data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	out = mmdbValue(out, map[string]any{"node_count": len(nodes), "record_size": 32, "ip_version": 6, "binary_format_major_version": 2, "binary_format_minor_version": 0,
		"database_type": "Test", "build_epoch": 1, "languages": []any{"en"}, "description": map[string]any{"en": "test"}})
	name := filepath.Join(t.TempDir(), "test.mmdb")
	if err := os.WriteFile(name, out, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func mmdbValue(out []byte, v any) []byte {
	head := func(typ, size int) {
		if typ < 8 {
			out = append(out, byte(typ<<5|min(size, 29)))
		} else {
			out = append(out, byte(min(size, 29)), byte(typ-7))
		}
		if size >= 29 {
			out = append(out, byte(size-29))
		}
	}
	switch v := v.(type) {
	case string:
		head(2, len(v))
		return append(out, v...)
	case float64:
		head(3, 8)
		return binary.BigEndian.AppendUint64(out, math.Float64bits(v))
	case int:
		head(6, 4)
		return binary.BigEndian.AppendUint32(out, uint32(v))
	case map[string]any:
		head(7, len(v))
		for k, el := range v {
			out = mmdbValue(mmdbValue(out, k), el)
		}
	case []any:
		head(11, len(v))
		for _, el := range v {
			out = mmdbValue(out, el)
		}
	}
	return out
}

func TestGeoIP(t *testing.T) {
	t.Parallel()
	en := func(s string) map[string]any { return map[string]any{"names": map[string]any{"en": s}} }
	city := en("Seoul")
	country := en("South Korea")
	country["iso_code"] = "KR"
	sub := en("Seoul City")
	sub["iso_code"] = "11"
	continent := en("Asia")
	continent["code"] = "AS"
	db := mmdb(t, map[string]any{
		"1.2.3.0/24": map[string]any{"city": city, "country": country, "continent": continent, "subdivisions": []any{sub}, "postal": map[string]any{"code": "04524"},
			"location": map[string]any{"latitude": 37.5, "longitude": 127.0, "time_zone": "Asia/Seoul", "metro_code": 7}},
		"5.5.0.0/16":    map[string]any{"autonomous_system_number": 64500, "autonomous_system_organization": "Example"},
		"2001:db8::/32": map[string]any{"country": country},
	})
	f := build(t, `geoip { source => "[source][ip]" database => "`+db+`" cache_size => 2 }`)
	for _, tt := range [][2]string{
		{`{"source":{"ip":"1.2.3.4"}}`, `{"source":{"ip":"1.2.3.4","geo":{"city_name":"Seoul","continent_code":"AS","continent_name":"Asia","country_name":"South Korea","country_iso_code":"KR","postal_code":"04524","region_name":"Seoul City","region_code":"11","region_iso_code":"KR-11","timezone":"Asia/Seoul","location":{"lon":127.0,"lat":37.5}},"mmdb":{"dma_code":7}}} {}`},
		{`{"source":{"ip":"5.5.1.1"}}`, `{"source":{"ip":"5.5.1.1","as":{"number":64500,"organization":{"name":"Example"}}}} {}`},
		{`{"source":{"ip":["2001:db8::1"]}}`, `{"source":{"ip":"2001:db8::1","geo":{"country_name":"South Korea","country_iso_code":"KR"}}} {}`},
		{`{"source":{"ip":"9.9.9.9"}}`, `{"source":{"ip":"9.9.9.9"},"tags":["_geoip_lookup_failure"]} {}`},
		{`{"source":{"ip":"nope"}}`, `{"source":{"ip":"nope"},"tags":["_geoip_lookup_failure"]} {}`},
		{`{}`, `{} {}`},
	} {
		want(t, through(t, f, tt[0]), tt[1])
	}
	want(t, run(t, `geoip { source => "ip" database => "`+db+`" ecs_compatibility => disabled fields => ["location", "CITY_NAME", "ip", "asn"] }`, `{"ip":"1.2.3.9"}`),
		`{"ip":"1.2.3.9","geoip":{"city_name":"Seoul","ip":"1.2.3.9","location":{"lon":127.0,"lat":37.5}}} {}`)
}

func FuzzUserAgent(f *testing.F) {
	fuzzMessage(f, []string{`useragent { source => "message" }`}, "Mozilla/5.0 (Linux; Android 14; SM-S918N) AppleWebKit/537.36 Chrome/120.0.0.0 Mobile Safari/537.36", "curl/8", "(((((")
}

func FuzzUARules(f *testing.F) {
	f.Add("user_agent_parsers:\n  - regex: '(Foo)/(\\d+)'\n    family_replacement: 'Foo $1'\nos_parsers:\n  - regex: \"x\"\n")
	f.Fuzz(func(t *testing.T, text string) {
		if r, err := parseUARules(text); err == nil {
			r.find("Foo/1 (x)")
		}
	})
}

func FuzzXML(f *testing.F) {
	fuzzMessage(f, []string{`xml { source => "message" target => "doc" xpath => { "//a/@b" => "x" "//c/text()" => "[y][z]" } }`,
		`xml { source => "message" target => "doc" force_array => false force_content => true suppress_empty => false remove_namespaces => true xpath => { "count(//*)" => "n" } }`},
		"<a b='1'><c>x</c><c/></a>", "<x:a xmlns:x='u'>&amp;<![CDATA[<]]></x:a>", "<a><a><a/></a></a>")
}
