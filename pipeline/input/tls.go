package input

import (
	"crypto/tls"
	"fmt"
	"net"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/plugin"
)

const pemOnly = "give certificate and key as PEM files: ssl_certificate, ssl_key"

// tlsOptions are the options of TLS that listening inputs share, under the names they had over the years.
func tlsOptions() []plugin.Option {
	return []plugin.Option{
		{Name: "ssl_enabled", Kind: plugin.Boolean, Default: "false", Doc: "Whether connections are encrypted."},
		{Name: "ssl", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"}, {Name: "ssl_enable", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"},
		{Name: "ssl_certificate", Kind: plugin.Path, Doc: "PEM file of the certificate, with those that lead to its authority."}, {Name: "ssl_cert", Kind: plugin.Path, Deprecated: "use ssl_certificate"},
		{Name: "ssl_key", Kind: plugin.Path, Doc: "PEM file of the key."},
		{Name: "ssl_key_passphrase", Kind: plugin.Password, Doc: "Passphrase of a key in the traditional form."},
		{Name: "ssl_certificate_authorities", Kind: plugin.Array, Doc: "PEM files of the authorities that sign senders."},
		{Name: "ssl_client_authentication", Enum: []string{"none", "optional", "required"}, Doc: "Whether senders show a certificate; required when there are authorities."},
		{Name: "ssl_verify_mode", Enum: []string{"none", "peer", "force_peer"}, Deprecated: "use ssl_client_authentication"},
		{Name: "ssl_verify", Kind: plugin.Boolean, Deprecated: "use ssl_client_authentication"},
		{Name: "ssl_supported_protocols", Kind: plugin.Array, Doc: "TLSv1.1, TLSv1.2, TLSv1.3; 1.2 and 1.3 without it."},
		{Name: "ssl_cipher_suites", Kind: plugin.Array, Doc: "Cipher suites of TLS 1.2."}, {Name: "cipher_suites", Kind: plugin.Array, Deprecated: "use ssl_cipher_suites"},
		{Name: "ssl_extra_chain_certs", Obsolete: "append them to the certificate's file"}, {Name: "ssl_handshake_timeout", Kind: plugin.Number, Unread: "the time of silence holds for it too"},
		{Name: "ssl_keystore_path", Obsolete: pemOnly}, {Name: "ssl_keystore_password", Kind: plugin.Password, Obsolete: pemOnly}, {Name: "ssl_keystore_type", Obsolete: pemOnly},
		{Name: "ssl_truststore_path", Obsolete: "use ssl_certificate_authorities"}, {Name: "ssl_truststore_password", Kind: plugin.Password, Obsolete: "use ssl_certificate_authorities"},
		{Name: "ssl_truststore_type", Obsolete: "use ssl_certificate_authorities"},
		{Name: "keystore", Obsolete: pemOnly}, {Name: "keystore_password", Kind: plugin.Password, Obsolete: pemOnly},
		{Name: "tls_min_version", Kind: plugin.Number, Obsolete: "use ssl_supported_protocols"}, {Name: "tls_max_version", Kind: plugin.Number, Obsolete: "use ssl_supported_protocols"},
	}
}

// tlsOf reads them; nil when connections are plain. Faults are reported.
func tlsOf(a *plugin.Args) *tls.Config {
	if !a.Bool("ssl_enabled") && !a.Bool("ssl") && !a.Bool("ssl_enable") {
		return nil
	}
	t := tlsSettings(a)
	switch a.String("ssl_verify_mode") {
	case "peer":
		t.Client = "optional"
	case "force_peer":
		t.Client = "required"
	case "none":
		t.Client = "none"
	}
	if a.Has("ssl_client_authentication") {
		t.Client = a.String("ssl_client_authentication")
	}
	c, err := t.Server()
	if err != nil {
		a.Fail("ssl_certificate", "", "%v", err)
		return &tls.Config{}
	}
	return c
}

// tlsSettings are those that both sides of a connection know.
func tlsSettings(a *plugin.Args) *listen.TLS {
	either := func(name, old string) string {
		if s := a.String(name); s != "" {
			return s
		}
		return a.String(old)
	}
	t := &listen.TLS{Certificate: either("ssl_certificate", "ssl_cert"), Key: a.String("ssl_key"), Passphrase: a.String("ssl_key_passphrase"),
		Authorities: a.Strings("ssl_certificate_authorities"), Versions: a.Strings("ssl_supported_protocols"), Ciphers: a.Strings("ssl_cipher_suites")}
	if len(t.Ciphers) == 0 {
		t.Ciphers = a.Strings("cipher_suites")
	}
	return t
}

// listener listens on addr, with TLS when it is set.
func (e *Env) listener(name, addr string, t *tls.Config) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	e.listening(name, l.Addr())
	if t != nil {
		return tls.NewListener(l, t), nil
	}
	return l, nil
}
