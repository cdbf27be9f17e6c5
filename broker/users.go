package broker

import (
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
)

// User may log in with PLAIN and SCRAM.
type User struct {
	Name, Password string
}

// users is the Login of Config.Users and of those that clients made (AlterUserScramCredentials), which can use SCRAM only, since nobody
// told their passwords.
type users struct {
	meta     *meta
	password map[string][sha256.Size]byte
	verifier map[scramKey]Verifier
}

// scramKey names one verifier.
type scramKey struct{ user, mechanism string }

func newUsers(m *meta, list []User) (*users, error) {
	u := &users{meta: m, password: map[string][sha256.Size]byte{}, verifier: map[scramKey]Verifier{}}
	for _, one := range list {
		u.password[one.Name] = sha256.Sum256([]byte(one.Password))
		for _, mechanism := range mechanisms()[1:] {
			v, err := NewVerifier(mechanism, one.Password)
			if err != nil {
				return nil, fmt.Errorf("user %s: %w", one.Name, err)
			}
			u.verifier[scramKey{one.Name, mechanism}] = v
		}
	}
	return u, nil
}

// Password implements Login.
func (u *users) Password(user, password string) bool {
	want, ok := u.password[user]
	got := sha256.Sum256([]byte(password))
	return subtle.ConstantTimeCompare(got[:], want[:]) == 1 && ok
}

// SCRAM implements Login. What clients set counts before the configuration.
func (u *users) SCRAM(user, mechanism string) (Verifier, bool) {
	k := scramKey{user, mechanism}
	if v, ok := u.meta.scram(k); ok {
		return v, true
	}
	v, ok := u.verifier[k]
	return v, ok
}
