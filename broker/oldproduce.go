package broker

import (
	"errors"

	"github.com/weirlog/weir/broker/codec"
	"github.com/weirlog/weir/broker/oldset"
	"github.com/weirlog/weir/journal"
)

// batchVersion is the first version of Produce whose records are a batch; before it they are a message set.
const batchVersion = 3

// upConvert makes a batch of a message set. Messages without a time keep none, as in Kafka. A set that came compressed is kept compressed, with
// snappy, which every client knows.
func (c *conn) upConvert(set []byte, cfg *topicConfig) ([]byte, *badBatch) {
	if len(set) > cfg.maxMessage {
		return nil, &badBatch{errMessageTooLarge, "message set is larger than max.message.bytes"}
	}
	var e journal.Builder
	e.Reset(nil)
	opened := 0
	open := func(kind int, block []byte, broken bool) ([]byte, error) {
		if broken && kind == journal.CodecLZ4 {
			block = codec.FixLZ4(block)
		}
		out, err := c.b.codecs.Decompress(kind, block)
		if opened += len(out); opened > codec.MaxOpened {
			return nil, errOldSet
		}
		return out, err
	}
	compressed, err := oldset.Walk(set, open, func(m oldset.Message) error {
		e.Add(m.Time, m.Key, m.Value, nil)
		return nil
	})
	switch {
	case errors.Is(err, oldset.ErrCodec):
		return nil, &badBatch{errUnsupportedCompression, err.Error()}
	case err != nil:
		return nil, &badBatch{errCorruptMessage, err.Error()}
	case e.Count() == 0:
		return nil, &badBatch{errInvalidRecord, "message set is empty"}
	}
	b := e.Finish()
	if compressed {
		if s, packed := c.b.codecs.Pack(journal.CodecSnappy, b); s != nil {
			b = append([]byte(nil), packed...)
			s.Release()
		}
	}
	return b, nil
}

var errOldSet = errors.New("message set is too large after decompression")
