package input

import (
	"bytes"
	"compress/gzip"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/weirlog/weir/agent/tree"
)

// ask sends a request and returns its status and body.
func ask(t *testing.T, c *http.Client, method, url string, header map[string]string, body []byte) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func zipped(b []byte) []byte {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return z.Bytes()
}

func TestHTTP(t *testing.T) {
	t.Parallel()
	c := DefaultHTTP()
	var addr func() string
	c.Bind, addr = bound()
	c.URL, c.Prefix, c.MaxBody = "/in", ".", 200
	c.BasicAuth, c.Username, c.Password = true, "u", "p"
	c.IncludeHeaders, c.PreserveOriginal = []string{"x-id"}, true
	sink := newMemory()
	run(t, c, sink)
	url := "http://u:p@" + addr() + "/in"
	typ := map[string]string{"Content-Type": "application/json; charset=utf-8"}
	n := 0
	for _, tc := range []struct {
		name, body string
		header     map[string]string
		code       int
		answer     string
		events     string // of the prefix "."
	}{
		{"object", `{"a":1.50,"b":{"c":["x"]}}`, typ, 200, `success`, `{"a":1.50,"b":{"c":["x"]},"event":{"original":"{\"a\":1.50,\"b\":{\"c\":[\"x\"]}}"}}`},
		{"list", `[{"a":1},{"a":2}]`, typ, 200, `success`, `{"a":1,"event":{"original":"{\"a\":1}"}}` + "\n" + `{"a":2,"event":{"original":"{\"a\":2}"}}`},
		{"lines", "{\"a\":3}\n{\"a\":4}\n", map[string]string{"Content-Type": "application/json", "X-Id": "7"}, 200, `success`, `{"a":3,"event":{"original":"{\"a\":3}"},"headers":{"X-Id":["7"]}}` + "\n" + `{"a":4,"event":{"original":"{\"a\":4}"},"headers":{"X-Id":["7"]}}`},
		{"packed", string(zipped([]byte(`{"z":1}`))), map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, 200, `success`, `{"event":{"original":"{\"z\":1}"},"z":1}`},
		{"text", `hello`, typ, 400, "malformed", ""},
		{"number", `[1]`, typ, 400, "malformed", ""},
		{"half", `{"a":1}{"b"`, typ, 400, "malformed", ""},
		{"empty", ``, typ, 406, "empty", ""},
		{"type", `{}`, map[string]string{"Content-Type": "text/plain"}, 415, "expecting application/json", ""},
		{"large", `{"a":"` + strings.Repeat("x", 300) + `"}`, typ, 413, "large", ""},
		{"bomb", string(zipped([]byte(`{"a":"` + strings.Repeat("x", 3000) + `"}`))), map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, 413, "large", ""},
		{"not gzip", `{}`, map[string]string{"Content-Type": "application/json", "Content-Encoding": "gzip"}, 400, "gzip", ""},
		{"unknown encoding", `{}`, map[string]string{"Content-Type": "application/json", "Content-Encoding": "br"}, 400, "br", ""},
	} {
		resp, text := ask(t, http.DefaultClient, "POST", url, tc.header, []byte(tc.body))
		if resp.StatusCode != tc.code || !strings.Contains(text, tc.answer) || !json.Valid([]byte(text)) {
			t.Errorf("%s: %d %s", tc.name, resp.StatusCode, text)
		}
		if tc.events != "" {
			m := n + 1 + strings.Count(tc.events, "\n")
			if got := strings.TrimSpace(show(sink.wait(t, m)[n:])); got != tc.events {
				t.Errorf("%s\n got %s\nwant %s", tc.name, got, tc.events)
			}
			n = m
		}
	}
	for _, tc := range []struct {
		method, url string
		code        int
	}{{"GET", url, 405}, {"POST", "http://u:x@" + addr2(url), 401}, {"POST", "http://" + addr2(url), 401}, {"POST", url + "/x", 404}} {
		if resp, text := ask(t, http.DefaultClient, tc.method, tc.url, typ, []byte(`{}`)); resp.StatusCode != tc.code {
			t.Errorf("%s %s: %d %s", tc.method, tc.url, resp.StatusCode, text)
		}
	}
	if got := len(sink.wait(t, n)); got != n {
		t.Errorf("%d events, want %d", got, n)
	}
}

// addr2 is what follows the user in a URL.
func addr2(url string) string { return url[strings.IndexByte(url, '@')+1:] }

