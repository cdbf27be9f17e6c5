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
	b.WriteString(otherwise)
	return b.String()
}

// otherwise is what the tables do not say.
const otherwise = `
## Logins and access control lists

With users in ` + "`broker.sasl.users`" + ` everybody logs in, with PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512; further SCRAM users are made by
AlterUserScramCredentials (` + "`kafka-configs --alter --entity-type users`" + `). Then access control lists decide (` + "`kafka-acls`" + `): a denial
beats every permission, super users pass, and a resource that no list is about is closed, unless ` + "`broker.sasl.allow_unlisted`" + ` is set.
What runs inside the weir process needs no login. Without users there are no lists: requests about them are answered with error 54.

## What is otherwise than in Kafka

| what | here |
|---|---|
| acknowledgement | follows an fdatasync, whatever ` + "`flush.messages`" + ` says; Kafka leaves it to the page cache and replicas |
| replication factor | any is taken, one copy kept |
| commits and transactions | in the broker's own journal; ` + "`__consumer_offsets`" + ` is listed, empty and internal |
| age of records | counted from the append, not from the record's time: files read late are not deleted on arrival |
| groups of weir's own pipelines | their unread records outlive ` + "`retention.ms`" + `; their places cannot be moved by tools (error 30) when the store keeps them |
| settings of the broker | in its configuration file: AlterConfigs of a broker is answered with error 42 |
| consumer groups | the classic protocol, eager and cooperative, static members; clients asked for ` + "`group.protocol=consumer`" + ` are refused by themselves |
| unclean shutdown | the tail behind the last checkpoint is read, at most 64 MiB a partition |

## Clients and suites

` + "`make conform`" + ` runs these against a broker, each where it can be had:

| client or suite | what |
|---|---|
| franz-go 1.22, integration tests of pkg/kgo | all pass |
| librdkafka 2.15, test suite | 81 passed, 3 failed in the last whole run: 0081_admin changes the broker's own settings; 0011 and 0077 wanted compaction, and pass alone since; tests of KIP-848 and share groups skip themselves |
| Java clients 4.1 | producer with each codec, idempotent and transactional (fenced, too), consumer, two consumers of a group, Admin: topics, configs, partitions, offsets, groups, records, log folders, producers, transactions, features, access control lists, users; Kafka's perf tools |
| kcat | each codec, keys, headers, a group, a start by time |
| kafkajs 2.2, confluent-kafka, kafka-python | produce, groups, transactions (not kafka-python), administration |
| sarama 1.0.0 to its newest | in the tests of this project, with the message sets of 0.8 and 0.10; its own functional tests need toxiproxy and have not been run |
| rsyslog omkafka | in make peers |
`

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
