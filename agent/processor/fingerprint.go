package processor

import (
	"crypto/md5"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/weirlog/weir/agent/tree"
)

// hashOf are the methods of fingerprint.
func hashOf(method string) (func() hash.Hash, bool) {
	switch method {
	case "md5":
		return md5.New, true
	case "sha1":
		return sha1.New, true
	case "sha256":
		return sha256.New, true
	case "sha384":
		return sha512.New384, true
	case "sha512":
		return sha512.New, true
	case "xxhash":
		return func() hash.Hash { return xxhash.New() }, true
	}
	return nil, false
}

func encodingOf(name string) (func([]byte) string, bool) {
	switch name {
	case "hex":
		return hex.EncodeToString, true
	case "base32":
		return base32.StdEncoding.EncodeToString, true
	case "base64":
		return base64.StdEncoding.EncodeToString, true
	}
	return nil, false
}

// compileFingerprint is fingerprint: the hash of |name|value of the fields, sorted by name, and a last |.
func compileFingerprint(args arguments) (run, error) {
	fields, err1 := args.list("fields")
	target, err2 := args.text("target_field", "fingerprint")
	method, err3 := args.text("method", "sha256")
	encoding, err4 := args.text("encoding", "hex")
	missingOK, err5 := args.flag("ignore_missing", false)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return nil, err
	}
	newHash, ok := hashOf(method)
	if !ok {
		return nil, fmt.Errorf("method: %q is not md5, sha1, sha256, sha384, sha512 or xxhash", method)
	}
	encode, ok := encodingOf(encoding)
	if !ok {
		return nil, fmt.Errorf("encoding: %q is not hex, base32 or base64", encoding)
	}
	fields = slices.Compact(slices.Sorted(slices.Values(fields)))
	return func(ev *tree.Event) error {
		h := newHash()
		for _, f := range fields {
			v, ok := ev.Get(f)
			if f == "@timestamp" {
				v, ok = ev.At.UTC(), true
			}
			switch v.(type) {
			case map[string]any, []any:
				return fail(ev, "fingerprint: field %s is no single value", f)
			}
			if !ok {
				if missingOK {
					continue
				}
				return fail(ev, "fingerprint: field %s is missing", f)
			}
			fmt.Fprintf(h, "|%v|%v", f, v)
		}
		h.Write([]byte{'|'})
		put(ev, target, encode(h.Sum(nil)))
		return nil
	}, nil
}

// compileAddID is add_id: 20 characters of base64, growing with time.
func compileAddID(args arguments) (run, error) {
	target, err1 := args.text("target_field", "@metadata._id")
	typ, err2 := args.text("type", "elasticsearch")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if typ != "elasticsearch" {
		return nil, fmt.Errorf("type: %q is not elasticsearch", typ)
	}
	return func(ev *tree.Event) error {
		var b [15]byte
		binary.BigEndian.PutUint64(b[:8], uint64(time.Now().UnixNano()))
		rand.Read(b[7:])
		put(ev, target, base64.RawURLEncoding.EncodeToString(b[:]))
		return nil
	}, nil
}
