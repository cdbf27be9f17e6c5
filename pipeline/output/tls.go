package output

import (
	"crypto/tls"

	"github.com/weirlog/weir/listen"
	"github.com/weirlog/weir/pipeline/plugin"
)

const pemOnly = "give certificate and key as PEM files: ssl_certificate, ssl_key"

// tlsOptions are the options of TLS that outputs with connections share.
func tlsOptions() []plugin.Option {
	return []plugin.Option{
		{Name: "ssl_certificate", Kind: plugin.Path, Doc: "PEM file of the certificate to show."}, {Name: "ssl_key", Kind: plugin.Path, Doc: "PEM file of its key."},
		{Name: "ssl_key_passphrase", Kind: plugin.Password, Doc: "Passphrase of a key in the traditional form."},
		{Name: "ssl_certificate_authorities", Kind: plugin.Array, Doc: "PEM files of the authorities that sign the other side; the system's without it."},
		{Name: "ssl_verification_mode", Enum: []string{"full", "none"}, Default: "full", Doc: "Whether the other side's certificate is checked."},
		{Name: "ssl_supported_protocols", Kind: plugin.Array, Doc: "TLSv1.1, TLSv1.2, TLSv1.3; 1.2 and 1.3 without it."},
		{Name: "ssl_cipher_suites", Kind: plugin.Array, Doc: "Cipher suites of TLS 1.2."},
		{Name: "cacert", Kind: plugin.Path, Deprecated: "use ssl_certificate_authorities"}, {Name: "ssl_cacert", Kind: plugin.Path, Deprecated: "use ssl_certificate_authorities"},
		{Name: "client_cert", Kind: plugin.Path, Deprecated: "use ssl_certificate"}, {Name: "ssl_cert", Kind: plugin.Path, Deprecated: "use ssl_certificate"},
		{Name: "client_key", Kind: plugin.Path, Deprecated: "use ssl_key"},
		{Name: "keystore", Obsolete: pemOnly}, {Name: "keystore_password", Kind: plugin.Password, Obsolete: pemOnly}, {Name: "keystore_type", Obsolete: pemOnly},
		{Name: "ssl_keystore_path", Obsolete: pemOnly}, {Name: "ssl_keystore_password", Kind: plugin.Password, Obsolete: pemOnly}, {Name: "ssl_keystore_type", Obsolete: pemOnly},
		{Name: "truststore", Obsolete: "use ssl_certificate_authorities"}, {Name: "truststore_password", Kind: plugin.Password, Obsolete: "use ssl_certificate_authorities"},
		{Name: "truststore_type", Obsolete: "use ssl_certificate_authorities"},
		{Name: "ssl_truststore_path", Obsolete: "use ssl_certificate_authorities"}, {Name: "ssl_truststore_password", Kind: plugin.Password, Obsolete: "use ssl_certificate_authorities"},
		{Name: "ssl_truststore_type", Obsolete: "use ssl_certificate_authorities"},
	}
}

// tlsOf reads them. host is who is called; "" leaves that to the connection. Faults are reported.
func tlsOf(a *plugin.Args, host string) *tls.Config {
	first := func(names ...string) string {
		for _, n := range names {
			if s := a.String(n); s != "" {
				return s
			}
		}
		return ""
	}
	t := listen.TLS{Certificate: first("ssl_certificate", "ssl_cert", "client_cert"), Key: first("ssl_key", "client_key"), Passphrase: a.String("ssl_key_passphrase"),
		Authorities: a.Strings("ssl_certificate_authorities"), Verify: a.String("ssl_verification_mode"), Versions: a.Strings("ssl_supported_protocols"), Ciphers: a.Strings("ssl_cipher_suites")}
	if s := first("cacert", "ssl_cacert"); s != "" {
		t.Authorities = append(t.Authorities, s)
	}
	c, err := t.Dialer(host)
	if err != nil {
		a.Fail("ssl_certificate_authorities", "", "%v", err)
		return &tls.Config{}
	}
	return c
}
