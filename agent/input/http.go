package input

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/lines"
)

// HTTPConfig is an http_endpoint input: requests with a JSON object, a list of them, or one a line.
type HTTPConfig struct {
	Bind
	// URL is the path that is served.
	URL string
	// Prefix is the field an object is put under; "." is the event's root.
	Prefix string
	// ContentType requests must have; "" is any.
	ContentType string
	// Method is POST, PUT or PATCH.
	Method string
	// BasicAuth asks for Username and Password.
	BasicAuth          bool
	Username, Password string
	// SecretHeader must have the value SecretValue.
	SecretHeader, SecretValue string
	// HMACHeader must hold HMACPrefix and the HMAC of the body, of HMACType sha1 or sha256, with HMACKey, in hexadecimal.
	HMACHeader, HMACKey, HMACType, HMACPrefix string
	// IncludeHeaders are request headers that become fields of headers.
	IncludeHeaders []string
	// PreserveOriginal keeps the object as it was in event.original.
	PreserveOriginal bool
	// ResponseCode and ResponseBody answer a request whose events are durable.
	ResponseCode int
	ResponseBody string
	// MaxBody is how many bytes a request may have, unpacked.
	MaxBody int64
	// MaxInFlight bounds the bodies of all requests being served, in bytes; beyond it senders are told to come back.
	MaxInFlight int64
}

// DefaultHTTP listens where Filebeat does.
func DefaultHTTP() *HTTPConfig {
	return &HTTPConfig{
		Bind: Bind{Address: "127.0.0.1:8000"}, URL: "/", Prefix: "json", ContentType: "application/json", Method: http.MethodPost, HMACType: "sha256",
		ResponseCode: http.StatusOK, ResponseBody: `{"message": "success"}`, MaxBody: 20 << 20, MaxInFlight: 128 << 20,
	}
}

func (c *HTTPConfig) login() bool { return c.BasicAuth || c.SecretHeader != "" || c.HMACHeader != "" }

// Validate names all faults.
func (c *HTTPConfig) Validate() []error {
	errs := c.Bind.validate(c.login())
	note := func(bad bool, text string) {
		if bad {
			errs = append(errs, errors.New(text))
		}
	}
	note(c.BasicAuth && (c.Username == "" || c.Password == ""), "basic_auth needs username and password")
	note((c.SecretHeader == "") != (c.SecretValue == ""), "secret.header and secret.value go together")
	note((c.HMACHeader == "") != (c.HMACKey == ""), "hmac.header and hmac.key go together")
	note(c.HMACType != "sha1" && c.HMACType != "sha256", "hmac.type is sha1 or sha256")
	note(c.Method != http.MethodPost && c.Method != http.MethodPut && c.Method != http.MethodPatch, "method is POST, PUT or PATCH")
	note(c.ResponseCode < 200 || c.ResponseCode > 599, "response_code is 200 to 599")
	note(c.ResponseBody != "" && !validJSON(c.ResponseBody), "response_body is no JSON")
	note(!strings.HasPrefix(c.URL, "/"), "url begins with /")
	note(c.MaxBody < 1 || c.MaxInFlight < 1, "max_body_bytes and max_in_flight_bytes are at least 1")
	return errs
}

func validJSON(s string) bool { return fastjson.Validate(s) == nil }

// Open binds the address.
func (c *HTTPConfig) Open(log *slog.Logger) (Input, error) {
	ln, err := c.listener("tcp", log)
	if err != nil {
		return nil, err
	}
	return &endpoint{set: *c, web: web{ln: ln, log: log, bytes: inFlight{most: c.MaxInFlight}}, stream: "http " + ln.Addr().String()}, nil
}

type endpoint struct {
	web
	set    HTTPConfig
	stream string
}

// Run serves requests.
func (h *endpoint) Run(ctx context.Context, sink Sink) error {
	mux := http.NewServeMux()
	mux.HandleFunc(h.set.URL, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != h.set.URL {
			http.NotFound(w, r)
			return
		}
		code, text := h.serve(r, sink)
		if code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		w.Write([]byte(text)) // the sender may be gone: nothing to do then
	})
	return h.run(ctx, mux)
}

func say(text string) string {
	return string(tree.AppendObject(nil, map[string]any{"message": text}))
}

