package broker

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/journal"
)

// configType is the type that DescribeConfigs gives a setting.
type configType int8

const (
	configBool   configType = 1
	configString configType = 2
	configInt    configType = 3
	configLong   configType = 5
	configDouble configType = 6
	configList   configType = 7
)

// topicSetting is one topic configuration: its default, its rule and what it does here.
type topicSetting struct {
	name    string
	def     string
	kind    configType
	low     int64    // least value of a number
	high    int64    // greatest value of a number
	words   []string // allowed words of a string or list
	synonym string   // the broker setting of the same meaning in Kafka
	doc     string
}

const noEffect = "Kept and returned; without effect on one node."

// topicSettings is every topic configuration, by name.
func topicSettings() []topicSetting {
	return []topicSetting{
		{name: "cleanup.policy", def: "delete", kind: configList, words: []string{"delete", "compact"}, synonym: "log.cleanup.policy", doc: "How old records go: delete by age and size, compact to the last record of each key, or both."},
		{name: "compression.own", def: "snappy", kind: configString, words: []string{"lz4", "snappy", "none"}, doc: "How weir's own parts compress their batches, where it pays; clients need not know."},
		{name: "compression.type", def: "producer", kind: configString, words: []string{"producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"}, synonym: "compression.type", doc: "How clients' batches are kept: as the producer compressed them, or compressed anew."},
		{name: "delete.retention.ms", def: "86400000", kind: configLong, high: math.MaxInt64, synonym: "log.cleaner.delete.retention.ms", doc: "How long a compacted topic keeps a record without a value, which deletes its key."},
		{name: "file.delete.delay.ms", def: "60000", kind: configLong, high: math.MaxInt64, doc: noEffect},
		{name: "flush.messages", def: "1", kind: configLong, low: 1, high: 1, doc: "Every acknowledgement follows a sync: 1 is the only value."},
		{name: "flush.ms", def: "9223372036854775807", kind: configLong, high: math.MaxInt64, doc: noEffect},
		{name: "index.interval.bytes", def: "16384", kind: configInt, high: math.MaxInt32, doc: noEffect},
		{name: "max.compaction.lag.ms", def: "9223372036854775807", kind: configLong, low: 1, high: math.MaxInt64, doc: noEffect},
		{name: "max.message.bytes", def: strconv.Itoa(defaultMaxMessage), kind: configInt, low: 1024, high: maxMaxMessage, synonym: "message.max.bytes", doc: "The largest batch of records, in bytes, as sent."},
		{name: "message.downconversion.enable", def: "true", kind: configBool, doc: noEffect},
		{name: "message.format.version", def: "3.0-IV1", kind: configString, doc: noEffect},
		{name: "message.timestamp.after.max.ms", def: "9223372036854775807", kind: configLong, high: math.MaxInt64, doc: "How far a record's time may lie after the broker's."},
		{name: "message.timestamp.before.max.ms", def: "9223372036854775807", kind: configLong, high: math.MaxInt64, doc: "How far a record's time may lie before the broker's."},
		{name: "message.timestamp.type", def: "CreateTime", kind: configString, words: []string{"CreateTime", "LogAppendTime"}, doc: "Whose clock times the records: the producer's or the broker's."},
		{name: "min.cleanable.dirty.ratio", def: "0.5", kind: configDouble, high: 1, synonym: "log.cleaner.min.cleanable.ratio", doc: "Share of a partition that is not compacted yet, above which it is."},
		{name: "min.compaction.lag.ms", def: "0", kind: configLong, high: math.MaxInt64, synonym: "log.cleaner.min.compaction.lag.ms", doc: "How long a record at least stays in a compacted topic."},
		{name: "min.insync.replicas", def: "1", kind: configInt, low: 1, high: math.MaxInt32, doc: noEffect},
		{name: "preallocate", def: "false", kind: configBool, doc: noEffect},
		{name: "retention.bytes", def: "-1", kind: configLong, low: -1, high: math.MaxInt64, synonym: "log.retention.bytes", doc: "Bytes a partition may hold, read or not; -1 is no bound."},
		{name: "retention.ms", def: strconv.FormatInt((7 * 24 * time.Hour).Milliseconds(), 10), kind: configLong, low: -1, high: math.MaxInt64, synonym: "log.retention.ms", doc: "How long a record is kept from its append on; -1 is for ever."},
		{name: "retention.unread", def: "keep", kind: configString, words: []string{"keep", "delete"}, doc: "Whether records that a pinning group has not read outlive retention.ms."},
		{name: "segment.bytes", def: strconv.Itoa(128 << 20), kind: configInt, low: 64 << 10, high: math.MaxInt32, synonym: "log.segment.bytes", doc: "Bytes of one extent, the unit of retention; a change counts from the next start."},
		{name: "segment.index.bytes", def: "10485760", kind: configInt, low: 4, high: math.MaxInt32, doc: noEffect},
		{name: "segment.jitter.ms", def: "0", kind: configLong, high: math.MaxInt64, doc: noEffect},
		{name: "segment.ms", def: strconv.FormatInt((24 * time.Hour).Milliseconds(), 10), kind: configLong, low: 100, high: math.MaxInt64, synonym: "log.roll.ms", doc: "Age at which an extent is closed; a change counts from the next start."},
		{name: "unclean.leader.election.enable", def: "false", kind: configBool, doc: noEffect},
	}
}

