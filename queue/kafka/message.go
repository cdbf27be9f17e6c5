package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/ledger"
)

// defaultValueBytes is how much of a value is shown when nobody says otherwise.
const defaultValueBytes = 16 << 10

// Kinds of values.
const (
	KindNull   = "null"
	KindJSON   = "json"
	KindText   = "text"
	KindBase64 = "base64" // neither: the bytes in base64
)

// Message is one record for people.
type Message struct {
	Topic      string          `json:"topic"`
	Partition  int32           `json:"partition"`
	Offset     int64           `json:"offset"`
	Time       time.Time       `json:"time"`
	Key        string          `json:"key"`
	KeyKind    string          `json:"key_kind"`
	Value      string          `json:"value"`
	ValueKind  string          `json:"value_kind"`
	ValueBytes int             `json:"value_bytes"`   // of the whole value
	Cut        bool            `json:"cut,omitempty"` // Value is the beginning only
	Headers    []MessageHeader `json:"headers"`
	Origin     *MessageOrigin  `json:"origin,omitempty"`
}

// MessageHeader is a header of a record. The header that carries weir's origin is taken apart instead.
type MessageHeader struct {
	Key   string `json:"key"`
	Value string `json:"value"`
	Kind  string `json:"kind"`
}

// MessageOrigin is the place in a file that a record came from.
type MessageOrigin struct {
	Source string `json:"source"`
	First  int64  `json:"first"`
	Length int64  `json:"length"`
}

// messageOf is a record with at most limit bytes of its value: 0 is the default, negative the whole.
func messageOf(r *kgo.Record, limit int) Message {
	m := Message{Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, Time: r.Timestamp.UTC(), ValueBytes: len(r.Value), Headers: []MessageHeader{}}
	m.Key, m.KeyKind = shown(r.Key)
	value := r.Value
	kind := kindOf(value)
	if limit == 0 {
		limit = defaultValueBytes
	}
	if limit > 0 && len(value) > limit {
		value, m.Cut = value[:limit], true
		for n := 0; kind != KindBase64 && n < utf8.UTFMax && len(value) > 0 && !utf8.Valid(value); n++ {
			value = value[:len(value)-1]
		}
	}
	m.ValueKind = kind
	if m.Value = string(value); kind == KindBase64 {
		m.Value = base64.StdEncoding.EncodeToString(value)
	}
	for _, h := range r.Headers {
		if h.Key == ledger.Header && m.Origin == nil {
			if o, err := ledger.ParseHeader(h.Value); err == nil {
				m.Origin = &MessageOrigin{o.Source.String(), o.From, o.Len()}
				continue
			}
		}
		value, kind := shown(h.Value)
		m.Headers = append(m.Headers, MessageHeader{h.Key, value, kind})
	}
	return m
}

// shown is bytes as text where they are text.
func shown(b []byte) (string, string) {
	kind := kindOf(b)
	if kind == KindBase64 {
		return base64.StdEncoding.EncodeToString(b), kind
	}
	return string(b), kind
}

func kindOf(b []byte) string {
	switch {
	case b == nil:
		return KindNull
	case len(b) > 0 && (b[0] == '{' || b[0] == '[') && json.Valid(b):
		return KindJSON
	case utf8.Valid(b):
		return KindText
	}
	return KindBase64
}

// NewMessage is a record to produce.
type NewMessage struct {
	Partition *int32            `json:"partition,omitempty"` // nil: the key decides, without a key any
	Key       *string           `json:"key,omitempty"`
	Value     *string           `json:"value"`
	Headers   map[string]string `json:"headers,omitempty"`
	Time      time.Time         `json:"time,omitzero"` // zero: now
}

// Produce writes one record and tells where it went once it is durable.
func (a *Admin) Produce(ctx context.Context, topic string, n NewMessage) (partition int32, offset int64, err error) {
	ctx, cancel := context.WithTimeout(ctx, adminTimeout) // the client's own limit counts from the record's time, which may be long ago
	defer cancel()
	r := n.record(topic)
	if err := a.cl.ProduceSync(ctx, r).FirstErr(); err != nil {
		return 0, 0, fmt.Errorf("produce to %s: %w", topic, translate(err))
	}
	return r.Partition, r.Offset, nil
}

// record is the message as the client takes it.
func (n *NewMessage) record(topic string) *kgo.Record {
	r := &kgo.Record{Topic: topic, Timestamp: n.Time, Partition: firstTurn}
	if n.Key != nil {
		r.Key, r.Partition = []byte(*n.Key), byKey
	}
	if n.Value != nil {
		r.Value = []byte(*n.Value)
	}
	if n.Partition != nil {
		r.Partition = *n.Partition
	}
	for k, v := range n.Headers {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: k, Value: []byte(v)})
	}
	return r
}
