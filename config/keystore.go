package config

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

// The file of a Filebeat's keystore:
//
//	"v1", then Base64 of: salt 64, nonce 12, AES-256-GCM of {"NAME":{"value":"<Base64>"}, ...}
//
// The key is PBKDF2 of an empty password over the salt: the file hides secrets from a glance, not from who can read it.
const (
	keystoreVersion = "v1"
	keystoreSalt    = 64
	keystoreNonce   = 12
	keystoreRounds  = 10_000
	keystoreKey     = 32      // bytes
	maxKeystore     = 4 << 20 // bytes of a file
)

// Keystore is the secrets of a keystore by name.
type Keystore map[string]string

var errKeystore = errors.New("no keystore of version 1, or it is damaged")

// ReadKeystore reads a keystore; a missing file is an empty one.
func ReadKeystore(name string) (Keystore, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return Keystore{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read keystore: %w", err)
	}
	k, err := ParseKeystore(text)
	if err != nil {
		return nil, fmt.Errorf("keystore %s: %w", name, err)
	}
	return k, nil
}

// ParseKeystore reads the text of a keystore.
func ParseKeystore(text []byte) (Keystore, error) {
	body, ok := strings.CutPrefix(strings.TrimSpace(string(text)), keystoreVersion)
	if !ok || len(text) > maxKeystore {
		return nil, errKeystore
	}
	raw, err := base64.StdEncoding.DecodeString(body)
	if err != nil || len(raw) < keystoreSalt+keystoreNonce {
		return nil, errKeystore
	}
	seal, err := keystoreSeal(raw[:keystoreSalt])
	if err != nil {
		return nil, err
	}
	plain, err := seal.Open(nil, raw[keystoreSalt:keystoreSalt+keystoreNonce], raw[keystoreSalt+keystoreNonce:], nil)
	if err != nil {
		return nil, errKeystore
	}
	var entries map[string]struct {
		Value []byte `json:"value"`
	}
	if json.Unmarshal(plain, &entries) != nil {
		return nil, errKeystore
	}
	out := Keystore{}
	for name, e := range entries {
		out[name] = string(e.Value)
	}
	return out, nil
}

func keystoreSeal(salt []byte) (cipher.AEAD, error) {
	key, err := pbkdf2.Key(sha512.New, "", salt, keystoreRounds, keystoreKey)
	if err != nil {
		return nil, fmt.Errorf("keystore key: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("keystore key: %w", err)
	}
	return cipher.NewGCM(block)
}

// Text is the keystore as its file.
func (k Keystore) Text() ([]byte, error) {
	entries := map[string]map[string][]byte{}
	for name, v := range k {
		entries[name] = map[string][]byte{"value": []byte(v)}
	}
	plain, err := json.Marshal(entries)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, keystoreSalt+keystoreNonce)
	rand.Read(raw)
	seal, err := keystoreSeal(raw[:keystoreSalt])
	if err != nil {
		return nil, err
	}
	raw = seal.Seal(raw, raw[keystoreSalt:], plain, nil)
	return []byte(keystoreVersion + base64.StdEncoding.EncodeToString(raw)), nil
}

// Names are the names of the secrets, sorted.
func (k Keystore) Names() []string {
	out := make([]string, 0, len(k))
	for name := range k {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
