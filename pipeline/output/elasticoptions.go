package output

import (
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/plugin"
)

// ESOptions is what a writer of documents is made with. Outputs with equal options share one writer, so that all documents of a
// record are written together.
type ESOptions struct {
	Hosts        []string // empty: weir's own store
	User         string
	Password     string
	APIKey       string // base64 of id:key
	TLS          listen.TLS
	Secure       bool // hosts without a scheme are spoken to in TLS
	Path         string
	Proxy        string
	Headers      map[string]string
	Compression  int // gzip level, 0 is none
	RetryInitial time.Duration
	RetryMax     time.Duration
	Timeout      time.Duration
	Refuse       []int // statuses that are answers for good, besides 400, 404 and 413
	Template     *ESTemplate
	Rollover     *ESRollover
	Group        string // positions and ledger are kept under it
}

// ESTemplate is an index template to put before the first document.
type ESTemplate struct {
	Name      string
	Body      []byte
	Legacy    bool
	Overwrite bool
}

// ESRollover is an alias whose first index is made before the first document.
type ESRollover struct {
	Alias, Pattern, Policy string
}

// Key tells writers of clusters apart.
func (o *ESOptions) Key() string {
	c := *o
	c.Group, c.Template, c.Rollover = "", nil, nil
	key := fmt.Sprintf("%+v", c)
	if o.Template != nil {
		key += fmt.Sprintf("%+v", *o.Template)
	}
	if o.Rollover != nil {
		key += fmt.Sprintf("%+v", *o.Rollover)
	}
	return key
}

// ReadESOptions reads the options of a writer. Faults are reported.
func ReadESOptions(a *plugin.Args) ESOptions {
	o := ESOptions{Hosts: a.Strings("hosts"), User: a.String("user"), Password: a.String("password"), APIKey: apiKey(a.String("api_key")),
		Path: a.String("path"), Proxy: a.String("proxy"), Compression: a.Int("compression_level"),
		RetryInitial: a.Seconds("retry_initial_interval"), RetryMax: a.Seconds("retry_max_interval"), Timeout: a.Seconds("timeout")}
	if a.Has("http_compression") && !a.Bool("http_compression") {
		o.Compression = 0
	}
	if o.Compression < 0 || o.Compression > 9 {
		a.Fail("compression_level", "", "compression_level is 0 to 9")
	}
	for _, p := range a.Pairs("custom_headers") {
		if o.Headers == nil {
			o.Headers = make(map[string]string)
		}
		if len(p.Values) > 0 {
			o.Headers[p.Key.Text] = p.Values[0].Text
		}
	}
	for _, t := range a.Texts("dlq_custom_codes") {
		n, err := strconv.Atoi(t.Text)
		if err != nil || n < 400 || n > 599 || n == 409 {
			a.FailAt(t.Pos, "", "dlq_custom_codes: %q is no status of an error", t.Text)
		}
		o.Refuse = append(o.Refuse, n)
	}
	o.readTLS(a)
	o.readCloud(a)
	o.Template, o.Rollover = readTemplate(a), readRollover(a)
	return o
}

func (o *ESOptions) readTLS(a *plugin.Args) {
	o.Secure = a.Bool("ssl_enabled") || a.Bool("ssl")
	o.TLS = listen.TLS{Certificate: a.String("ssl_certificate"), Key: a.String("ssl_key"), Authorities: a.Strings("ssl_certificate_authorities"),
		Fingerprint: a.String("ca_trusted_fingerprint"), Versions: a.Strings("ssl_supported_protocols"), Ciphers: a.Strings("ssl_cipher_suites")}
	if ca := a.String("cacert"); ca != "" {
		o.TLS.Authorities = append(o.TLS.Authorities, ca)
	}
	if a.String("ssl_verification_mode") == "none" || a.Has("ssl_certificate_verification") && !a.Bool("ssl_certificate_verification") {
		o.TLS.Verify = "none"
	}
	if _, err := o.TLS.Dialer(""); err != nil {
		a.Fail("ssl_certificate_authorities", "", "%v", err)
	}
}

// apiKey is id:key in base64; what is in base64 already stays.
func apiKey(s string) string {
	if strings.Contains(s, ":") {
		return base64.StdEncoding.EncodeToString([]byte(s))
	}
	return s
}

// readCloud reads cloud_id, NAME:base64(domain$uuid$...), into hosts.
func (o *ESOptions) readCloud(a *plugin.Args) {
	id := a.String("cloud_id")
	if id == "" {
		if a.Has("cloud_auth") {
			a.Fail("cloud_auth", "write user and password", "cloud_auth goes with cloud_id")
		}
		return
	}
	if len(o.Hosts) > 0 {
		a.Fail("cloud_id", "", "cloud_id and hosts exclude each other")
	}
	_, code, _ := strings.Cut(id, ":")
	text, err := base64.StdEncoding.DecodeString(code)
	parts := strings.Split(string(text), "$")
	if err != nil || len(parts) < 2 || parts[0] == "" || parts[1] == "" || parts[1] == "undefined" {
		a.Fail("cloud_id", "copy it from the deployment's page", "cloud_id cannot be read")
		return
	}
	domain, port, found := strings.Cut(parts[0], ":")
	if !found {
		port = "443"
	}
	host := parts[1]
	if h, p, ok := strings.Cut(host, ":"); ok {
		host, port = h, p
	}
	o.Hosts = []string{"https://" + host + "." + domain + ":" + port}
	if user, password, ok := strings.Cut(a.String("cloud_auth"), ":"); ok {
		o.User, o.Password = user, password
	}
}

// readTemplate reads the file of a template.
func readTemplate(a *plugin.Args) *ESTemplate {
	file := a.String("template")
	if file == "" || !a.Bool("manage_template") {
		return nil
	}
	body, err := os.ReadFile(file)
	if err != nil {
		a.Fail("template", "", "%v", err)
	}
	t := &ESTemplate{Name: a.String("template_name"), Body: body, Legacy: a.String("template_api") == "legacy", Overwrite: a.Bool("template_overwrite")}
	if t.Name == "" {
		t.Name = "logstash"
	}
	return t
}

// rolloverAlias is the alias that is written instead of an index, "" for none.
func rolloverAlias(a *plugin.Args) string {
	if a.String("ilm_enabled") == "false" {
		return ""
	}
	alias := a.String("ilm_rollover_alias")
	if alias == "" && a.String("ilm_enabled") == "true" {
		alias = "logstash"
	}
	return alias
}

func readRollover(a *plugin.Args) *ESRollover {
	alias := rolloverAlias(a)
	if alias == "" {
		return nil
	}
	if strings.Contains(alias, "%{") {
		a.Fail("ilm_rollover_alias", "", "an alias cannot depend on the event")
	}
	return &ESRollover{Alias: alias, Pattern: a.String("ilm_pattern"), Policy: a.String("ilm_policy")}
}
