package processor

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	fields := map[string]any{"fields": map[string]any{"app": "mvc"}}
	for _, tc := range []struct {
		in, want string
		missing  bool
	}{
		{"logs", "logs", false},
		{"logs-%{[fields.app]}", "logs-mvc", false},
		{"%{[fields.env]:dev}-x", "dev-x", false},
		{"logs-%{[fields.env]}", "logs-", true},
	} {
		f, err := ParseFormat(tc.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, missing := f.Text(fields); got != tc.want || missing != tc.missing {
			t.Errorf("%s: %q, %t", tc.in, got, missing)
		}
	}
	for _, bad := range []string{"%{+yyyy}", "%{[a]", "%{a}", "%{[a]x}"} {
		if _, err := ParseFormat(bad); err == nil {
			t.Errorf("%q is accepted", bad)
		}
	}
}

func TestConditions(t *testing.T) {
	t.Parallel()
	ev := &tree.Event{Fields: map[string]any{
		"log": map[string]any{"level": "error"}, "code": json.Number("404"), "tags": []any{"a", "b"}, "ok": true, "message": "GET /x",
	}}
	for _, tc := range []struct {
		cond string
		want bool
	}{
		{`{"equals":{"log.level":"error"}}`, true},
		{`{"equals":{"log":{"level":"info"}}}`, false},
		{`{"equals":{"code":404,"ok":true}}`, true},
		{`{"equals":{"code":"404"}}`, false},
		{`{"contains":{"message":"/x"}}`, true},
		{`{"contains":{"tags":"b"}}`, true},
		{`{"contains":{"tags":"c"}}`, false},
		{`{"regexp":{"message":"^GET"}}`, true},
		{`{"range":{"code":{"gte":400,"lt":500}}}`, true},
		{`{"range":{"code.gt":404}}`, false},
		{`{"has_fields":["log.level","code"]}`, true},
		{`{"has_fields":["nope"]}`, false},
		{`{"not":{"equals":{"ok":true}}}`, false},
		{`{"or":[{"equals":{"ok":false}},{"contains":{"tags":"a"}}]}`, true},
		{`{"and":[{"equals":{"ok":true}},{"contains":{"tags":"z"}}]}`, false},
	} {
		var m map[string]any
		if err := json.Unmarshal([]byte(tc.cond), &m); err != nil {
			t.Fatal(err)
		}
		c, err := compileCondition(m)
		if err != nil {
			t.Errorf("%s: %v", tc.cond, err)
			continue
		}
		if got := c(ev); got != tc.want {
			t.Errorf("%s: %t", tc.cond, got)
		}
	}
	for _, bad := range []string{`{}`, `{"nope":{"a":1}}`, `{"regexp":{"a":"("}}`, `{"range":{"a":{"xx":1}}}`, `{"or":{"a":1}}`} {
		var m map[string]any
		if err := json.Unmarshal([]byte(bad), &m); err != nil {
			t.Fatal(err)
		}
		if _, err := compileCondition(m); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

// TestProcessors runs one step over an event and looks at what became of it.
func TestProcessors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, args, in, want string }{
		{"decode_json_fields", `{"fields":["message"]}`, `{"message":"{\"a\":1,\"b\":\"{}\"}"}`, `{"message":{"a":1,"b":"{}"}}`},
		{"decode_json_fields", `{"fields":["message"],"max_depth":2}`, `{"message":"{\"b\":\"{\\\"c\\\":2}\"}"}`, `{"message":{"b":{"c":2}}}`},
		{"decode_json_fields", `{"fields":["message"],"target":"j"}`, `{"message":"{\"a\":1}"}`, `{"j":{"a":1},"message":"{\"a\":1}"}`},
		{"decode_json_fields", `{"fields":["message"],"target":""}`, `{"message":"{\"a\":1,\"message\":\"x\"}"}`, `{"a":1,"message":"{\"a\":1,\"message\":\"x\"}"}`},
		{"decode_json_fields", `{"fields":["message"],"target":"","overwrite_keys":true}`, `{"message":"{\"message\":\"x\"}"}`, `{"message":"x"}`},
		{"decode_json_fields", `{"fields":["message"],"add_error_key":true}`, `{"message":"no"}`, `{"error":{"message":"Error decoding JSON: text is no JSON object","type":"json"},"message":"no"}`},
		{"decode_json_fields", `{"fields":["message"],"process_array":true}`, `{"message":"[1,{\"a\":2}]"}`, `{"message":[1,{"a":2}]}`},
		{"timestamp", `{"field":"t","layouts":["2006-01-02 15:04:05"],"timezone":"Asia/Seoul","target_field":"u"}`, `{"t":"2026-11-22 09:00:00"}`, `{"t":"2026-11-22 09:00:00","u":"2026-11-22T00:00:00.000Z"}`},
		{"timestamp", `{"field":"t","layouts":["UNIX_MS","UNIX"],"target_field":"u"}`, `{"t":1500}`, `{"t":1500,"u":"1970-01-01T00:00:01.500Z"}`},
		{"replace", `{"fields":[{"field":"m","pattern":"\\d+","replacement":"N"}]}`, `{"m":"a1b22"}`, `{"m":"aNbN"}`},
		{"truncate_fields", `{"fields":["m"],"max_characters":2}`, `{"m":"로그다"}`, `{"log":{"flags":["truncated"]},"m":"로그"}`},
		{"truncate_fields", `{"fields":["m"],"max_bytes":4}`, `{"m":"로그다"}`, `{"log":{"flags":["truncated"]},"m":"로"}`},
		{"convert", `{"fields":[{"from":"a","type":"integer"},{"from":"b","to":"c","type":"boolean"}]}`, `{"a":"12","b":"true"}`, `{"a":12,"b":"true","c":true}`},
		{"convert", `{"fields":[{"from":"a","type":"integer"},{"from":"b","type":"ip"}]}`, `{"a":"12","b":"no"}`, `{"a":"12","b":"no","error":{"message":"field b: ParseAddr(\"no\"): unable to parse IP"}}`},
		{"convert", `{"mode":"rename","fields":[{"from":"a","to":"b.c","type":"double"}]}`, `{"a":"1.50"}`, `{"b":{"c":1.50}}`},
		{"copy_fields", `{"fields":[{"from":"a","to":"b"}]}`, `{"a":{"x":1}}`, `{"a":{"x":1},"b":{"x":1}}`},
		{"copy_fields", `{"fields":[{"from":"n","to":"b"}],"ignore_missing":true}`, `{"a":1}`, `{"a":1}`},
		{"dissect", `{"tokenizer":"%{ip|ip} %{?x} %{code|integer}"}`, `{"message":"1.2.3.4 - 200"}`, `{"dissect":{"code":200,"ip":"1.2.3.4"},"message":"1.2.3.4 - 200"}`},
		{"dissect", `{"tokenizer":"%{*k}=%{&k} %{a->} %{b}","target_prefix":""}`, `{"message":"x=1 y   z"}`, `{"a":"y","b":"z","message":"x=1 y   z","x":"1"}`},
		{"dissect", `{"tokenizer":"%{a}|%{b}","trim_values":"all"}`, `{"message":" p | q "}`, `{"dissect":{"a":"p","b":"q"},"message":" p | q "}`},
		{"dissect", `{"tokenizer":"%{a} %{b}"}`, `{"message":"one"}`, `{"log":{"flags":["dissect_parsing_error"]},"message":"one"}`},
		{"dissect", `{"tokenizer":"%{a|integer} x","ignore_failure":true}`, `{"message":"one x"}`, `{"message":"one x"}`},
		{"decode_csv_fields", `{"fields":{"message":"csv"}}`, `{"message":"a,\"b,c\",d"}`, `{"csv":["a","b,c","d"],"message":"a,\"b,c\",d"}`},
		{"decode_csv_fields", `{"fields":{"a.b":"a.b"},"separator":";"}`, `{"a":{"b":"1;2"}}`, `{"a":{"b":["1","2"]}}`},
		{"urldecode", `{"fields":[{"from":"u"}]}`, `{"u":"a%20b+c"}`, `{"u":"a b c"}`},
		{"decode_base64_field", `{"field":{"from":"a","to":"b"}}`, `{"a":"aGk="}`, `{"a":"aGk=","b":"hi"}`},
		{"decode_base64_field", `{"field":{"from":"a"}}`, `{"a":"***"}`, `{"a":"***","error":{"message":"field a: illegal base64 data at input byte 0"}}`},
		{"decode_duration", `{"field":"d","format":"seconds"}`, `{"d":"1500ms"}`, `{"d":1.5}`},
		{"extract_array", `{"field":"a","mappings":{"x":0,"y.z":2}}`, `{"a":["p","q","r"]}`, `{"a":["p","q","r"],"x":"p","y":{"z":"r"}}`},
		{"extract_array", `{"field":"a","mappings":{"x":3},"fail_on_error":false}`, `{"a":["p"]}`, `{"a":["p"]}`},
		{"extract_field", `{"field":"p","separator":"/","index":1,"target":"t"}`, `{"p":"a/b/c"}`, `{"p":"a/b/c","t":"b"}`},
		{"append", `{"target_field":"t","fields":["a","l"],"values":["v"],"allow_duplicate":false}`, `{"a":"x","l":["y","x"],"t":"x"}`, `{"a":"x","l":["y","x"],"t":["x","y","v"]}`},
		{"move_fields", `{"parent_path":"app","from":["m"],"to":"p."}`, `{"app":{"m":1,"v":2}}`, `{"app":{"v":2},"p":{"m":1}}`},
		{"move_fields", `{"parent_path":"app","exclude":["v"],"to":"p_"}`, `{"app":{"m":1,"v":2}}`, `{"app":{"v":2},"p_m":1}`},
		{"lowercase", `{"fields":["A.B"],"values":["c"]}`, `{"A":{"B":1},"c":"XY"}`, `{"A":{},"a":{"b":1},"c":"xy"}`},
		{"uppercase", `{"fields":["a"]}`, `{"a":1}`, `{"A":1}`},
		{"fingerprint", `{"fields":["b","a"]}`, `{"a":"x","b":2}`, `{"a":"x","b":2,"fingerprint":"` + hexSum("|a|x|b|2|") + `"}`},
		{"fingerprint", `{"fields":["a","n"],"method":"md5","encoding":"base64","ignore_missing":true,"target_field":"f"}`, `{"a":"x"}`, `{"a":"x","f":"` + md5Sum("|a|x|") + `"}`},
		{"fingerprint", `{"fields":["n"]}`, `{"a":"x"}`, `{"a":"x","error":{"message":"fingerprint: field n is missing"}}`},
		{"redact", `{"patterns":["\\d{4}-\\d{4}"]}`, `{"message":"card 1234-5678 $1"}`, `{"message":"card [redacted] $1"}`},
		{"drop_fields", `{"fields":["/^a\\./","c"]}`, `{"a":{"x":1,"y":2},"b":1,"c":2}`, `{"a":{},"b":1}`},
		{"rename", `{"fields":[{"from":"a","to":"b"}]}`, `{"a":1,"b":2}`, `{"a":1,"b":2,"error":{"message":"target field b already exists, drop or rename this field first"}}`},
		{"registered_domain", `{"field":"d","target_field":"r","target_etld_field":"e","target_subdomain_field":"s"}`, `{"d":"www.shop.example.co.uk"}`, `{"d":"www.shop.example.co.uk","e":"co.uk","r":"example.co.uk","s":"www.shop"}`},
		{"community_id", `{}`, `{"destination":{"ip":"66.35.250.204","port":80},"network":{"transport":"tcp"},"source":{"ip":"128.232.110.120","port":34855}}`,
			`{"destination":{"ip":"66.35.250.204","port":80},"network":{"community_id":"1:LQU9qZlK+B5F3KDmev6m5PMibrg=","transport":"tcp"},"source":{"ip":"128.232.110.120","port":34855}}`},
		{"add_network_direction", `{"source":"s","destination":"d","target":"n","internal_networks":["private"]}`, `{"d":"8.8.8.8","s":"10.0.0.1"}`, `{"d":"8.8.8.8","n":"outbound","s":"10.0.0.1"}`},
		{"detect_mime_type", `{"field":"m","target":"t"}`, `{"m":"{\"a\":1}"}`, `{"m":"{\"a\":1}","t":"application/json"}`},
		{"decode_xml", `{"field":"m","target_field":"x"}`, `{"m":"<A b=\"1\"><c>2</c><c>3</c>t</A>"}`, `{"m":"<A b=\"1\"><c>2</c><c>3</c>t</A>","x":{"a":{"#text":"t","b":"1","c":["2","3"]}}}`},
		{"syslog", `{"format":"rfc5424"}`, `{"message":"<13>1 2026-11-22T09:00:00Z h app 7 - - hi"}`,
			`{"log":{"syslog":{"appname":"app","facility":{"code":1,"name":"user-level"},"hostname":"h","priority":13,"procid":"7","severity":{"code":5,"name":"Notice"},"version":"1"}},"message":"hi"}`},
		{"syslog", `{"ignore_failure":true,"format":"rfc5424"}`, `{"message":"no"}`, `{"message":"no"}`},
		{"include_fields", `{"fields":["a.b"]}`, `{"a":{"b":1,"c":2},"d":3}`, `{"a":{"b":1}}`},
		{"add_labels", `{"labels":{"a":{"b":1}}}`, `{}`, `{"labels":{"a.b":1}}`},
		{"add_kubernetes_metadata", `{}`, `{"log":{"file":{"path":"/var/log/containers/web-1_prod_nginx-` + strings.Repeat("0a", 32) + `.log"}}}`,
			`{"container":{"id":"` + strings.Repeat("0a", 32) + `"},"kubernetes":{"container":{"name":"nginx"},"namespace":"prod","pod":{"name":"web-1"}},"log":{"file":{"path":"/var/log/containers/web-1_prod_nginx-` + strings.Repeat("0a", 32) + `.log"}}}`},
	} {
		var scratch lines.Scratch
		args, err := lines.DecodeJSON(&scratch, []byte(tc.args))
		if err != nil {
			t.Fatal(tc.args, err)
		}
		p, err := Compile(&Config{Name: tc.name, Args: args.(map[string]any)}, 0)
		if err != nil {
			t.Errorf("%s %s: %v", tc.name, tc.args, err)
			continue
		}
		in, err := lines.DecodeJSON(&scratch, []byte(tc.in))
		if err != nil {
			t.Fatal(tc.in, err)
		}
		ev := &tree.Event{Fields: in.(map[string]any), Metadata: map[string]any{}}
		Run([]Step{p}, ev)
		if got := string(tree.AppendObject(nil, ev.Fields)); got != tc.want {
			t.Errorf("%s %s of %s: %s, want %s", tc.name, tc.args, tc.in, got, tc.want)
		}
	}
	for _, bad := range []Config{
		{Name: "dissect", Args: map[string]any{"tokenizer": "%{a#3}"}}, {Name: "rate_limit", Args: map[string]any{"limit": "3/x"}},
		{Name: "fingerprint", Args: map[string]any{"fields": []any{"a"}, "method": "crc"}}, {Name: "if", Then: []Config{{Name: "drop_event"}}},
		{Name: "script"}, {Name: "add_fields"}, {Name: "drop_fields", Args: map[string]any{"fields": []any{"a"}, "nope": 1}},
		{Name: "convert", Args: map[string]any{"fields": []any{map[string]any{"from": "a", "type": "date"}}}},
		{Name: "timestamp", Args: map[string]any{"field": "a", "layouts": []any{"2006"}, "test": []any{"x"}}},
		{Name: "drop_event", When: map[string]any{"nope": 1}},
	} {
		if _, err := Compile(&bad, 0); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
	}
}

