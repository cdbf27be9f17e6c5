package broker

// Error codes of the Kafka protocol that the broker gives.
const (
	errNone                     int16 = 0
	errUnknownServer            int16 = -1
	errOffsetOutOfRange         int16 = 1
	errCorruptMessage           int16 = 2
	errUnknownTopicOrPartition  int16 = 3
	errRequestTimedOut          int16 = 7
	errMessageTooLarge          int16 = 10
	errOffsetMetadataTooLarge   int16 = 12
	errCoordinatorNotAvailable  int16 = 15
	errInvalidTopic             int16 = 17
	errInvalidRequiredAcks      int16 = 21
	errIllegalGeneration        int16 = 22
	errInconsistentProtocol     int16 = 23
	errInvalidGroupID           int16 = 24
	errUnknownMemberID          int16 = 25
	errInvalidSessionTimeout    int16 = 26
	errRebalanceInProgress      int16 = 27
	errInvalidTimestamp         int16 = 32
	errUnsupportedVersion       int16 = 35
	errTopicExists              int16 = 36
	errInvalidPartitions        int16 = 37
	errInvalidReplication       int16 = 38
	errInvalidAssignment        int16 = 39
	errInvalidConfig            int16 = 40
	errInvalidRequest           int16 = 42
	errUnsupportedForFormat     int16 = 43
	errOutOfOrderSequence       int16 = 45
	errDuplicateSequence        int16 = 46
	errInvalidProducerEpoch     int16 = 47
	errInvalidTxnState          int16 = 48
	errInvalidPIDMapping        int16 = 49
	errInvalidTxnTimeout        int16 = 50
	errConcurrentTransactions   int16 = 51
	errOperationNotAttempted    int16 = 55
	errStorage                  int16 = 56
	errNonEmptyGroup            int16 = 68
	errGroupIDNotFound          int16 = 69
	errFencedLeaderEpoch        int16 = 74
	errUnknownLeaderEpoch       int16 = 75
	errUnsupportedCompression   int16 = 76
	errMemberIDRequired         int16 = 79
	errGroupMaxSizeReached      int16 = 81
	errFencedInstanceID         int16 = 82
	errElectionNotNeeded        int16 = 84
	errGroupSubscribed          int16 = 86
	errInvalidRecord            int16 = 87
	errUnstableOffsetCommit     int16 = 88
	errProducerFenced           int16 = 90
	errUnknownTopicID           int16 = 100
	errTransactionalIDNotFound  int16 = 105
	errInvalidRegularExpression int16 = 128
	errTransactionAbortable     int16 = 120
)
