package broker

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleJoinGroup(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.JoinGroupRequest)
	resp := req.ResponseKind().(*kmsg.JoinGroupResponse)
	r := joinRequest{
		memberID: req.MemberID, instance: req.InstanceID, clientID: c.clientID, host: c.host, protocolType: req.ProtocolType,
		session:  time.Duration(req.SessionTimeoutMillis) * time.Millisecond,
		patience: time.Duration(req.RebalanceTimeoutMillis) * time.Millisecond,
		needsID:  req.Version >= 4, canSkip: req.Version >= 9, pins: c.software == "weir",
	}
	if req.Version == 0 {
		r.patience = r.session
	}
	for _, p := range req.Protocols {
		r.protocols = append(r.protocols, groupProtocol{p.Name, p.Metadata})
	}
	if !c.may(acl.Read, acl.Group, req.Group) {
		fillJoin(resp, joinAnswer{code: errGroupDenied, memberID: req.MemberID, generation: -1})
		return ready(resp)
	}
	ch := c.b.groups.join(req.Group, r)
	return func(ctx context.Context) (reply, error) {
		var a joinAnswer
		select {
		case a = <-ch:
		case <-ctx.Done():
			return reply{}, ctx.Err()
		case <-c.b.done:
			a = joinAnswer{code: errCoordinatorNotAvailable, generation: -1}
		}
		fillJoin(resp, a)
		return reply{resp: resp}, nil
	}
}

func fillJoin(resp *kmsg.JoinGroupResponse, a joinAnswer) {
	resp.ErrorCode, resp.Generation, resp.LeaderID, resp.MemberID, resp.SkipAssignment = a.code, a.generation, a.leader, a.memberID, a.skip
	resp.Protocol = &a.protocol
	if a.code == errNone {
		resp.ProtocolType = &a.protoType
	} else if resp.Version >= 7 {
		resp.Protocol = nil
	}
	resp.Members = []kmsg.JoinGroupResponseMember{}
	for _, m := range a.members {
		rm := kmsg.NewJoinGroupResponseMember()
		rm.MemberID, rm.InstanceID, rm.ProtocolMetadata = m.id, m.instance, m.metadata
		resp.Members = append(resp.Members, rm)
	}
}
