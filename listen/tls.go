package listen

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

// TLS is settings of one side of a connection. Certificate, Key and Authorities are paths of PEM files, or PEM texts.
type TLS struct {
	Certificate, Key string
	Passphrase       string   // of an encrypted key in the traditional form
	Authorities      []string // who signs the other side; none: the system's, for clients
	Fingerprint      string   // SHA-256 of an authority in hexadecimal, trusted when the server presents it
	Client           string   // servers: none, optional or required; "" is required when there are authorities
	Verify           string   // full or strict, certificate (any name), none; "" is full
	Versions         []string // TLSv1.2 and so on; none: 1.2 and 1.3
	Ciphers          []string // none: Go's
	Curves           []string // none: Go's
}

// Server is the settings of a server.
func (t *TLS) Server() (*tls.Config, error) {
	c, err := t.common()
	if err != nil {
		return nil, err
	}
	if len(c.Certificates) == 0 {
		return nil, errors.New("tls: a server needs a certificate and a key")
	}
	pool, err := t.pool()
	if err != nil {
		return nil, err
	}
	c.ClientCAs = pool
	mode := t.Client
	if mode == "" && pool != nil {
		mode = "required"
	}
	switch mode {
	case "", "none":
		return c, nil
	case "optional":
		c.ClientAuth = tls.VerifyClientCertIfGiven
	case "required":
		c.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		return nil, fmt.Errorf("tls: client authentication %q is none of none, optional, required", mode)
	}
	if pool == nil {
		return nil, errors.New("tls: client authentication needs certificate authorities")
	}
	if t.Verify == "none" {
		c.ClientAuth = tls.RequireAnyClientCert
		if mode == "optional" {
			c.ClientAuth = tls.RequestClientCert
		}
	}
	return c, nil
}

// Dialer is the settings of a client; host is who is called, without a port. With "" the user of the settings names the server of
// each connection, as net/http does.
func (t *TLS) Dialer(host string) (*tls.Config, error) {
	c, err := t.common()
	if err != nil {
		return nil, err
	}
	if c.RootCAs, err = t.pool(); err != nil {
		return nil, err
	}
	c.ServerName = host
	switch t.Verify {
	case "", "full", "strict":
		if t.Fingerprint == "" {
			return c, nil
		}
	case "certificate":
	case "none":
		c.InsecureSkipVerify = true
		return c, nil
	default:
		return nil, fmt.Errorf("tls: verification mode %q is none of full, strict, certificate, none", t.Verify)
	}
	want, err := hex.DecodeString(strings.ReplaceAll(t.Fingerprint, ":", ""))
	if err != nil || len(want) != 0 && len(want) != sha256.Size {
		return nil, errors.New("tls: the fingerprint of an authority is 64 hexadecimal digits")
	}
	c.InsecureSkipVerify = true // VerifyConnection does it
	roots, names := c.RootCAs, t.Verify != "certificate"
	c.VerifyConnection = func(s tls.ConnectionState) error { return verify(s, roots, want, host, names) }
	return c, nil
}

// verify checks a server's chain, trusting an authority within it whose fingerprint is want, and its name when names says so.
func verify(s tls.ConnectionState, roots *x509.CertPool, want []byte, host string, names bool) error {
	if len(s.PeerCertificates) == 0 {
		return errors.New("tls: the server shows no certificate")
	}
	o := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range s.PeerCertificates {
		sum := sha256.Sum256(c.Raw)
		if len(want) > 0 && c.IsCA && bytes.Equal(sum[:], want) {
			if o.Roots == nil {
				o.Roots = x509.NewCertPool()
			}
			o.Roots = o.Roots.Clone()
			o.Roots.AddCert(c)
		}
	}
	for _, c := range s.PeerCertificates[1:] {
		o.Intermediates.AddCert(c)
	}
	if host == "" {
		host = s.ServerName
	}
	if names {
		if host == "" {
			return errors.New("tls: the server's name is not known")
		}
		o.DNSName = host
	}
	_, err := s.PeerCertificates[0].Verify(o)
	return err
}

