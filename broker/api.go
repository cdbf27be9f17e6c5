package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// api is one API key: the versions served, how a request is laid out, and the handler. Minimums are kept for ever: old clients decide by them what a broker can do.
type api struct {
	key      int16
	name     string
	min, max int16
	layout   layout
	handle   func(c *conn, req kmsg.Request) answer
}

// API keys that the connection treats in a way of their own.
const (
	produceKey     int16 = 0
	apiVersionsKey int16 = 18
	handshakeKey   int16 = 17
	saslKey        int16 = 36
)

// apiTable is every API served. An unknown key closes the connection.
func apiTable() []api {
	return []api{
		{0, "Produce", 0, 13, "3+:s 2 4 [0-12:s 13+:u [4 b]]", handleProduce},
		{1, "Fetch", 4, 17, "4-14:4 4 4 4 1 7+:4 7+:4 [4-12:s 13+:u [4 9+:4 8 12+:4 5+:8 4]] 7+:[4-12:s 13+:u {4}] 11+:s", handleFetch},
		{2, "ListOffsets", 1, 8, "4 2+:1 [s [4 4+:4 8]]", handleListOffsets},
		{3, "Metadata", 0, 13, "[10+:u s] 4+:1 8-10:1 8+:1", handleMetadata},
		{8, "OffsetCommit", 0, 10, "s 1+:4 1+:s 7+:s 2-4:8 [0-9:s 10+:u [4 8 1-1:8 6+:4 s]]", handleOffsetCommit},
		{9, "OffsetFetch", 0, 10, "0-7:s 0-7:[s {4}] 8+:[s 9+:s 9+:4 [0-9:s 10+:u {4}]] 7+:1", handleOffsetFetch},
		{10, "FindCoordinator", 0, 4, "0-3:s 1+:1 4+:{s}", handleFindCoordinator},
		{11, "JoinGroup", 0, 9, "s 4 1+:4 s 5+:s s [s b] 8+:s", handleJoinGroup},
		{12, "Heartbeat", 0, 4, "s 4 s 3+:s", handleHeartbeat},
		{13, "LeaveGroup", 0, 5, "s 0-2:s 3+:[s s 5+:s]", handleLeaveGroup},
		{14, "SyncGroup", 0, 5, "s 4 s 3+:s 5+:s 5+:s [s b]", handleSyncGroup},
		{15, "DescribeGroups", 0, 6, "{s} 3+:1", handleDescribeGroups},
		{16, "ListGroups", 0, 5, "4+:{s} 5+:{s}", handleListGroups},
		{17, "SaslHandshake", 0, 1, "s", handleSASLHandshake},
		{18, "ApiVersions", 0, 4, "3+:s 3+:s", handleAPIVersions},
		{19, "CreateTopics", 0, 7, "[s 4 2 [4 {4}] [s s]] 4 1+:1", handleCreateTopics},
		{20, "DeleteTopics", 0, 6, "0-5:{s} 6+:[s u] 4", handleDeleteTopics},
		{21, "DeleteRecords", 0, 2, "[s [4 8]] 4", handleDeleteRecords},
		{22, "InitProducerId", 0, 5, "s 4 3+:8 3+:2", handleInitProducerID},
		{23, "OffsetForLeaderEpoch", 2, 4, "3+:4 [s [4 4 4]]", handleOffsetForLeaderEpoch},
		{24, "AddPartitionsToTxn", 0, 3, "s 8 2 [s {4}]", handleAddPartitionsToTxn},
		{25, "AddOffsetsToTxn", 0, 4, "s 8 2 s", handleAddOffsetsToTxn},
		{26, "EndTxn", 0, 5, "s 8 2 1", handleEndTxn},
		{28, "TxnOffsetCommit", 0, 5, "s s 8 2 3+:4 3+:s 3+:s [s [4 8 2+:4 s]]", handleTxnOffsetCommit},
		{29, "DescribeAcls", 0, 3, "1 s 1+:1 s s 1 1", handleDescribeACLs},
		{30, "CreateAcls", 0, 3, "[1 s 1+:1 s s 1 1]", handleCreateACLs},
		{31, "DeleteAcls", 0, 3, "[1 s 1+:1 s s 1 1]", handleDeleteACLs},
		{32, "DescribeConfigs", 0, 4, "[1 s {s}] 1+:1 3+:1", handleDescribeConfigs},
		{33, "AlterConfigs", 0, 2, "[1 s [s s]] 1", handleAlterConfigs},
		{35, "DescribeLogDirs", 1, 4, "[s {4}]", handleDescribeLogDirs},
		{36, "SaslAuthenticate", 0, 2, "b", handleSASLAuthenticate},
		{37, "CreatePartitions", 0, 3, "[s 4 [{4}]] 4 1", handleCreatePartitions},
		{42, "DeleteGroups", 0, 2, "{s}", handleDeleteGroups},
		{43, "ElectLeaders", 0, 2, "1+:1 [s {4}] 4", handleElectLeaders},
		{44, "IncrementalAlterConfigs", 0, 1, "[1 s [s 1 s]] 1", handleIncrementalAlterConfigs},
		{46, "ListPartitionReassignments", 0, 0, "4 [s {4}]", handleListReassignments},
		{47, "OffsetDelete", 0, 0, "s [s [4]]", handleOffsetDelete},
		{50, "DescribeUserScramCredentials", 0, 0, "[s]", handleDescribeUserSCRAM},
		{51, "AlterUserScramCredentials", 0, 0, "[s 1] [s 1 4 b b]", handleAlterUserSCRAM},
		{60, "DescribeCluster", 0, 1, "1 1+:1", handleDescribeCluster},
		{61, "DescribeProducers", 0, 0, "[s {4}]", handleDescribeProducers},
		{65, "DescribeTransactions", 0, 0, "{s}", handleDescribeTransactions},
		{66, "ListTransactions", 0, 2, "{s} {8} 1+:8 2+:s", handleListTransactions},
	}
}

// nodeID is the id of the only broker there is.
const nodeID = 1

// leaderEpoch is the epoch of every partition.
const leaderEpoch = 0

// unasked is the value of authorized operations that nobody asked for.
const unasked = -1 << 31

// codeOf is the code of a refusal, 0 of none.
func codeOf(err *topicError) int16 {
	if err == nil {
		return errNone
	}
	return err.code
}

// messageOf is the words of a refusal, null of none.
func messageOf(err *topicError) *string {
	if err == nil {
		return nil
	}
	return &err.msg
}

var errAcksZero = errors.New("produce with acks 0 failed")
