package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleCreatePartitions(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.CreatePartitionsRequest)
	resp := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	resp.Topics = []kmsg.CreatePartitionsResponseTopic{}
	for _, rt := range req.Topics {
		out := kmsg.NewCreatePartitionsResponseTopic()
		out.Topic = rt.Topic
		terr := refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", rt.Topic)
		if !c.mayTopic(acl.Alter, rt.Topic) {
			terr = refuseDenied(rt.Topic)
		} else if t := c.b.topics.get(rt.Topic); t != nil {
			terr = c.b.addPartitions(t, rt.Count, req.ValidateOnly)
		}
		out.ErrorCode, out.ErrorMessage = codeOf(terr), messageOf(terr)
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}
