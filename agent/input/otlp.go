package input

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
	"google.golang.org/protobuf/encoding/protowire"
)

// OTLPConfig is an otlp input: logs of OpenTelemetry's SDKs and collectors, over HTTP (protobuf or JSON) and over gRPC.
type OTLPConfig struct {
	// HTTP serves /v1/logs, GRPC the LogsService; one may be nil.
	HTTP, GRPC *Bind
	// SecretHeader must have the value SecretValue, such as Authorization and "Bearer x".
	SecretHeader, SecretValue string
	// MaxBody is how many bytes a request may have, unpacked.
	MaxBody int64
	// MaxInFlight bounds the bodies of all requests being served, in bytes.
	MaxInFlight int64
}

// DefaultOTLP listens on the protocol's two ports.
func DefaultOTLP() *OTLPConfig {
	return &OTLPConfig{HTTP: &Bind{Address: "127.0.0.1:4318"}, GRPC: &Bind{Address: "127.0.0.1:4317"}, MaxBody: 20 << 20, MaxInFlight: 128 << 20}
}

// Permit allows plain text beyond loopback.
func (c *OTLPConfig) Permit() {
	for _, b := range []*Bind{c.HTTP, c.GRPC} {
		if b != nil {
			b.Permit()
		}
	}
}

// Validate names all faults.
func (c *OTLPConfig) Validate() []error {
	var errs []error
	for _, b := range []*Bind{c.HTTP, c.GRPC} {
		if b != nil {
			errs = append(errs, b.validate(c.SecretHeader != "")...)
		}
	}
	if c.HTTP == nil && c.GRPC == nil {
		errs = append(errs, errors.New("otlp needs http or grpc"))
	}
	if (c.SecretHeader == "") != (c.SecretValue == "") {
		errs = append(errs, errors.New("secret.header and secret.value go together"))
	}
	if c.MaxBody < 1 || c.MaxInFlight < 1 {
		errs = append(errs, errors.New("max_body_bytes and max_in_flight_bytes are at least 1"))
	}
	return errs
}

// Open binds the addresses.
func (c *OTLPConfig) Open(log *slog.Logger) (Input, error) {
	o := &otlp{set: *c}
	for _, b := range []struct {
		bind *Bind
		grpc bool
	}{{c.HTTP, false}, {c.GRPC, true}} {
		if b.bind == nil {
			continue
		}
		tcp := *b.bind
		ln, err := tcp.listener("tcp", log)
		if err != nil {
			for _, s := range o.servers {
				s.ln.Close()
			}
			return nil, err
		}
		o.servers = append(o.servers, &otlpServer{web: web{ln: ln, log: log, h2c: true, bytes: inFlight{most: c.MaxInFlight}}, set: &o.set, grpc: b.grpc, stream: "otlp " + ln.Addr().String()})
	}
	return o, nil
}

type otlp struct {
	set     OTLPConfig
	servers []*otlpServer
}

// Run serves both protocols.
func (o *otlp) Run(ctx context.Context, sink Sink) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(o.servers))
	var all sync.WaitGroup
	for i, s := range o.servers {
		all.Go(func() {
			errs[i] = s.run(ctx, s.handler(sink))
			cancel() // one that fails takes the other with it, to be started again together
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

type otlpServer struct {
	web
	set    *OTLPConfig
	grpc   bool
	stream string
}

const (
	httpLogs = "/v1/logs"
	grpcLogs = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
)

func (s *otlpServer) handler(sink Sink) http.Handler {
	mux := http.NewServeMux()
	if s.grpc {
		mux.HandleFunc(grpcLogs, func(w http.ResponseWriter, r *http.Request) { s.serveGRPC(w, r, sink) })
		mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
			status(w, codeUnimplemented, "unknown service or method")
		})
		return mux
	}
	mux.HandleFunc(httpLogs, func(w http.ResponseWriter, r *http.Request) { s.serveHTTP(w, r, sink) })
	return mux
}

func (s *otlpServer) allowed(r *http.Request) bool {
	return s.set.SecretHeader == "" || same(r.Header.Get(s.set.SecretHeader), s.set.SecretValue)
}

// serveHTTP answers a request of OTLP/HTTP in the encoding it came in.
func (s *otlpServer) serveHTTP(w http.ResponseWriter, r *http.Request, sink Sink) {
	typ, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	isJSON := typ == "application/json"
	fail := func(code int, text string) {
		w.Header().Set("Content-Type", typ)
		if code == http.StatusServiceUnavailable {
			w.Header().Set("Retry-After", retryAfter)
		}
		w.WriteHeader(code)
		w.Write(statusBody(isJSON, text))
	}
	switch {
	case r.Method != http.MethodPost:
		typ = "text/plain"
		fail(http.StatusMethodNotAllowed, "POST only")
		return
	case !isJSON && typ != "application/x-protobuf":
		typ = "text/plain"
		fail(http.StatusUnsupportedMediaType, "content type is neither application/x-protobuf nor application/json")
		return
	case !s.allowed(r):
		fail(http.StatusUnauthorized, "incorrect header or header secret")
		return
	}
	body, release, err := s.body(r, s.set.MaxBody)
	defer release()
	switch {
	case errors.Is(err, errBig):
		fail(http.StatusRequestEntityTooLarge, err.Error())
		return
	case errors.Is(err, errBusy):
		fail(http.StatusServiceUnavailable, err.Error())
		return
	case err != nil:
		fail(http.StatusBadRequest, err.Error())
		return
	}
	decode := decodeOTLP
	if isJSON {
		decode = decodeOTLPJSON
	}
	events, rejected, err := decode(body)
	if err != nil {
		fail(http.StatusBadRequest, err.Error())
		return
	}
	if err := deliver(r.Context(), sink, s.stream, events); err != nil {
		fail(http.StatusServiceUnavailable, "logs cannot be kept now")
		return
	}
	w.Header().Set("Content-Type", typ)
	w.Write(success(isJSON, rejected))
}

const brokenRecords = "log records that are no protobuf messages"

// success is an ExportLogsServiceResponse.
func success(isJSON bool, rejected int) []byte {
	if isJSON {
		if rejected == 0 {
			return []byte("{}")
		}
		return []byte(`{"partialSuccess":{"rejectedLogRecords":"` + strconv.Itoa(rejected) + `","errorMessage":"` + brokenRecords + `"}}`)
	}
	if rejected == 0 {
		return nil
	}
	var p []byte
	p = protowire.AppendTag(p, 1, protowire.VarintType)
	p = protowire.AppendVarint(p, uint64(rejected))
	p = protowire.AppendTag(p, 2, protowire.BytesType)
	p = protowire.AppendString(p, brokenRecords)
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), p)
}

