package broker

import (
	"regexp"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleListTransactions lists transactional ids by state, producer, age and, from version 2 on, a pattern of their names.
func handleListTransactions(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ListTransactionsRequest)
	return answered(func() kmsg.Response {
		resp := req.ResponseKind().(*kmsg.ListTransactionsResponse)
		resp.UnknownStateFilters, resp.TransactionStates = []string{}, []kmsg.ListTransactionsResponseTransactionState{}
		for _, s := range req.StateFilters {
			switch txnState(s) {
			case txnEmpty, txnOngoing, txnPrepareCommit, txnPrepareAbort, txnCompleteCommit, txnCompleteAbort:
			default:
				resp.UnknownStateFilters = append(resp.UnknownStateFilters, s)
			}
		}
		var pattern *regexp.Regexp
		if req.Version >= 2 && req.TransactionalIDPattern != nil && *req.TransactionalIDPattern != "" {
			var err error
			if pattern, err = regexp.Compile("^(?:" + *req.TransactionalIDPattern + ")$"); err != nil {
				resp.ErrorCode = errInvalidRegularExpression
				return resp
			}
		}
		for _, t := range c.b.txns.all() {
			t.mu.Lock()
			if r := &t.rec; r.wanted(req) && (pattern == nil || pattern.MatchString(r.ID)) && c.may(acl.Describe, acl.TransactionalID, r.ID) {
				out := kmsg.NewListTransactionsResponseTransactionState()
				out.TransactionalID, out.ProducerID, out.TransactionState = r.ID, r.Producer, string(r.State)
				resp.TransactionStates = append(resp.TransactionStates, out)
			}
			t.mu.Unlock()
		}
		return resp
	})
}

func (r *txnRecord) wanted(req *kmsg.ListTransactionsRequest) bool {
	switch {
	case len(req.StateFilters) > 0 && !slices.Contains(req.StateFilters, string(r.State)):
		return false
	case len(req.ProducerIDFilters) > 0 && !slices.Contains(req.ProducerIDFilters, r.Producer):
		return false
	case req.Version >= 1 && req.DurationFilterMillis > 0 && (r.Start == 0 || nowMs()-r.Start <= req.DurationFilterMillis):
		return false
	}
	return true
}
