package broker

import (
	"fmt"
	"strings"

	"github.com/weirlog/weir/broker/codec"
)

// Reference is the page on the Kafka protocol as it is served here, in Markdown, made of the tables that the code runs on.
func Reference() string {
	var b strings.Builder
	b.WriteString("# The Kafka protocol of the embedded broker\n\n")
	b.WriteString("Made from the tables in package broker; do not edit.\n\n")
	b.WriteString("One node, its id is 1. Acknowledged means on disk for acks=1 and acks=all alike; acks=0 is written the same way and not answered.\n")
	b.WriteString("Keys that are not listed close the connection.\n\n## Requests\n\n| key | request | versions |\n|---|---|---|\n")
	for _, a := range apiTable() {
		fmt.Fprintf(&b, "| %d | %s | %s |\n", a.key, a.name, versionRange(a))
	}
	b.WriteString("\nMessage sets (Produce below version 3) are kept as batches; their messages without a time keep none (-1).\n\n" +
		"Transactions are served at level 2 of the feature transaction.version (every end raises the producer's epoch) and, for older clients, at\n" +
		"level 0. An end is answered when its markers are on disk.\n")
	b.WriteString("\n## Topic configurations\n\n| name | default | values | meaning |\n|---|---|---|---|\n")
	for _, s := range topicSettings() {
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s |\n", s.name, s.def, s.values(), s.doc)
	}
	b.WriteString("\nUnknown names and other values are refused with error 40. A replication factor of 1 or more is taken, and one copy kept.\n")
	b.WriteString("\n## Bounds\n\n| what | bound |\n|---|---|\n")
	for _, r := range boundTable() {
		fmt.Fprintf(&b, "| %s | %s |\n", r[0], r[1])
	}
	return b.String()
}

func versionRange(a api) string {
	if a.min == a.max {
		return fmt.Sprint(a.min)
	}
	return fmt.Sprintf("%d-%d", a.min, a.max)
}

func (s topicSetting) values() string {
	switch {
	case len(s.words) > 0:
		return strings.Join(s.words, ", ")
	case s.kind == configBool:
		return "true, false"
	case s.kind == configInt || s.kind == configLong:
		if s.low == s.high {
			return fmt.Sprint(s.low)
		}
		if s.high >= 1<<31-1 {
			return fmt.Sprintf("%d and more", s.low)
		}
		return fmt.Sprintf("%d to %d", s.low, s.high)
	}
	return "any"
}

// boundTable is what is bounded, and by how much.
func boundTable() [][2]string {
	mib := func(n int64) string { return fmt.Sprintf("%d MiB", n>>20) }
	return [][2]string{
		{"Produce request", mib(maxProduceFrame)},
		{"any other request", mib(maxFrame)},
		{"request before the login", fmt.Sprintf("%d KiB", maxLoginFrame>>10)},
		{"elements of a request's arrays, all together", fmt.Sprint(maxElements)},
		{"unanswered requests of a connection", fmt.Sprint(maxPipelined)},
		{"answer to a Fetch, beside a first batch that is larger", mib(maxFetchBytes)},
		{"batch after decompression, where the broker opens it", mib(codec.MaxOpened)},
		{"connections; of one address", fmt.Sprintf("%d; %d", maxConnections, maxConnsPerHost)},
		{"partitions of all topics", fmt.Sprint(maxPartitions)},
		{"groups; members of a group", fmt.Sprintf("%d; %d", maxGroups, maxGroupMembers)},
		{"idempotent producers a partition remembers; for how long unused", fmt.Sprintf("%d; %v", maxProducers, producerExpiry)},
		{"transactional ids; the longest time-out; how long unused", fmt.Sprintf("%d; %v; %v", maxTransactions, maxTxnTimeout, txnExpiry)},
		{"fetch sessions; partitions of one; unused for so long they may be given up", fmt.Sprintf("%d; %d; %v", maxFetchSessions, fetchSessionSlots, fetchSessionStale)},
		{"commit's metadata", fmt.Sprintf("%d bytes", maxCommitMetadata)},
		{"idle connection; no progress inside a request or an answer", fmt.Sprintf("%v; %v", idleTimeout, progressTimeout)},
	}
}