func TestHTTPSecrets(t *testing.T) {
	t.Parallel()
	c := DefaultHTTP()
	var addr func() string
	c.Bind, addr = bound()
	c.SecretHeader, c.SecretValue = "X-Secret", "s"
	c.HMACHeader, c.HMACKey, c.HMACPrefix = "X-Sig", "key", "sha256="
	c.ResponseCode, c.ResponseBody = 202, `{"ok":true}`
	sink := newMemory()
	run(t, c, sink)
	mac := hmac.New(sha256.New, []byte("key"))
	mac.Write([]byte(`{"a":1}`))
	sig := "sha256=" + hex.EncodeToString(mac.Sum(nil))
	url := "http://" + addr()
	for _, tc := range []struct {
		secret, sig string
		code        int
	}{{"s", sig, 202}, {"x", sig, 401}, {"s", "", 401}, {"s", "sha256=zz", 401}, {"s", "sha256=00", 401}} {
		h := map[string]string{"Content-Type": "application/json", "X-Secret": tc.secret, "X-Sig": tc.sig}
		if resp, text := ask(t, http.DefaultClient, "POST", url, h, []byte(`{"a":1}`)); resp.StatusCode != tc.code {
			t.Errorf("%+v: %d %s", tc, resp.StatusCode, text)
		}
	}
	if got := show(sink.wait(t, 1)); got != `{"json":{"a":1}}`+"\n" {
		t.Errorf("%s", got)
	}
}

// TestHTTPBusy: what cannot be held is refused, and so is what does not become durable.
func TestHTTPBusy(t *testing.T) {
	t.Parallel()
	c := DefaultHTTP()
	var addr func() string
	c.Bind, addr = bound()
	c.MaxInFlight = 20 << 10
	sink := newMemory()
	sink.shut = make(chan struct{})
	close(sink.stop)
	run(t, c, sink)
	url := "http://" + addr()
	typ := map[string]string{"Content-Type": "application/json"}
	for _, body := range []string{`{"a":1}`, `{"a":"` + strings.Repeat("x", 40<<10) + `"}`} {
		resp, text := ask(t, http.DefaultClient, "POST", url, typ, []byte(body))
		if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", resp.StatusCode, text)
		}
	}
}

func TestHTTPValidate(t *testing.T) {
	t.Parallel()
	c := DefaultHTTP()
	c.Address = "0.0.0.0:80"
	if errs := c.Validate(); len(errs) != 1 {
		t.Errorf("beyond loopback without login: %v", errs)
	}
	c.SecretHeader, c.SecretValue = "X", "y"
	if errs := c.Validate(); len(errs) != 0 {
		t.Errorf("with a secret: %v", errs)
	}
	c.BasicAuth, c.SecretValue, c.HMACHeader, c.HMACType, c.Method, c.ResponseCode, c.ResponseBody, c.URL, c.MaxBody = true, "", "H", "md5", "GET", 1, "{", "x", 0
	if errs := c.Validate(); len(errs) != 9 {
		t.Errorf("%d: %v", len(errs), errs)
	}
}

// Messages of OTLP, built by hand.
func pb(num protowire.Number, v any) []byte {
	switch v := v.(type) {
	case uint64:
		return protowire.AppendFixed64(protowire.AppendTag(nil, num, protowire.Fixed64Type), v)
	case int:
		return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
	case string:
		return protowire.AppendString(protowire.AppendTag(nil, num, protowire.BytesType), v)
	case []byte:
		return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), v)
	}
	panic("no such value")
}

