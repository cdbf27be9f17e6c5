package broker

import (
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDeleteTopics(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DeleteTopicsRequest)
	resp := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	resp.Topics = []kmsg.DeleteTopicsResponseTopic{}
	asked := req.Topics
	for _, name := range req.TopicNames {
		asked = append(asked, kmsg.DeleteTopicsRequestTopic{Topic: &name})
	}
	for _, rt := range asked {
		out := kmsg.NewDeleteTopicsResponseTopic()
		out.Topic, out.TopicID = rt.Topic, rt.TopicID
		t, terr := c.b.topicNamed(rt)
		switch {
		case t == nil:
			if rt.Topic != nil && !c.mayTopic(acl.Describe, *rt.Topic) {
				terr = refuseDenied(*rt.Topic)
			}
		case !c.mayTopic(acl.Delete, t.name):
			terr = refuseDenied(t.name)
		default:
			out.Topic, out.TopicID = &t.name, t.id
			terr = c.b.deleteTopic(t)
		}
		out.ErrorCode, out.ErrorMessage = codeOf(terr), messageOf(terr)
		resp.Topics = append(resp.Topics, out)
	}
	return ready(resp)
}

// topicNamed finds the topic a request names by name or by id.
func (b *Broker) topicNamed(rt kmsg.DeleteTopicsRequestTopic) (*topic, *topicError) {
	if rt.Topic == nil {
		if t := b.topics.getID(rt.TopicID); t != nil {
			return t, nil
		}
		return nil, refuseTopic(errUnknownTopicID, "no topic has the id %s", topicID(rt.TopicID))
	}
	if t := b.topics.get(*rt.Topic); t != nil {
		return t, nil
	}
	return nil, refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", *rt.Topic)
}
