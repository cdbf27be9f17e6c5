package broker

import (
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// handleIncrementalAlterConfigs changes single settings of a resource.
func handleIncrementalAlterConfigs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.IncrementalAlterConfigsRequest)
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	resp.Resources = []kmsg.IncrementalAlterConfigsResponseResource{}
	for _, rr := range req.Resources {
		terr := c.alterConfigs(rr.ResourceType, rr.ResourceName, req.ValidateOnly, func(set map[string]string) (map[string]string, *topicError) {
			if set == nil {
				set = map[string]string{}
			}
			for _, rc := range rr.Configs {
				if terr := alterOne(set, rc); terr != nil {
					return nil, terr
				}
			}
			return set, nil
		})
		out := kmsg.NewIncrementalAlterConfigsResponseResource()
		out.ResourceType, out.ResourceName, out.ErrorCode, out.ErrorMessage = rr.ResourceType, rr.ResourceName, codeOf(terr), messageOf(terr)
		resp.Resources = append(resp.Resources, out)
	}
	return ready(resp)
}

// alterOne sets, unsets, or adds to and takes from a list.
func alterOne(set map[string]string, rc kmsg.IncrementalAlterConfigsRequestResourceConfig) *topicError {
	s, ok := findSetting(rc.Name)
	if !ok {
		return refuseTopic(errInvalidConfig, "unknown topic configuration %q", rc.Name)
	}
	if rc.Op == kmsg.IncrementalAlterConfigOpDelete {
		delete(set, rc.Name)
		return nil
	}
	if rc.Value == nil {
		return refuseTopic(errInvalidConfig, "topic configuration %s has no value", rc.Name)
	}
	if rc.Op == kmsg.IncrementalAlterConfigOpSet {
		set[rc.Name] = *rc.Value
		return nil
	}
	if s.kind != configList {
		return refuseTopic(errInvalidConfig, "topic configuration %s is not a list", rc.Name)
	}
	old, ok := set[rc.Name]
	if !ok {
		old = s.def
	}
	list := strings.Split(old, ",")
	for _, v := range strings.Split(*rc.Value, ",") {
		list = slices.DeleteFunc(list, func(e string) bool { return e == v })
		if rc.Op == kmsg.IncrementalAlterConfigOpAppend {
			list = append(list, v)
		}
	}
	set[rc.Name] = strings.Join(list, ",")
	return nil
}