// common is what both sides share.
func (t *TLS) common() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if err := t.versions(c); err != nil {
		return nil, err
	}
	for _, name := range t.Ciphers {
		id, ok := cipher(name)
		if !ok {
			return nil, fmt.Errorf("tls: cipher suite %q is not known", name)
		}
		c.CipherSuites = append(c.CipherSuites, id)
	}
	for _, name := range t.Curves {
		id, ok := map[string]tls.CurveID{"P-256": tls.CurveP256, "P-384": tls.CurveP384, "P-521": tls.CurveP521, "X25519": tls.X25519}[name]
		if !ok {
			return nil, fmt.Errorf("tls: curve %q is none of P-256, P-384, P-521, X25519", name)
		}
		c.CurvePreferences = append(c.CurvePreferences, id)
	}
	if t.Certificate == "" && t.Key == "" {
		return c, nil
	}
	if t.Certificate == "" || t.Key == "" {
		return nil, errors.New("tls: certificate and key go together")
	}
	pair, err := t.pair()
	if err != nil {
		return nil, err
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}

func (t *TLS) versions(c *tls.Config) error {
	var ids []uint16
	for _, v := range t.Versions {
		id, ok := map[string]uint16{"TLSv1": tls.VersionTLS10, "TLSv1.0": tls.VersionTLS10, "TLSv1.1": tls.VersionTLS11, "TLSv1.2": tls.VersionTLS12, "TLSv1.3": tls.VersionTLS13}[v]
		if !ok {
			return fmt.Errorf("tls: protocol %q is none of TLSv1.0, TLSv1.1, TLSv1.2, TLSv1.3", v)
		}
		ids = append(ids, id)
	}
	if len(ids) > 0 {
		c.MinVersion, c.MaxVersion = slices.Min(ids), slices.Max(ids)
	}
	return nil
}

// cipher finds a suite by its standard name, or by that with dashes which Beats use.
func cipher(name string) (uint16, bool) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		short := strings.ReplaceAll(strings.Replace(strings.TrimPrefix(s.Name, "TLS_"), "_WITH_", "_", 1), "_", "-")
		if name == s.Name || name == short || strings.Contains(short, "CHACHA20") && name == strings.TrimSuffix(short, "-SHA256") {
			return s.ID, true
		}
	}
	return 0, false
}

// read is a PEM text, or the file that holds it.
func read(s string) ([]byte, error) {
	if strings.Contains(s, "-----BEGIN") {
		return []byte(s), nil
	}
	b, err := os.ReadFile(s)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	return b, nil
}

func (t *TLS) pair() (tls.Certificate, error) {
	cert, err := read(t.Certificate)
	if err != nil {
		return tls.Certificate{}, err
	}
	key, err := read(t.Key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if key, err = t.open(key); err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return pair, fmt.Errorf("tls: certificate and key: %w", err)
	}
	return pair, nil
}

// open decrypts a key in the traditional form.
func (t *TLS) open(key []byte) ([]byte, error) {
	b, _ := pem.Decode(key)
	if b == nil {
		return key, nil // the pair says what is wrong
	}
	if b.Type == "ENCRYPTED PRIVATE KEY" {
		return nil, errors.New("tls: encrypted PKCS #8 keys are not supported; decrypt it with: openssl pkcs8 -in key -out plain")
	}
	if b.Headers["DEK-Info"] == "" {
		return key, nil
	}
	if t.Passphrase == "" {
		return nil, errors.New("tls: the key is encrypted and there is no passphrase")
	}
	der, err := x509.DecryptPEMBlock(b, []byte(t.Passphrase)) //nolint:staticcheck // weak, but what users have
	if err != nil {
		return nil, fmt.Errorf("tls: the key cannot be decrypted: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: b.Type, Bytes: der}), nil
}

// pool is the authorities; nil without any.
func (t *TLS) pool() (*x509.CertPool, error) {
	if len(t.Authorities) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, a := range t.Authorities {
		b, err := read(a)
		if err != nil {
			return nil, err
		}
		if !pool.AppendCertsFromPEM(b) {
			return nil, fmt.Errorf("tls: no certificate in %s", shorten(a))
		}
	}
	return pool, nil
}

// shorten is enough of a path or text to know it by.
func shorten(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
