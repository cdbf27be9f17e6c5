package listen

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestLoopback(t *testing.T) {
	t.Parallel()
	for addr, want := range map[string]bool{
		"127.0.0.1": true, "127.8.0.1:80": true, "localhost:9": true, "::1": true, "[::1]:80": true,
		"": false, ":80": false, "0.0.0.0:80": false, "10.0.0.1": false, "example.com:80": false, "[::]:80": false,
	} {
		if got := Loopback(addr); got != want {
			t.Errorf("Loopback(%q) = %v", addr, got)
		}
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	began := make(chan struct{}, 3)
	s := &Server{Most: 2, Log: slog.New(slog.DiscardHandler), Handle: func(_ context.Context, c net.Conn) {
		began <- struct{}{}
		io.Copy(io.Discard, c)
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, ln) }()
	for range 2 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		<-began
	}
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("a third connection is served")
	}
	cancel() // closes the two, or Serve would not return
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if s.Accepted() != 2 || s.Refused() != 1 {
		t.Errorf("%d accepted, %d refused", s.Accepted(), s.Refused())
	}
}

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotAfter: time.Now().Add(time.Hour), IsCA: true,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, _ := x509.ParseCertificate(der)
	return &authority{cert, key, block("CERTIFICATE", der)}
}

func block(typ string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: typ, Bytes: der}))
}

// issue is a certificate and its key, as PEM.
func (a *authority) issue(t *testing.T, name string) (cert, key string) {
	t.Helper()
	k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	tpl := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, tpl, a.cert, k.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	b, _ := x509.MarshalPKCS8PrivateKey(k)
	return block("CERTIFICATE", der), block("PRIVATE KEY", b)
}

// TestTLS: who gets through to whom.
func TestTLS(t *testing.T) {
	t.Parallel()
	ca, other := newAuthority(t), newAuthority(t)
	cert, key := ca.issue(t, "server.test")
	clientCert, clientKey := ca.issue(t, "client.test")
	strangeCert, strangeKey := other.issue(t, "client.test")
	sum := sha256.Sum256(ca.cert.Raw)
	server := TLS{Certificate: cert + ca.pem, Key: key}
	mutual := server
	mutual.Authorities = []string{ca.pem}
	optional := mutual
	optional.Client = "optional"
	old := server
	old.Versions = []string{"TLSv1.2"}
	tests := []struct {
		name   string
		server TLS
		client TLS
		host   string
		ok     bool
	}{
		{"trusted", server, TLS{Authorities: []string{ca.pem}}, "server.test", true},
		{"wrong name", server, TLS{Authorities: []string{ca.pem}}, "other.test", false},
		{"any name", server, TLS{Authorities: []string{ca.pem}, Verify: "certificate"}, "other.test", true},
		{"any name, not trusted", server, TLS{Authorities: []string{other.pem}, Verify: "certificate"}, "server.test", false},
		{"not trusted", server, TLS{Authorities: []string{other.pem}}, "server.test", false},
		{"no matter who", server, TLS{Verify: "none"}, "x", true},
		{"fingerprint", server, TLS{Fingerprint: hex.EncodeToString(sum[:])}, "server.test", true},
		{"fingerprint, wrong name", server, TLS{Fingerprint: hex.EncodeToString(sum[:])}, "x", false},
		{"wrong fingerprint", server, TLS{Fingerprint: strings.Repeat("00", 32)}, "server.test", false},
		{"client without certificate", mutual, TLS{Authorities: []string{ca.pem}}, "server.test", false},
		{"client with certificate", mutual, TLS{Authorities: []string{ca.pem}, Certificate: clientCert, Key: clientKey}, "server.test", true},
		{"client with a strange certificate", mutual, TLS{Authorities: []string{ca.pem}, Certificate: strangeCert, Key: strangeKey}, "server.test", false},
		{"certificate optional, none", optional, TLS{Authorities: []string{ca.pem}}, "server.test", true},
		{"certificate optional, strange", optional, TLS{Authorities: []string{ca.pem}, Certificate: strangeCert, Key: strangeKey}, "server.test", false},
		{"no common version", old, TLS{Authorities: []string{ca.pem}, Versions: []string{"TLSv1.3"}}, "server.test", false},
		{"cipher", old, TLS{Authorities: []string{ca.pem}, Ciphers: []string{"ECDHE-ECDSA-AES-128-GCM-SHA256"}}, "server.test", true},
	}
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			sc, err := tc.server.Server()
			if err != nil {
				t.Fatal(err)
			}
			cc, err := tc.client.Dialer(tc.host)
			if err != nil {
				t.Fatal(err)
			}
			if ok := shake(t, sc, cc); ok != tc.ok {
				t.Errorf("got through: %v", ok)
			}
		})
	}
}

// shake reports whether both sides complete a handshake and a byte each way.
func shake(t *testing.T, s, c *tls.Config) bool {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	b, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	a, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	defer b.Close()
	deadline := time.Now().Add(10 * time.Second)
	a.SetDeadline(deadline)
	b.SetDeadline(deadline)
	server := make(chan error, 1)
	go func() {
		conn := tls.Server(a, s)
		one := make([]byte, 1)
		_, err := io.ReadFull(conn, one)
		if err == nil {
			_, err = conn.Write(one)
		}
		a.Close()
		server <- err
	}()
	conn := tls.Client(b, c)
	_, err = conn.Write([]byte("x"))
	if err == nil {
		_, err = io.ReadFull(conn, make([]byte, 1))
	}
	b.Close()
	return <-server == nil && err == nil
}

func TestTLSFaults(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	cert, key := ca.issue(t, "server.test")
	_, wrong := ca.issue(t, "server.test")
	file := filepath.Join(t.TempDir(), "cert.pem")
	if err := os.WriteFile(file, []byte(cert), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&TLS{Certificate: file, Key: key}).Server(); err != nil {
		t.Errorf("certificate in a file: %v", err)
	}
	for want, set := range map[string]TLS{
		"needs a certificate":     {},
		"go together":             {Certificate: cert},
		"certificate and key":     {Certificate: cert, Key: wrong},
		"no such file":            {Certificate: "nowhere.pem", Key: key},
		"not supported":           {Certificate: cert, Key: block("ENCRYPTED PRIVATE KEY", []byte("x"))},
		"needs certificate auth":  {Certificate: cert, Key: key, Client: "required"},
		"none of none, optional":  {Certificate: cert, Key: key, Client: "maybe"},
		"protocol":                {Certificate: cert, Key: key, Versions: []string{"SSLv3"}},
		"cipher suite":            {Certificate: cert, Key: key, Ciphers: []string{"ROT13"}},
		"curve":                   {Certificate: cert, Key: key, Curves: []string{"P-1"}},
		"no certificate in -----": {Certificate: cert, Key: key, Authorities: []string{key}},
	} {
		if _, err := set.Server(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, set := range map[string]TLS{"verification mode": {Verify: "some"}, "64 hexadecimal": {Fingerprint: "12"}} {
		if _, err := set.Dialer("x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