// Sizes of max.message.bytes.
const (
	defaultMaxMessage = 10 << 20
	maxMaxMessage     = 100 << 20
)

// topicConfig is a topic's settings, parsed. It is never changed, only replaced.
type topicConfig struct {
	set            map[string]string // what was set for this topic
	maxMessage     int
	retention      time.Duration // negative is for ever
	retentionBytes int64
	keepUnread     bool
	segmentBytes   int64
	segmentAge     time.Duration
	remove         bool // old records go by age and size
	compact        bool // of each key the last record stays
	graves         time.Duration
	compactLag     time.Duration
	dirtyRatio     float64
	appendTime     bool
	codec          int // that clients' batches are kept in; keepCodec: the producer's
	ownCodec       int // compression of this process's own batches
	beforeMax      int64
	afterMax       int64
}

// configError says which setting is wrong and how.
type configError struct{ msg string }

func (e *configError) Error() string { return e.msg }

func findSetting(name string) (topicSetting, bool) {
	for _, s := range topicSettings() {
		if s.name == name {
			return s, true
		}
	}
	return topicSetting{}, false
}

// parseTopicConfig checks and parses the settings of a topic.
func parseTopicConfig(set map[string]string) (*topicConfig, error) {
	value := map[string]string{}
	for _, s := range topicSettings() {
		value[s.name] = s.def
	}
	for _, name := range slices.Sorted(maps.Keys(set)) {
		s, ok := findSetting(name)
		if !ok {
			return nil, &configError{fmt.Sprintf("unknown topic configuration %q", name)}
		}
		if err := s.check(set[name]); err != nil {
			return nil, err
		}
		value[name] = set[name]
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(value[name], 10, 64) // checked above
		return n
	}
	ratio, _ := strconv.ParseFloat(value["min.cleanable.dirty.ratio"], 64) // checked above
	policies := strings.Split(value["cleanup.policy"], ",")
	return &topicConfig{
		remove:         slices.Contains(policies, "delete"),
		compact:        slices.Contains(policies, "compact"),
		graves:         millis(number("delete.retention.ms")),
		compactLag:     millis(number("min.compaction.lag.ms")),
		dirtyRatio:     ratio,
		set:            maps.Clone(set),
		maxMessage:     int(number("max.message.bytes")),
		retention:      millis(number("retention.ms")),
		retentionBytes: number("retention.bytes"),
		keepUnread:     value["retention.unread"] == "keep",
		segmentBytes:   number("segment.bytes"),
		segmentAge:     millis(number("segment.ms")),
		appendTime:     value["message.timestamp.type"] == "LogAppendTime",
		codec:          keptCodec(value["compression.type"]),
		ownCodec:       ownCodec(value["compression.own"]),
		beforeMax:      number("message.timestamp.before.max.ms"),
		afterMax:       number("message.timestamp.after.max.ms"),
	}, nil
}

// keepCodec leaves a batch as its producer compressed it.
const keepCodec = -1

// keptCodec is the codec of a word of compression.type.
func keptCodec(word string) int {
	return slices.Index([]string{"uncompressed", "gzip", "snappy", "lz4", "zstd"}, word) // producer is none of them: keepCodec
}

// ownCodec is the codec of a word of compression.own.
func ownCodec(word string) int {
	switch word {
	case "lz4":
		return journal.CodecLZ4
	case "snappy":
		return journal.CodecSnappy
	}
	return journal.CodecNone
}

// millis is ms as a duration, at most about 292 years.
func millis(ms int64) time.Duration {
	return time.Duration(min(ms, int64(math.MaxInt64/time.Millisecond))) * time.Millisecond
}

// check says whether v is a value of s.
func (s topicSetting) check(v string) error {
	fail := func(want string) error {
		return &configError{fmt.Sprintf("topic configuration %s: value %q, want %s", s.name, v, want)}
	}
	switch s.kind {
	case configInt, configLong:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < s.low || n > s.high {
			return fail(fmt.Sprintf("a number from %d to %d", s.low, s.high))
		}
	case configDouble:
		n, err := strconv.ParseFloat(v, 64)
		if err != nil || !(n >= float64(s.low) && n <= float64(s.high)) {
			return fail(fmt.Sprintf("a number from %d to %d", s.low, s.high))
		}
	case configList:
		for _, w := range strings.Split(v, ",") {
			if !slices.Contains(s.words, w) {
				return fail(strings.Join(s.words, " or ") + ", or several with commas")
			}
		}
	case configBool:
		if v != "true" && v != "false" {
			return fail("true or false")
		}
	default:
		if len(s.words) > 0 && !slices.Contains(s.words, v) {
			return fail(strings.Join(s.words, " or "))
		}
	}
	return nil
}