// statusBody is a google.rpc.Status with a message.
func statusBody(isJSON bool, text string) []byte {
	if isJSON {
		return []byte(say(text))
	}
	return protowire.AppendString(protowire.AppendTag(nil, 2, protowire.BytesType), text)
}

// Codes of gRPC.
const (
	codeInvalid         = 3
	codeExhausted       = 8
	codeUnimplemented   = 12
	codeUnavailable     = 14
	codeUnauthenticated = 16
)

// status ends a call without a message.
func status(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Grpc-Status", strconv.Itoa(code))
	w.Header().Set("Grpc-Message", url.PathEscape(text))
	w.WriteHeader(http.StatusOK)
}

// serveGRPC answers a unary call.
func (s *otlpServer) serveGRPC(w http.ResponseWriter, r *http.Request, sink Sink) {
	if r.ProtoMajor != 2 || r.Method != http.MethodPost || !strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
		http.Error(w, "this port speaks gRPC; OTLP over HTTP has one of its own", http.StatusUnsupportedMediaType)
		return
	}
	if !s.allowed(r) {
		status(w, codeUnauthenticated, "incorrect header or header secret")
		return
	}
	r.Header.Del("Content-Encoding") // of messages, not of the body
	body, release, err := s.body(r, s.set.MaxBody+5)
	defer release()
	if err == nil {
		body, err = unframe(body, r.Header.Get("Grpc-Encoding"), s.set.MaxBody)
	}
	switch {
	case errors.Is(err, errBusy):
		status(w, codeUnavailable, err.Error())
		return
	case errors.Is(err, errBig):
		status(w, codeExhausted, err.Error())
		return
	case errors.Is(err, errEncoding):
		w.Header().Set("Grpc-Accept-Encoding", "gzip")
		status(w, codeUnimplemented, err.Error())
		return
	case err != nil:
		status(w, codeInvalid, err.Error())
		return
	}
	events, rejected, err := decodeOTLP(body)
	if err != nil {
		status(w, codeInvalid, err.Error())
		return
	}
	if err := deliver(r.Context(), sink, s.stream, events); err != nil {
		status(w, codeUnavailable, "logs cannot be kept now")
		return
	}
	answer := success(false, rejected)
	w.Header().Set("Content-Type", "application/grpc")
	w.Header().Set("Trailer", "Grpc-Status")
	w.Write(append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(answer))), answer...))
	w.Header().Set("Grpc-Status", "0")
}

// errEncoding is a compression that is not known.
var errEncoding = errors.New("messages are compressed by something else than gzip")

// unframe is the one message of a call: a byte that says whether it is compressed, its length, the message.
func unframe(b []byte, encoding string, most int64) ([]byte, error) {
	if len(b) < 5 || int64(binary.BigEndian.Uint32(b[1:])) != int64(len(b)-5) {
		return nil, errors.New("the call holds other than one message")
	}
	packed := b[0] == 1
	b = b[5:]
	if !packed {
		return b, nil
	}
	if encoding != "gzip" {
		return nil, errEncoding
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	n, err := out.ReadFrom(&capped{z, most})
	if n >= most && err == nil {
		return nil, errBig
	}
	return out.Bytes(), err
}

// capped ends a stream after so many bytes.
type capped struct {
	r    *gzip.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errBig
	}
	n, err := c.r.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}

// unixNano is a time of so many nanoseconds since 1970; 0 is none.
func unixNano(ns uint64) time.Time {
	if ns == 0 || ns > 1<<62 {
		return time.Time{}
	}
	return time.Unix(0, int64(ns))
}
