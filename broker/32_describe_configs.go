package broker

import (
	"slices"
	"strconv"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

// Where a setting's value comes from, as the protocol counts it.
const (
	configSourceTopic   = kmsg.ConfigSourceDynamicTopicConfig
	configSourceStatic  = kmsg.ConfigSourceStaticBrokerConfig
	configSourceDefault = kmsg.ConfigSourceDefaultConfig
)

// Kinds of resources that have settings.
const (
	resourceTopic  = kmsg.ConfigResourceTypeTopic
	resourceBroker = kmsg.ConfigResourceTypeBroker
)

func handleDescribeConfigs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeConfigsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	resp.Resources = []kmsg.DescribeConfigsResponseResource{}
	for i := range req.Resources {
		rr := &req.Resources[i]
		out := kmsg.NewDescribeConfigsResponseResource()
		out.ResourceType, out.ResourceName, out.Configs = rr.ResourceType, rr.ResourceName, []kmsg.DescribeConfigsResponseResourceConfig{}
		var all []kmsg.DescribeConfigsResponseResourceConfig
		var terr *topicError
		switch {
		case rr.ResourceType == resourceTopic && !c.mayTopic(acl.DescribeConfigs, rr.ResourceName):
			terr = refuseDenied(rr.ResourceName)
		case rr.ResourceType == resourceBroker && !c.mayCluster(acl.DescribeConfigs):
			terr = refuseTopic(errClusterDenied, "not permitted on the cluster")
		case rr.ResourceType == resourceTopic:
			all, terr = c.b.describeTopicConfig(rr.ResourceName)
		case rr.ResourceType == resourceBroker:
			all, terr = c.b.describeBrokerConfig(rr.ResourceName)
		default:
			terr = refuseTopic(errInvalidRequest, "resources of type %d have no settings", rr.ResourceType)
		}
		out.ErrorCode, out.ErrorMessage = codeOf(terr), messageOf(terr)
		for _, oc := range all {
			if rr.ConfigNames != nil && !slices.Contains(rr.ConfigNames, oc.Name) {
				continue
			}
			if !req.IncludeSynonyms {
				oc.ConfigSynonyms = []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{}
			}
			if !req.IncludeDocumentation {
				oc.Documentation = nil
			}
			out.Configs = append(out.Configs, oc)
		}
		resp.Resources = append(resp.Resources, out)
	}
	return ready(resp)
}

func (b *Broker) describeTopicConfig(name string) ([]kmsg.DescribeConfigsResponseResourceConfig, *topicError) {
	t := b.topics.get(name)
	if t == nil {
		return nil, refuseTopic(errUnknownTopicOrPartition, "topic %s is unknown", name)
	}
	cfg := t.config.Load()
	var out []kmsg.DescribeConfigsResponseResourceConfig
	for _, s := range topicSettings() {
		oc := describeSetting(s.name, s.def, configSourceDefault, s.kind, s.doc)
		if v, ok := cfg.set[s.name]; ok {
			oc.Value, oc.Source, oc.IsDefault = &v, configSourceTopic, false
			oc.ConfigSynonyms = append([]kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{synonym(s.name, v, configSourceTopic)}, oc.ConfigSynonyms...)
		}
		out = append(out, oc)
	}
	return out, nil
}

func describeSetting(name, value string, source kmsg.ConfigSource, kind configType, doc string) kmsg.DescribeConfigsResponseResourceConfig {
	oc := kmsg.NewDescribeConfigsResponseResourceConfig()
	oc.Name, oc.Value, oc.Source, oc.IsDefault = name, &value, source, source == configSourceDefault
	oc.ConfigType, oc.Documentation = kmsg.ConfigType(kind), &doc
	oc.ConfigSynonyms = []kmsg.DescribeConfigsResponseResourceConfigConfigSynonym{synonym(name, value, source)}
	return oc
}

func synonym(name, value string, source kmsg.ConfigSource) kmsg.DescribeConfigsResponseResourceConfigConfigSynonym {
	s := kmsg.NewDescribeConfigsResponseResourceConfigConfigSynonym()
	s.Name, s.Value, s.Source = name, &value, source
	return s
}

// describeBrokerConfig shows the settings of the broker under Kafka's names. They are set in the configuration file, so none can be
// altered here.
func (b *Broker) describeBrokerConfig(name string) ([]kmsg.DescribeConfigsResponseResourceConfig, *topicError) {
	if name != "" && name != strconv.Itoa(nodeID) {
		return nil, refuseTopic(errInvalidRequest, "there is no broker %s", name)
	}
	var out []kmsg.DescribeConfigsResponseResourceConfig
	if name == "" {
		return out, nil // dynamic defaults for all brokers: none
	}
	add := func(name, value string, kind configType, doc string) {
		oc := describeSetting(name, value, configSourceStatic, kind, doc)
		oc.ReadOnly = true
		out = append(out, oc)
	}
	add("auto.create.topics.enable", strconv.FormatBool(b.cfg.AutoCreate), configBool, "Topics are made on first use.")
	add("broker.id", strconv.Itoa(nodeID), configInt, "The only broker.")
	add("default.replication.factor", "1", configInt, "One copy is kept.")
	add("group.initial.rebalance.delay.ms", "0", configInt, "A first consumer starts at once.")
	add("log.dirs", b.cfg.Dir, configString, "The data folder.")
	add("message.max.bytes", strconv.Itoa(defaultMaxMessage), configInt, "The default of max.message.bytes.")
	add("num.partitions", strconv.Itoa(int(b.cfg.Partitions)), configInt, "Partitions of topics made on first use.")
	add("offsets.retention.minutes", strconv.Itoa(int(b.cfg.OffsetsRetention.Minutes())), configInt, "How long commits outlive the last member of a group.")
	return out, nil
}
