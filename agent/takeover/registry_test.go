package takeover

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func show(list []Place) string {
	slices.SortFunc(list, func(a, b Place) int { return cmp.Compare(a.Path, b.Path) })
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "%s@%d %s %s %d-%d %t\n", p.Path, p.Offset, p.Identity, p.Value, p.Inode, p.Device, p.Finished)
	}
	return b.String()
}

const array = `[{"source":"/a.log","offset":12,"timestamp":"2026-11-22T10:00:00Z","ttl":-1,"type":"log","meta":null,"FileStateOS":{"inode":5,"device":6}},
{"source":"/gone.log","offset":1,"ttl":0,"FileStateOS":{"inode":7,"device":6}}]`

// TestLayouts reads a registry of every layout.
func TestLayouts(t *testing.T) {
	t.Parallel()
	log := `{"op":"set","id":3}
{"k":"filestream::in::native::9-6","v":{"cursor":{"offset":1},"meta":{"source":"/old.log","identifier_name":"native"},"ttl":-1,"updated":[1,2]}}
{"op":"set","id":4}
{"K":"filestream::my::in::native::9-6","V":{"cursor":{"offset":40},"meta":{"source":"/n.log","identifier_name":"native"},"ttl":1800000000000,"updated":[1,2]}}
{"op":"set","id":5}
{"k":"filestream::gz::fingerprint::ab12","v":{"cursor":{"offset":7,"eof":true},"meta":{"source":"/z.gz"},"ttl":-1}}
{"op":"remove","id":6}
{"k":"filebeat::logs::native::1-2"}
{"op":"set","id":8}
{"k":"filestream::in::path::/gap","v":{"cursor":{"offset":1},"meta":{"source":"/gap"}}}
{"op":"set","id":9}
{"k":"torn`
	snapshot := `[{"_key":"filebeat::logs::native::1-2","source":"/removed.log","offset":3,"FileStateOS":{"inode":1,"device":2}},
{"_key":"filebeat::logs::native::5-6","source":"/l.log","offset":77,"ttl":-1,"FileStateOS":{"inode":5,"device":6},"identifier_name":"native"}]`
	for _, tc := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"6", map[string]string{"registry": array}, "/a.log@12 native  5-6 false\n"},
		{"7.0", map[string]string{"registry/filebeat/data.json": array, "registry/filebeat/meta.json": `{"version":"0"}`}, "/a.log@12 native  5-6 false\n"},
		{"memlog", map[string]string{
			"registry/filebeat/meta.json": `{"version":"1"}`, "registry/filebeat/3.json": snapshot, "registry/filebeat/2.json": "[]",
			"registry/filebeat/log.json": log, "registry/filebeat/active.dat": "x"},
			"/l.log@77 native  5-6 false\n/n.log@40 native 9-6 9-6 false\n/z.gz@7 fingerprint ab12 0-0 true\n"},
		{"nothing", nil, ""},
	} {
		dir := t.TempDir()
		for name, text := range tc.files {
			name = filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		list, err := Read(filepath.Join(dir, "registry"))
		if got := show(list); err != nil || got != tc.want {
			t.Errorf("%s: %v\n%s\nwant\n%s", tc.name, err, got, tc.want)
		}
	}
}

func FuzzRegistry(f *testing.F) {
	f.Add([]byte(array), []byte("{\"op\":\"set\",\"id\":1}\n{\"k\":\"filestream::a::native::1-2\",\"v\":{\"cursor\":{\"offset\":1},\"meta\":{\"source\":\"/x\"}}}\n"))
	f.Fuzz(func(t *testing.T, text, log []byte) {
		list, err := parseArray(text)
		for _, p := range list {
			if err != nil || p.Path == "" || p.Offset < 0 {
				t.Fatalf("%+v, %v", p, err)
			}
		}
		states := map[string]state{}
		replay(states, 0, log)
		for key, s := range states {
			s.Key = key
			if p, ok := s.place(); ok && (p.Path == "" || p.Identity == "") {
				t.Fatalf("%+v", p)
			}
		}
	})
}
