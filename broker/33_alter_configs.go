package broker

import (
	"maps"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// handleAlterConfigs replaces all settings of a resource.
func handleAlterConfigs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.AlterConfigsRequest)
	resp := req.ResponseKind().(*kmsg.AlterConfigsResponse)
	resp.Resources = []kmsg.AlterConfigsResponseResource{}
	for _, rr := range req.Resources {
		terr := c.alterConfigs(rr.ResourceType, rr.ResourceName, req.ValidateOnly, func(map[string]string) (map[string]string, *topicError) {
			set := map[string]string{}
			for _, rc := range rr.Configs {
				if rc.Value == nil {
					return nil, refuseTopic(errInvalidConfig, "topic configuration %s has no value", rc.Name)
				}
				set[rc.Name] = *rc.Value
			}
			return set, nil
		})
		out := kmsg.NewAlterConfigsResponseResource()
		out.ResourceType, out.ResourceName, out.ErrorCode, out.ErrorMessage = rr.ResourceType, rr.ResourceName, codeOf(terr), messageOf(terr)
		resp.Resources = append(resp.Resources, out)
	}
	return ready(resp)
}

// alterConfigs changes the settings of a topic; those of the broker are in its configuration file.
func (c *conn) alterConfigs(kind kmsg.ConfigResourceType, name string, dryRun bool, change func(old map[string]string) (map[string]string, *topicError)) *topicError {
	switch kind {
	case resourceTopic:
	case resourceBroker:
		return refuseTopic(errInvalidRequest, "settings of the broker are in its configuration file")
	default:
		return refuseTopic(errInvalidRequest, "resources of type %d have no settings", kind)
	}
	if !c.mayTopic(acl.AlterConfigs, name) {
		return refuseDenied(name)
	}
	t := c.b.topics.get(name)
	if t == nil {
		return refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", name)
	}
	set, terr := change(maps.Clone(t.config.Load().set))
	if terr != nil {
		return terr
	}
	return c.b.setConfig(t, set, dryRun)
}
