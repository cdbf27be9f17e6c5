package broker

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// api is one API key: the versions served and the handler. Minimums are kept for ever: old clients decide by them what a broker can do.
type api struct {
	key      int16
	name     string
	min, max int16
	handle   func(c *conn, req kmsg.Request) answer
}

// API keys that the connection treats in a way of their own.
const (
	produceKey     int16 = 0
	apiVersionsKey int16 = 18
)

// apiTable is every API served. An unknown key closes the connection.
func apiTable() []api {
	return []api{
		{0, "Produce", 0, 9, handleProduce},
		{1, "Fetch", 4, 12, handleFetch},
		{2, "ListOffsets", 1, 8, handleListOffsets},
		{3, "Metadata", 0, 12, handleMetadata},
		{8, "OffsetCommit", 0, 9, handleOffsetCommit},
		{9, "OffsetFetch", 0, 9, handleOffsetFetch},
		{10, "FindCoordinator", 0, 4, handleFindCoordinator},
		{11, "JoinGroup", 0, 9, handleJoinGroup},
		{12, "Heartbeat", 0, 4, handleHeartbeat},
		{13, "LeaveGroup", 0, 5, handleLeaveGroup},
		{14, "SyncGroup", 0, 5, handleSyncGroup},
		{15, "DescribeGroups", 0, 6, handleDescribeGroups},
		{16, "ListGroups", 0, 5, handleListGroups},
		{18, "ApiVersions", 0, 4, handleAPIVersions},
		{19, "CreateTopics", 0, 7, handleCreateTopics},
		{20, "DeleteTopics", 0, 6, handleDeleteTopics},
		{21, "DeleteRecords", 0, 2, handleDeleteRecords},
		{22, "InitProducerId", 0, 4, handleInitProducerID},
		{23, "OffsetForLeaderEpoch", 2, 4, handleOffsetForLeaderEpoch},
		{32, "DescribeConfigs", 0, 4, handleDescribeConfigs},
		{33, "AlterConfigs", 0, 2, handleAlterConfigs},
		{35, "DescribeLogDirs", 1, 4, handleDescribeLogDirs},
		{37, "CreatePartitions", 0, 3, handleCreatePartitions},
		{42, "DeleteGroups", 0, 2, handleDeleteGroups},
		{43, "ElectLeaders", 0, 2, handleElectLeaders},
		{44, "IncrementalAlterConfigs", 0, 1, handleIncrementalAlterConfigs},
		{46, "ListPartitionReassignments", 0, 0, handleListReassignments},
		{47, "OffsetDelete", 0, 0, handleOffsetDelete},
		{60, "DescribeCluster", 0, 1, handleDescribeCluster},
		{61, "DescribeProducers", 0, 0, handleDescribeProducers},
	}
}

// nodeID is the id of the only broker there is.
const nodeID = 1

// leaderEpoch is the epoch of every partition.
const leaderEpoch = 0

// unasked is the value of authorized operations that nobody asked for.
const unasked = -1 << 31

// Operations on a topic and on the cluster as bits, all allowed: 3 read, 4 write, 5 create, 6 delete, 7 alter, 8 describe, 9 cluster
// action, 10 describe configs, 11 alter configs, 12 idempotent write.
const (
	topicOperations   = 1<<3 | 1<<4 | 1<<5 | 1<<6 | 1<<7 | 1<<8 | 1<<10 | 1<<11
	clusterOperations = 1<<5 | 1<<7 | 1<<8 | 1<<9 | 1<<10 | 1<<11 | 1<<12
	groupOperations   = 1<<3 | 1<<6 | 1<<8
)

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
