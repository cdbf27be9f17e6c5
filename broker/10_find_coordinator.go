package broker

import "github.com/twmb/franz-go/pkg/kmsg"

// handleFindCoordinator names this broker for every group (type 0) and every transactional id (type 1).
func handleFindCoordinator(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.FindCoordinatorRequest)
	resp := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	host, port := c.address()
	var code int16
	var why *string
	if req.CoordinatorType < 0 || req.CoordinatorType > 1 {
		code, why = errInvalidRequest, kmsg.StringPtr("groups and transactions have coordinators")
	}
	if req.Version < 4 {
		resp.ErrorCode, resp.ErrorMessage, resp.NodeID, resp.Host, resp.Port = code, why, nodeID, host, port
		if code != errNone {
			resp.NodeID, resp.Host, resp.Port = -1, "", -1
		}
		return ready(resp)
	}
	for _, key := range req.CoordinatorKeys {
		out := kmsg.NewFindCoordinatorResponseCoordinator()
		out.Key, out.ErrorCode, out.ErrorMessage, out.NodeID, out.Host, out.Port = key, code, why, nodeID, host, port
		if code != errNone {
			out.NodeID, out.Host, out.Port = -1, "", -1
		}
		resp.Coordinators = append(resp.Coordinators, out)
	}
	return ready(resp)
}