func msg(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func kv(key string, value []byte) []byte { return msg(pb(1, key), pb(2, value)) }

// otlpRequest is two records of one service, in protobuf and in JSON.
func otlpRequest() (proto, text []byte) {
	at := uint64(time.Date(2026, 1, 5, 11, 0, 0, 5e6, time.UTC).UnixNano())
	res := msg(pb(1, kv("service.name", pb(1, "shop"))), pb(1, kv("k8s.pod.name", pb(1, "shop-1"))), pb(1, kv("telemetry.sdk.language", pb(1, "go"))))
	first := msg(pb(1, at), pb(2, 17), pb(3, "ERROR"), pb(5, pb(1, "boom 둘")), pb(6, kv("exception.type", pb(1, "E"))),
		pb(6, kv("n", pb(3, 42))), pb(6, kv("f", pb(4, math.Float64bits(1.5)))), pb(6, kv("b", pb(2, 1))), pb(9, []byte{1, 2, 0xff}), pb(10, []byte{3}), pb(12, "order"))
	second := msg(pb(11, at), pb(2, 9), pb(5, pb(6, msg(pb(1, kv("k", pb(5, msg(pb(1, pb(1, "x")), pb(1, pb(7, []byte("raw"))))))))))) // a map with a list
	proto = pb(1, msg(pb(2, msg(pb(2, first), pb(2, second), pb(1, msg(pb(1, "lib"), pb(2, "1.0"))))), pb(1, res)))
	text = []byte(fmt.Sprintf(`{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"k8s.pod.name","value":{"stringValue":"shop-1"}},{"key":"telemetry.sdk.language","value":{"stringValue":"go"}}]},
"scopeLogs":[{"scope":{"name":"lib","version":"1.0"},"logRecords":[
{"timeUnixNano":"%d","severityNumber":17,"severityText":"ERROR","body":{"stringValue":"boom 둘"},"attributes":[{"key":"exception.type","value":{"stringValue":"E"}},{"key":"n","value":{"intValue":"42"}},{"key":"f","value":{"doubleValue":1.5}},{"key":"b","value":{"boolValue":true}}],"traceId":"0102FF","spanId":"03","eventName":"order","unknown":1},
{"observedTimeUnixNano":%d,"severityNumber":9,"body":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"stringValue":"x"},{"bytesValue":"cmF3"}]}}}]}}}]}]}]}`, at, at))
	return proto, text
}

const otlpWant = `{"@timestamp":"2026-01-05T11:00:00.005Z","message":"boom 둘","attributes":{"b":true,"f":1.5,"n":42},"error":{"type":"E"},"event":{"name":"order","severity":17},"kubernetes":{"pod":{"name":"shop-1"}},"log":{"level":"ERROR","logger":"lib"},"resource":{"attributes":{"telemetry.sdk.language":"go"}},"scope":{"version":"1.0"},"service":{"name":"shop"},"span":{"id":"03"},"trace":{"id":"0102ff"}}
{"@timestamp":"2026-01-05T11:00:00.005Z","body":{"k":["x","cmF3"]},"event":{"severity":9},"kubernetes":{"pod":{"name":"shop-1"}},"log":{"level":"INFO","logger":"lib"},"resource":{"attributes":{"telemetry.sdk.language":"go"}},"scope":{"version":"1.0"},"service":{"name":"shop"}}
`

// startOTLP runs an otlp input and returns the addresses of its ports.
func startOTLP(t *testing.T, sink Sink, edit func(*OTLPConfig)) (web, grpc string) {
	t.Helper()
	c := DefaultOTLP()
	h, haddr := bound()
	g, gaddr := bound()
	c.HTTP, c.GRPC = &h, &g
	if edit != nil {
		edit(c)
	}
	run(t, c, sink)
	return haddr(), gaddr()
}

func TestOTLPHTTP(t *testing.T) {
	t.Parallel()
	proto, text := otlpRequest()
	for _, tc := range []struct {
		typ    string
		body   []byte
		packed bool
		answer string
	}{{"application/x-protobuf", proto, false, ""}, {"application/x-protobuf", proto, true, ""}, {"application/json", text, false, "{}"}} {
		sink := newMemory()
		addr, _ := startOTLP(t, sink, nil)
		h := map[string]string{"Content-Type": tc.typ}
		body := tc.body
		if tc.packed {
			h["Content-Encoding"], body = "gzip", zipped(body)
		}
		resp, got := ask(t, http.DefaultClient, "POST", "http://"+addr+"/v1/logs", h, body)
		if resp.StatusCode != 200 || got != tc.answer || resp.Header.Get("Content-Type") != tc.typ {
			t.Errorf("%s: %d %q", tc.typ, resp.StatusCode, got)
		}
		if got := show(sink.wait(t, 2)); got != otlpWant {
			t.Errorf("%s\n got %s\nwant %s", tc.typ, got, otlpWant)
		}
	}
}

func TestOTLPFaults(t *testing.T) {
	t.Parallel()
	sink := newMemory()
	addr, _ := startOTLP(t, sink, func(c *OTLPConfig) { c.SecretHeader, c.SecretValue, c.MaxBody = "Authorization", "Bearer x", 100 })
	for _, tc := range []struct {
		method, path, typ, auth, body string
		code                          int
	}{
		{"POST", "/v1/logs", "application/json", "Bearer x", `{`, 400},
		{"POST", "/v1/logs", "application/x-protobuf", "Bearer x", "\xff\xff", 400},
		{"POST", "/v1/logs", "application/json", "Bearer y", `{}`, 401},
		{"GET", "/v1/logs", "application/json", "Bearer x", ``, 405},
		{"POST", "/v1/logs", "text/plain", "Bearer x", `{}`, 415},
		{"POST", "/v1/logs", "application/json", "Bearer x", strings.Repeat(" ", 101), 413},
		{"POST", "/v1/traces", "application/json", "Bearer x", `{}`, 404},
		{"POST", "/v1/logs", "application/json", "Bearer x", `{}`, 200},
	} {
		if resp, text := ask(t, http.DefaultClient, tc.method, "http://"+addr+tc.path, map[string]string{"Content-Type": tc.typ, "Authorization": tc.auth}, []byte(tc.body)); resp.StatusCode != tc.code {
			t.Errorf("%+v: %d %q", tc, resp.StatusCode, text)
		}
	}
	// A broken record among good ones is told, the others are kept.
	events, rejected, err := decodeOTLP(pb(1, msg(pb(2, msg(pb(2, []byte{0xff}), pb(2, pb(5, pb(1, "good"))))))))
	if len(events) != 1 || rejected != 1 || err != nil {
		t.Errorf("%d events, %d rejected, %v", len(events), rejected, err)
	}
	events, rejected, err = decodeOTLPJSON([]byte(`{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":1},{"body":{"stringValue":"good"}}]}]}]}`))
	if len(events) != 1 || rejected != 1 || err != nil {
		t.Errorf("%d events, %d rejected, %v", len(events), rejected, err)
	}
	if s := string(success(true, 1)); !strings.Contains(s, `"rejectedLogRecords":"1"`) {
		t.Error(s)
	}
}

func TestOTLPgRPC(t *testing.T) {
	t.Parallel()
	sink := newMemory()
	_, addr := startOTLP(t, sink, nil)
	var p http.Protocols
	p.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: &p}}
	proto, _ := otlpRequest()
	frame := func(packed byte, b []byte) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{packed}, uint32(len(b))), b...)
	}
	for _, tc := range []struct {
		name, method, encoding string
		body                   []byte
		status                 string
	}{
		{"plain", grpcLogs, "", frame(0, proto), "0"},
		{"packed", grpcLogs, "gzip", frame(1, zipped(proto)), "0"},
		{"unknown encoding", grpcLogs, "snappy", frame(1, proto), "12"},
		{"unknown method", "/x/Export", "", frame(0, proto), "12"},
		{"two messages", grpcLogs, "", append(frame(0, proto), frame(0, proto)...), "3"},
		{"garbage", grpcLogs, "", frame(0, []byte{0xff}), "3"},
		{"nothing", grpcLogs, "", nil, "3"},
	} {
		h := map[string]string{"Content-Type": "application/grpc+proto", "Te": "trailers"}
		if tc.encoding != "" {
			h["Grpc-Encoding"] = tc.encoding
		}
		resp, body := ask(t, client, "POST", "http://"+addr+tc.method, h, tc.body)
		status := resp.Trailer.Get("Grpc-Status")
		if status == "" {
			status = resp.Header.Get("Grpc-Status")
		}
		if resp.StatusCode != 200 || status != tc.status || resp.ProtoMajor != 2 || tc.status == "0" && body != "\x00\x00\x00\x00\x00" {
			t.Errorf("%s: HTTP %d, status %q %s, body %q", tc.name, resp.StatusCode, status, resp.Header.Get("Grpc-Message"), body)
		}
	}
	if got := show(sink.wait(t, 4)[:2]); got != otlpWant {
		t.Errorf("got %s", got)
	}
}

// FuzzOTLP: any bytes end, and what comes out renders as JSON.
func FuzzOTLP(f *testing.F) {
	proto, text := otlpRequest()
	f.Add(proto)
	f.Add(text)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, decode := range []func([]byte) ([]Event, int, error){decodeOTLP, decodeOTLPJSON} {
			events, _, _ := decode(b)
			for i := range events {
				if !json.Valid(tree.AppendObject(nil, events[i].Fields)) {
					t.Errorf("%s", tree.AppendObject(nil, events[i].Fields))
				}
			}
		}
	})
}

// TestOTLPForms: both encodings of a request make the same events.
func TestOTLPForms(t *testing.T) {
	t.Parallel()
	proto, text := otlpRequest()
	a, _, err1 := decodeOTLP(proto)
	b, _, err2 := decodeOTLPJSON(text)
	for i := range a {
		a[i].Bytes, b[i].Bytes = 0, 0
	}
	if err1 != nil || err2 != nil || !reflect.DeepEqual(a, b) {
		t.Errorf("%v %v\n%+v\n%+v", err1, err2, a, b)
	}
}
