package broker

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"hash"
	"strings"
)

// Login knows who may log in. *Broker asks it from many goroutines; it must not block.
type Login interface {
	// Password reports whether this is the user's password.
	Password(user, password string) bool
	// SCRAM gives what a SCRAM login of the user is checked against. mechanism is SCRAM-SHA-256 or SCRAM-SHA-512.
	SCRAM(user, mechanism string) (Verifier, bool)
}

// Verifier is what RFC 5802 has a server keep of a password.
type Verifier struct {
	Salt       []byte
	Iterations int
	StoredKey  []byte
	ServerKey  []byte
}

// scramIterations is the cost of new verifiers, Kafka's default twice.
const scramIterations = 8192

// NewVerifier makes the verifier of a password with a random salt.
func NewVerifier(mechanism, password string) (Verifier, error) {
	newHash, ok := scramHash(mechanism)
	if !ok {
		return Verifier{}, fmt.Errorf("no such login mechanism: %s", mechanism)
	}
	v := Verifier{Salt: make([]byte, 16), Iterations: scramIterations}
	rand.Read(v.Salt)
	salted, err := pbkdf2.Key(newHash, password, v.Salt, v.Iterations, newHash().Size())
	if err != nil {
		return v, err
	}
	keys := verifierOf(newHash, salted)
	v.StoredKey, v.ServerKey = keys.StoredKey, keys.ServerKey
	return v, nil
}

// verifierOf is the keys made of a salted password.
func verifierOf(newHash func() hash.Hash, salted []byte) Verifier {
	h := newHash()
	h.Write(macOf(newHash, salted, "Client Key"))
	return Verifier{StoredKey: h.Sum(nil), ServerKey: macOf(newHash, salted, "Server Key")}
}

func scramHash(mechanism string) (func() hash.Hash, bool) {
	switch mechanism {
	case "SCRAM-SHA-256":
		return sha256.New, true
	case "SCRAM-SHA-512":
		return sha512.New, true
	}
	return nil, false
}

func macOf(newHash func() hash.Hash, key []byte, text string) []byte {
	m := hmac.New(newHash, key)
	m.Write([]byte(text))
	return m.Sum(nil)
}

// mechanisms are the logins offered.
func mechanisms() []string { return []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} }

// saslState is how far a connection has come in logging in.
type saslState struct {
	mechanism string // agreed on by the handshake
	raw       bool   // handshake v0: tokens follow without request headers
	scram     *scramServer
	user      string // set when the login succeeded
	done      bool
}

var errLogin = errors.New("login failed")

// step takes a client's token and gives the answer; done is set when the login succeeded.
func (s *saslState) step(login Login, token []byte) ([]byte, error) {
	if s.mechanism == "PLAIN" {
		return nil, s.plain(login, token)
	}
	if s.scram == nil {
		s.scram = &scramServer{mechanism: s.mechanism}
		return s.scram.first(login, token)
	}
	out, err := s.scram.final(token)
	if err == nil {
		s.user, s.done = s.scram.user, true
	}
	return out, err
}

// plain reads RFC 4616: an identity to act as, which must be none or the user, the user, the password, each apart by a zero byte.
func (s *saslState) plain(login Login, token []byte) error {
	parts := bytes.Split(token, []byte{0})
	if len(parts) != 3 {
		return fmt.Errorf("%w: malformed PLAIN token", errLogin)
	}
	as, user, password := string(parts[0]), string(parts[1]), string(parts[2])
	if as != "" && as != user || user == "" || !login.Password(user, password) {
		return fmt.Errorf("%w for user %q", errLogin, user)
	}
	s.user, s.done = user, true
	return nil
}

// scramServer is the server's side of one SCRAM exchange (RFC 5802, without channel binding).
type scramServer struct {
	mechanism   string
	user        string
	known       bool
	verifier    Verifier
	nonce       string
	firstBare   string
	serverFirst string
}

// first answers n,,n=user,r=nonce. An unknown user gets an answer too, and fails at the end like a wrong password.
func (s *scramServer) first(login Login, token []byte) ([]byte, error) {
	header, bare, ok := cutGS2(string(token))
	if !ok || strings.HasPrefix(header, "p=") {
		return nil, fmt.Errorf("%w: malformed first SCRAM message", errLogin)
	}
	fields := scramFields(bare)
	user, nonce := fields["n"], fields["r"]
	if user == "" || nonce == "" || fields["m"] != "" {
		return nil, fmt.Errorf("%w: malformed first SCRAM message", errLogin)
	}
	s.user = strings.NewReplacer("=2C", ",", "=3D", "=").Replace(user)
	if s.verifier, s.known = login.SCRAM(s.user, s.mechanism); !s.known {
		var err error
		if s.verifier, err = NewVerifier(s.mechanism, rand.Text()); err != nil {
			return nil, err
		}
	}
	s.firstBare, s.nonce = bare, nonce+rand.Text()
	s.serverFirst = fmt.Sprintf("r=%s,s=%s,i=%d", s.nonce, base64.StdEncoding.EncodeToString(s.verifier.Salt), s.verifier.Iterations)
	return []byte(s.serverFirst), nil
}

// cutGS2 splits a first message into its header (binding flag and identity) and the rest.
func cutGS2(s string) (header, bare string, ok bool) {
	flag, rest, ok1 := strings.Cut(s, ",")
	identity, bare, ok2 := strings.Cut(rest, ",")
	return flag + "," + identity + ",", bare, ok1 && ok2
}

func scramFields(s string) map[string]string {
	out := map[string]string{}
	for part := range strings.SplitSeq(s, ",") {
		if k, v, ok := strings.Cut(part, "="); ok && len(k) == 1 {
			out[k] = v
		}
	}
	return out
}

// final checks c=binding,r=nonce,p=proof. Some clients repeat their own nonce before ours, so that the end must be ours and the rest is
// theirs to choose.
func (s *scramServer) final(token []byte) ([]byte, error) {
	text := string(token)
	at := strings.LastIndex(text, ",p=")
	fields := scramFields(text)
	if at < 0 || !strings.HasSuffix(fields["r"], s.nonce) || fields["c"] == "" {
		return nil, fmt.Errorf("%w: malformed final SCRAM message", errLogin)
	}
	proof, err := base64.StdEncoding.DecodeString(fields["p"])
	if err != nil {
		return nil, fmt.Errorf("%w: proof: %w", errLogin, err)
	}
	newHash, _ := scramHash(s.mechanism)
	signed := s.firstBare + "," + s.serverFirst + "," + text[:at]
	signature := macOf(newHash, s.verifier.StoredKey, signed)
	if len(proof) != len(signature) {
		return nil, fmt.Errorf("%w for user %q", errLogin, s.user)
	}
	key := make([]byte, len(proof))
	subtle.XORBytes(key, proof, signature)
	h := newHash()
	h.Write(key)
	if subtle.ConstantTimeCompare(h.Sum(nil), s.verifier.StoredKey) != 1 || !s.known {
		return nil, fmt.Errorf("%w for user %q", errLogin, s.user)
	}
	return []byte("v=" + base64.StdEncoding.EncodeToString(macOf(newHash, s.verifier.ServerKey, signed))), nil
}
