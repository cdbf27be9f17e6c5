package broker

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// people is a Login of one user.
type people struct {
	user, password string
	verifiers      map[string]Verifier
}

func newPeople(t testing.TB, user, password string) *people {
	p := &people{user: user, password: password, verifiers: map[string]Verifier{}}
	for _, m := range []string{"SCRAM-SHA-256", "SCRAM-SHA-512"} {
		v, err := NewVerifier(m, password)
		if err != nil {
			t.Fatal(err)
		}
		p.verifiers[m] = v
	}
	return p
}

func (p *people) Password(user, password string) bool {
	return user == p.user && password == p.password
}

func (p *people) SCRAM(user, mechanism string) (Verifier, bool) {
	v, ok := p.verifiers[mechanism]
	return v, ok && user == p.user
}

// selfSigned is a certificate for loopback, and the pool that trusts it.
func selfSigned(t testing.TB) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestLogin(t *testing.T) {
	t.Parallel()
	cert, pool := selfSigned(t)
	cfg := testConfig(t)
	cfg.Listen = []string{"127.0.0.1:0"}
	cfg.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	cfg.Login = newPeople(t, "app,=", "secret")
	b := open(t, cfg)
	good, bad := "secret", "wrong"
	cases := []struct {
		name string
		m    sasl.Mechanism
		ok   bool
	}{
		{"PLAIN", plain.Auth{User: "app,=", Pass: good}.AsMechanism(), true},
		{"SCRAM-SHA-256", scram.Auth{User: "app,=", Pass: good}.AsSha256Mechanism(), true},
		{"SCRAM-SHA-512", scram.Auth{User: "app,=", Pass: good}.AsSha512Mechanism(), true},
		{"PLAIN wrong", plain.Auth{User: "app,=", Pass: bad}.AsMechanism(), false},
		{"SCRAM wrong", scram.Auth{User: "app,=", Pass: bad}.AsSha256Mechanism(), false},
		{"SCRAM unknown user", scram.Auth{User: "who", Pass: good}.AsSha512Mechanism(), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			cl, err := kgo.NewClient(kgo.SeedBrokers(b.Addrs()[0].String()), kgo.SASL(c.m), kgo.DialTLSConfig(&tls.Config{RootCAs: pool}), kgo.AllowAutoTopicCreation(), kgo.RequestRetries(0))
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			err = cl.Ping(ctx)
			if c.ok && err != nil || !c.ok && err == nil {
				t.Fatalf("ping: %v", err)
			}
			if c.ok {
				if err := cl.ProduceSync(ctx, &kgo.Record{Topic: "t", Value: []byte("v")}).FirstErr(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestLoginOld: handshake version 0 is followed by bare tokens.
func TestLoginOld(t *testing.T) {
	t.Parallel()
	cfg := testConfig(t)
	cfg.Listen, cfg.Login = []string{"127.0.0.1:0"}, newPeople(t, "app", "secret")
	b := open(t, cfg)
	for _, password := range []string{"secret", "wrong"} {
		c := sarama.NewConfig()
		c.Version = sarama.V0_11_0_0
		c.Net.SASL.Enable, c.Net.SASL.User, c.Net.SASL.Password = true, "app", password
		c.Net.SASL.Handshake, c.Net.SASL.Version = true, sarama.SASLHandshakeV0
		c.Metadata.Retry.Max, c.ApiVersionsRequest = 0, false
		cl, err := sarama.NewClient([]string{b.Addrs()[0].String()}, c)
		if (err == nil) != (password == "secret") {
			t.Errorf("login with %q: %v", password, err)
		}
		if err == nil {
			cl.Close()
		}
	}
}

func TestLoginStates(t *testing.T) {
	t.Parallel()
	b := memBroker(t, func(c *Config) { c.Login = newPeople(t, "app", "secret") })
	w := dial(t, b)
	go w.conn.Write(kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 1)) // it may be cut off
	if !w.closed() {
		t.Error("metadata before the login was answered")
	}
	w = dial(t, b)
	hello := kmsg.NewPtrApiVersionsRequest()
	hello.Version, hello.ClientSoftwareName, hello.ClientSoftwareVersion = 3, "test", "1"
	if resp := ask[*kmsg.ApiVersionsResponse](w, hello); resp.ErrorCode != 0 {
		t.Errorf("api versions before the login: code %d", resp.ErrorCode)
	}
	shake := kmsg.NewPtrSASLHandshakeRequest()
	shake.Version, shake.Mechanism = 1, "GSSAPI"
	if resp := ask[*kmsg.SASLHandshakeResponse](w, shake); resp.ErrorCode != errUnsupportedMechanism || len(resp.SupportedMechanisms) != 3 {
		t.Errorf("unknown mechanism: code %d, offered %v", resp.ErrorCode, resp.SupportedMechanisms)
	}
	token := kmsg.NewPtrSASLAuthenticateRequest()
	token.Version, token.SASLAuthBytes = 2, []byte("\x00app\x00wrong")
	if resp := ask[*kmsg.SASLAuthenticateResponse](w, token); resp.ErrorCode != errIllegalSASLState {
		t.Errorf("token without a handshake: code %d", resp.ErrorCode)
	}
	shake.Mechanism = "PLAIN"
	if resp := ask[*kmsg.SASLHandshakeResponse](w, shake); resp.ErrorCode != 0 {
		t.Errorf("handshake: code %d", resp.ErrorCode)
	}
	if resp := ask[*kmsg.SASLAuthenticateResponse](w, token); resp.ErrorCode != errSASLFailed {
		t.Errorf("wrong password: code %d", resp.ErrorCode)
	}
	if !w.closed() {
		t.Error("open after a failed login")
	}
}

func FuzzSCRAM(f *testing.F) {
	f.Add([]byte("n,,n=app,r=abc"), []byte("c=biws,r=abc,p=AAAA"))
	login := newPeople(f, "app", "secret")
	f.Fuzz(func(t *testing.T, first, final []byte) {
		s := &saslState{mechanism: "SCRAM-SHA-256"}
		if _, err := s.step(login, first); err != nil {
			return
		}
		if _, err := s.step(login, final); err == nil || s.done {
			t.Fatalf("logged in with %q and %q", first, final)
		}
	})
}
