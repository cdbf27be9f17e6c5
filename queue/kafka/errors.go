package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/weirlog/weir/queue"
)

// errorPair is an error of the cluster or its client, and what the border calls it.
type errorPair struct{ from, to error }

// errorTable is every error that a caller tells apart. Errors that pass are retried by the client and never come here.
func errorTable() []errorPair {
	return []errorPair{
		{kgo.ErrClientClosed, queue.ErrClosed},
		{kerr.UnknownTopicOrPartition, queue.ErrUnknownTopic},
		{kerr.UnknownTopicID, queue.ErrUnknownTopic},
		{kerr.InvalidTopicException, queue.ErrUnknownTopic},
		{kerr.TopicAuthorizationFailed, queue.ErrDenied},
		{kerr.GroupAuthorizationFailed, queue.ErrDenied},
		{kerr.ClusterAuthorizationFailed, queue.ErrDenied},
		{kerr.SaslAuthenticationFailed, queue.ErrDenied},
		{kerr.KafkaStorageError, queue.ErrFull},
	}
}
