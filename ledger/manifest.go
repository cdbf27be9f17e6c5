package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Topic is where agents announce what they read.
const Topic = "weir-ledger"

// Manifest is one record of the topic weir-ledger: what an agent says of one source. All bytes of [From, To) were read, and each is in an
// acknowledged record or has a fate in this or an earlier manifest of the source. A manifest with a higher To replaces earlier ones but
// for their fates, which are always sent before To passes them. Example:
//
//	{"v":1,"agent":"6c1f…","host":"a","source":"019a…","chain":"019a…","path":"/var/log/app.log","from":0,"to":8113044,"time":1795402884470,
//	 "at":[{"topic":"logs","partition":0,"offset":812440}],"fates":[[8112300,8112301,"dropped","empty"]]}
type Manifest struct {
	Version int         `json:"v"`
	Agent   string      `json:"agent"`
	Host    string      `json:"host"`
	Source  Source      `json:"source"`
	Chain   Source      `json:"chain"`
	Path    string      `json:"path"` // where the source was first seen
	From    int64       `json:"from"`
	To      int64       `json:"to"`
	Time    int64       `json:"time"` // Unix ms
	At      []Place     `json:"at,omitempty"`
	Fates   []RangeFate `json:"fates,omitempty"`
	End     string      `json:"end,omitempty"` // why the source is over
}

// ManifestVersion is the only form there is.
const ManifestVersion = 1

// Place is the offset behind the last record of a source in one partition.
type Place struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Offset    int64  `json:"offset"`
}

// RangeFate is a range that made no record, and the rule that says why. In JSON it is [from, to, "dropped", "rule"].
type RangeFate struct {
	From, To int64
	Fate     Fate
	Rule     string
}

// MarshalJSON implements json.Marshaler.
func (f RangeFate) MarshalJSON() ([]byte, error) {
	return json.Marshal([]any{f.From, f.To, f.Fate.String(), f.Rule})
}

// UnmarshalJSON implements json.Unmarshaler.
func (f *RangeFate) UnmarshalJSON(b []byte) error {
	var word string
	if err := json.Unmarshal(b, &[]any{&f.From, &f.To, &word, &f.Rule}); err != nil {
		return err
	}
	for fate := Indexed; fate <= Lost; fate++ {
		if fate.String() == word {
			f.Fate = fate
			return nil
		}
	}
	return fmt.Errorf("no such fate: %q", word)
}

// MarshalText writes the 32 hexadecimal digits.
func (s Source) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads them.
func (s *Source) UnmarshalText(b []byte) (err error) {
	*s, err = ParseSource(string(b))
	return err
}

// ErrManifest is wrapped by every error of ParseManifest.
var ErrManifest = errors.New("malformed manifest")

// ParseManifest reads a record of the topic weir-ledger.
func ParseManifest(b []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrManifest, err)
	}
	if m.Version != ManifestVersion {
		return m, fmt.Errorf("%w: version %d, this program knows %d", ErrManifest, m.Version, ManifestVersion)
	}
	if m.Source.IsZero() || m.From < 0 || m.To < m.From {
		return m, fmt.Errorf("%w: source %s, bytes %d to %d", ErrManifest, m.Source, m.From, m.To)
	}
	for _, f := range m.Fates {
		if f.From < 0 || f.To < f.From {
			return m, fmt.Errorf("%w: a fate of bytes %d to %d", ErrManifest, f.From, f.To)
		}
	}
	return m, nil
}
