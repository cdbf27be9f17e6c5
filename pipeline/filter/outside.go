package filter

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/weirlog/weir/pipeline/plugin"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 10 << 20

// breaker lets no calls through for a while after several failed in a row, so that a dead service costs little.
type breaker struct {
	mu     sync.Mutex
	failed int
	until  time.Time
	now    func() time.Time
}

const (
	breakAfter = 5
	breakFor   = 5 * time.Second
)

func (b *breaker) open() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now().Before(b.until)
}

func (b *breaker) done(ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ok {
		b.failed = 0
		return
	}
	if b.failed++; b.failed >= breakAfter {
		b.failed, b.until = 0, b.now().Add(breakFor)
	}
}

// httpOptions are those of the filters that ask over HTTP.
var httpOptions = []plugin.Option{
	{Name: "user", Doc: "Name to log in with."},
	{Name: "password", Kind: plugin.Password, Doc: "Password to log in with."},
	{Name: "request_timeout", Kind: plugin.Number, Default: "60", Doc: "Seconds a request may take."},
	{Name: "connect_timeout", Kind: plugin.Number, Default: "10", Doc: "Seconds a connection may take."},
	{Name: "socket_timeout", Kind: plugin.Number, Default: "10", Doc: "Seconds the head of an answer may take."},
	{Name: "follow_redirects", Kind: plugin.Boolean, Default: "true", Doc: "Whether to go where an answer points to."},
	{Name: "pool_max", Kind: plugin.Number, Default: "50", Doc: "Connections kept open."},
	{Name: "pool_max_per_route", Kind: plugin.Number, Default: "25", Doc: "Connections to one host."},
	{Name: "keepalive", Kind: plugin.Boolean, Default: "true", Doc: "Whether connections are used again."},
	{Name: "ssl_certificate_authorities", Kind: plugin.Array, Doc: "Files of certificates that the other side's must come from."},
	{Name: "cacert", Kind: plugin.Path, Deprecated: "use ssl_certificate_authorities"},
	{Name: "ssl_certificate", Kind: plugin.Path, Doc: "File of the own certificate."},
	{Name: "ssl_key", Kind: plugin.Path, Doc: "File of its key, without a password."},
	{Name: "ssl_verification_mode", Enum: []string{"full", "none"}, Default: "full", Doc: "Whether the other side's certificate is looked at."},
	{Name: "proxy", Kind: plugin.URI, Doc: "Proxy to ask through."},
	{Name: "automatic_retries", Kind: plugin.Number, Default: "1", Doc: "Further tries when no answer came."},
	{Name: "retry_non_idempotent", Kind: plugin.Boolean, Default: "false", Doc: "Whether to try again what may have had an effect."},
	{Name: "cookies", Kind: plugin.Boolean, Default: "true", Unread: "cookies are not kept", Doc: "Whether cookies are kept."},
	{Name: "validate_after_inactivity", Kind: plugin.Number, Unread: "broken connections are found when they are used", Doc: "Milliseconds until a connection is checked."},
	{Name: "client_cert", Refused: "use ssl_certificate"},
	{Name: "client_key", Refused: "use ssl_key"},
	{Name: "keystore", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "keystore_password", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "keystore_type", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "truststore", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "truststore_password", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "truststore_type", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "ssl_keystore_path", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "ssl_keystore_password", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "ssl_keystore_type", Refused: "use ssl_certificate and ssl_key with PEM files"},
	{Name: "ssl_truststore_path", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "ssl_truststore_password", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "ssl_truststore_type", Refused: "use ssl_certificate_authorities with PEM files"},
	{Name: "ssl_key_passphrase", Refused: "store the key without a password"},
	{Name: "ssl_cipher_suites", Refused: "Go's choice of ciphers is used"},
	{Name: "ssl_supported_protocols", Refused: "TLS 1.2 and 1.3 are used"},
}

// caller asks over HTTP.
type caller struct {
	client         *http.Client
	user, password string
	retries        int
	unsafe         bool
	breaker        breaker
}

func newCaller(a *plugin.Args, env *plugin.Env) *caller {
	c := &caller{user: a.String("user"), password: a.String("password"), retries: a.Int("automatic_retries"), unsafe: a.Bool("retry_non_idempotent")}
	c.breaker.now = env.Now
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxConnsPerHost, t.DisableKeepAlives = a.Int("pool_max"), a.Int("pool_max_per_route"), !a.Bool("keepalive")
	t.ResponseHeaderTimeout, t.TLSHandshakeTimeout = a.Seconds("socket_timeout"), a.Seconds("connect_timeout")
	t.Proxy = nil
	if p := a.String("proxy"); p != "" {
		u, err := url.Parse(p)
		if err != nil {
			a.Fail("proxy", "", "%v", err)
		}
		t.Proxy = http.ProxyURL(u)
	}
	t.TLSClientConfig = tlsConfig(a)
	c.client = &http.Client{Transport: t, Timeout: a.Seconds("request_timeout")}
	if !a.Bool("follow_redirects") {
		c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	return c
}

func tlsConfig(a *plugin.Args) *tls.Config {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: a.String("ssl_verification_mode") == "none"}
	files := a.Strings("ssl_certificate_authorities")
	if f := a.String("cacert"); f != "" {
		files = append(files, f)
	}
	for _, name := range files {
		pem, err := os.ReadFile(name)
		if err != nil {
			a.Fail("ssl_certificate_authorities", "", "%v", err)
			continue
		}
		if cfg.RootCAs == nil {
			cfg.RootCAs = x509.NewCertPool()
		}
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			a.Fail("ssl_certificate_authorities", "", "%s holds no certificate", name)
		}
	}
	if cert := a.String("ssl_certificate"); cert != "" {
		pair, err := tls.LoadX509KeyPair(cert, a.String("ssl_key"))
		if err != nil {
			a.Fail("ssl_certificate", "", "%v", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do asks, again when no answer came. make gives a fresh request each time.
func (c *caller) do(make func() (*http.Request, error)) (*answer, error) {
	if c.breaker.open() {
		return nil, fmt.Errorf("the last %d requests failed; waiting", breakAfter)
	}
	var last error
	for try := 0; try <= c.retries; try++ {
		req, err := make()
		if err != nil {
			return nil, err
		}
		if c.user != "" {
			req.SetBasicAuth(c.user, c.password)
		}
		res, err := c.once(req)
		c.breaker.done(err == nil)
		if err == nil {
			return res, nil
		}
		last = err
		if req.Method == http.MethodPost && !c.unsafe {
			break
		}
	}
	return nil, last
}

func (c *caller) once(req *http.Request) (*answer, error) {
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer is longer than 10 MiB")
	}
	return &answer{res.StatusCode, res.Header, body}, nil
}

// Close gives connections back.
func (c *caller) Close() error {
	c.client.CloseIdleConnections()
	return nil
}