// serve is the way of a request: who, what, how large; then its events.
func (h *endpoint) serve(r *http.Request, sink Sink) (code int, answer string) {
	if code, why := h.allowed(r); code != 0 {
		return code, say(why)
	}
	body, release, err := h.body(r, h.set.MaxBody)
	defer release()
	switch {
	case errors.Is(err, errBig):
		return http.StatusRequestEntityTooLarge, say("request body is too large")
	case errors.Is(err, errBusy):
		return http.StatusServiceUnavailable, say("too many requests in flight")
	case err != nil:
		return http.StatusBadRequest, say("body cannot be read: " + err.Error())
	case len(body) == 0:
		return http.StatusNotAcceptable, say("body cannot be empty")
	}
	if why := h.signed(r, body); why != "" {
		return http.StatusUnauthorized, say(why)
	}
	events, err := h.events(r, body)
	if err != nil {
		return http.StatusBadRequest, say(err.Error())
	}
	if err := deliver(r.Context(), sink, h.stream, events); err != nil {
		return http.StatusServiceUnavailable, say("events cannot be kept now")
	}
	return h.set.ResponseCode, h.set.ResponseBody
}

// allowed checks what a request says of itself.
func (h *endpoint) allowed(r *http.Request) (code int, why string) {
	c := &h.set
	if c.BasicAuth {
		user, password, _ := r.BasicAuth()
		if !same(user, c.Username) || !same(password, c.Password) {
			return http.StatusUnauthorized, "incorrect username or password"
		}
	}
	if c.SecretHeader != "" && !same(r.Header.Get(c.SecretHeader), c.SecretValue) {
		return http.StatusUnauthorized, "incorrect header or header secret"
	}
	if r.Method != c.Method {
		return http.StatusMethodNotAllowed, fmt.Sprintf("only %s requests are allowed", c.Method)
	}
	if c.ContentType != "" {
		typ, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || typ != c.ContentType {
			return http.StatusUnsupportedMediaType, "wrong Content-Type header, expecting " + c.ContentType
		}
	}
	return 0, ""
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// signed checks the HMAC of a body.
func (h *endpoint) signed(r *http.Request, body []byte) (why string) {
	c := &h.set
	if c.HMACHeader == "" {
		return ""
	}
	text := r.Header.Get(c.HMACHeader)
	if text == "" {
		return "missing HMAC header"
	}
	got, err := hex.DecodeString(strings.TrimPrefix(text, c.HMACPrefix))
	if err != nil {
		return "invalid HMAC signature encoding"
	}
	algo := map[string]func() hash.Hash{"sha1": sha1.New, "sha256": sha256.New}[c.HMACType]
	mac := hmac.New(algo, []byte(c.HMACKey))
	mac.Write(body)
	if !hmac.Equal(got, mac.Sum(nil)) {
		return "invalid HMAC signature"
	}
	return ""
}

var errMalformed = errors.New("malformed JSON object at stream position 0")

// events are the objects of a body: one, a list, or several behind each other.
func (h *endpoint) events(r *http.Request, body []byte) ([]Event, error) {
	var events []Event
	var s fastjson.Scanner
	s.InitBytes(body)
	headers := h.headers(r)
	for s.Next() {
		v := s.Value()
		objects := []*fastjson.Value{v}
		if v.Type() == fastjson.TypeArray {
			objects = v.GetArray()
		}
		for _, o := range objects {
			if o.Type() != fastjson.TypeObject {
				return nil, errMalformed
			}
			events = append(events, h.event(o, headers))
		}
	}
	if s.Error() != nil {
		return nil, errMalformed
	}
	return events, nil
}

func (h *endpoint) event(v *fastjson.Value, headers map[string]any) Event {
	object := lines.ToGo(v).(map[string]any)
	text := v.MarshalTo(nil)
	e := Event{Bytes: int64(len(text)), Fields: object}
	if h.set.Prefix != "." {
		e.Fields = map[string]any{}
		tree.Set(e.Fields, h.set.Prefix, object)
	}
	if headers != nil {
		e.Fields["headers"] = headers
	}
	if h.set.PreserveOriginal {
		tree.Merge(e.Fields, map[string]any{"event": map[string]any{"original": string(text)}}, true)
	}
	return e
}

// headers are those to include, with their values; nil for none.
func (h *endpoint) headers(r *http.Request) map[string]any {
	var t map[string]any
	for _, name := range h.set.IncludeHeaders {
		name = http.CanonicalHeaderKey(name)
		vals := r.Header.Values(name)
		if len(vals) == 0 {
			continue
		}
		if t == nil {
			t = map[string]any{}
		}
		t[name] = vals
	}
	return t
}

// HostPort is an address of its parts.
func HostPort(host string, port int) string { return net.JoinHostPort(host, strconv.Itoa(port)) }