func hexSum(s string) string { sum := sha256.Sum256([]byte(s)); return hex.EncodeToString(sum[:]) }

func md5Sum(s string) string {
	sum := md5.Sum([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestIf: the condition chooses the list; a drop in it has the rule of the step that dropped.
func TestIf(t *testing.T) {
	t.Parallel()
	s, err := Compile(&Config{
		Name: "if", When: map[string]any{"equals": map[string]any{"level": "debug"}},
		Then: []Config{{Name: "drop_event", Place: "filebeat.yml:9"}},
		Else: []Config{{Name: "add_tags", Args: map[string]any{"tags": []any{"kept"}}}, {Name: "rename", Args: map[string]any{"fields": []any{map[string]any{"from": "a", "to": "b"}}, "ignore_missing": true}}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	ev := &tree.Event{Fields: map[string]any{"level": "debug"}}
	if rule := Run([]Step{s}, ev); rule != "filebeat.yml:9 drop_event" {
		t.Errorf("rule %q", rule)
	}
	ev = &tree.Event{Fields: map[string]any{"level": "info", "a": 1}}
	if rule := Run([]Step{s}, ev); rule != "" || string(tree.AppendObject(nil, ev.Fields)) != `{"b":1,"level":"info","tags":["kept"]}` {
		t.Errorf("%q, %s", rule, tree.AppendObject(nil, ev.Fields))
	}
}

// TestErrorEndsList: an error ends its list of processors; the next list runs.
func TestErrorEndsList(t *testing.T) {
	t.Parallel()
	var steps []Step
	for i, c := range []Config{
		{Name: "rename", Args: map[string]any{"fields": []any{map[string]any{"from": "no", "to": "b"}}}},
		{Name: "add_tags", Args: map[string]any{"tags": []any{"one"}}},
		{Name: "add_tags", Args: map[string]any{"tags": []any{"two"}}},
	} {
		s, err := Compile(&c, i/2)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, s)
	}
	ev := &tree.Event{Fields: map[string]any{}}
	Run(steps, ev)
	if got := string(tree.AppendObject(nil, ev.Fields)); got != `{"error":{"message":"field no is missing"},"tags":["two"]}` {
		t.Error(got)
	}
}

func TestRateLimit(t *testing.T) {
	t.Parallel()
	s, err := Compile(&Config{Name: "rate_limit", Args: map[string]any{"limit": "2/h", "fields": []any{"k"}}}, 0)
	if err != nil {
		t.Fatal(err)
	}
	var kept []string
	for _, k := range []string{"a", "a", "a", "b", "b", "b"} {
		if Run([]Step{s}, &tree.Event{Fields: map[string]any{"k": k}}) == "" {
			kept = append(kept, k)
		}
	}
	if got := strings.Join(kept, ""); got != "aabb" {
		t.Error(got)
	}
}

func TestDated(t *testing.T) {
	t.Parallel()
	f, err := ParseDated("x-%{[a]}-%{+yyyy.MM.dd}")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := f.TextAt(map[string]any{"a": "b"}, time.Date(2026, 11, 2, 3, 4, 5, 0, time.UTC)); got != "x-b-2026.11.02" || !f.Dated() {
		t.Error(got)
	}
}

// FuzzDissect: no pattern that compiles makes a text fail in another way than not to match.
func FuzzDissect(f *testing.F) {
	f.Add("%{a} [%{b|integer}] %{*k}:%{&k->} %{+a}", "x [1] y:z w")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		s, err := Compile(&Config{Name: "dissect", Args: map[string]any{"tokenizer": pattern}}, 0)
		if err != nil {
			return
		}
		ev := &tree.Event{Fields: map[string]any{"message": text}}
		Run([]Step{s}, ev)
		if v, _ := ev.Get("message"); v != text {
			t.Fatalf("message became %v", v)
		}
	})
}
