package codec

import "strconv"

// cefKeys is the extension dictionary: short key, then the long name and the field of the Elastic Common Schema, "" for none.
var cefKeys = addNumbered(map[string][2]string{
	"act": {"deviceAction", "[event][action]"}, "app": {"applicationProtocol", "[network][protocol]"}, "cat": {"deviceEventCategory", "[cef][category]"},
	"cnt": {"baseEventCount", "[cef][base_event_count]"}, "dhost": {"destinationHostName", "[destination][domain]"}, "dmac": {"destinationMacAddress", "[destination][mac]"},
	"dntdom": {"destinationNtDomain", "[destination][registered_domain]"}, "dpid": {"destinationProcessId", "[destination][process][pid]"},
	"dpriv": {"destinationUserPrivileges", "[destination][user][group][name]"}, "dproc": {"destinationProcessName", "[destination][process][name]"},
	"dpt": {"destinationPort", "[destination][port]"}, "dst": {"destinationAddress", "[destination][ip]"}, "duid": {"destinationUserId", "[destination][user][id]"},
	"duser": {"destinationUserName", "[destination][user][name]"}, "dvc": {"deviceAddress", "[observer][ip]"}, "dvchost": {"deviceHostName", "[observer][hostname]"},
	"dvcpid": {"deviceProcessId", "[process][pid]"}, "end": {"endTime", "[event][end]"}, "fname": {"fileName", "[file][name]"}, "fsize": {"fileSize", "[file][size]"},
	"in": {"bytesIn", "[source][bytes]"}, "msg": {"message", "message"}, "out": {"bytesOut", "[destination][bytes]"}, "outcome": {"eventOutcome", "[event][outcome]"},
	"proto": {"transportProtocol", "[network][transport]"}, "request": {"requestUrl", "[url][original]"}, "rt": {"deviceReceiptTime", ""},
	"shost": {"sourceHostName", "[source][domain]"}, "smac": {"sourceMacAddress", "[source][mac]"}, "sntdom": {"sourceNtDomain", "[source][registered_domain]"},
	"spid": {"sourceProcessId", "[source][process][pid]"}, "spriv": {"sourceUserPrivileges", "[source][user][group][name]"}, "sproc": {"sourceProcessName", "[source][process][name]"},
	"spt": {"sourcePort", "[source][port]"}, "src": {"sourceAddress", "[source][ip]"}, "start": {"startTime", "[event][start]"}, "suid": {"sourceUserId", "[source][user][id]"},
	"suser": {"sourceUserName", "[source][user][name]"}, "ahost": {"agentHost", "[agent][name]"}, "art": {"agentReceiptTime", "[event][created]"}, "at": {"agentType", "[agent][type]"},
	"aid": {"agentId", "[agent][id]"}, "agt": {"agentAddress", "[agent][ip]"}, "av": {"agentVersion", "[agent][version]"}, "atz": {"agentTimeZone", ""},
	"_cefVer": {"cefVersion", "[cef][version]"}, "dlat": {"destinationGeoLatitude", "[destination][geo][location][lat]"}, "dlong": {"destinationGeoLongitude", "[destination][geo][location][lon]"},
	"slat": {"sourceGeoLatitude", "[source][geo][location][lat]"}, "slong": {"sourceGeoLongitude", "[source][geo][location][lon]"}, "rawEvent": {"rawEvent", "[event][original]"},
	"reason": {"reason", "[event][reason]"}, "requestMethod": {"requestMethod", "[http][request][method]"}, "requestContext": {"requestContext", "[http][request][referrer]"},
	"requestClientApplication": {"requestClientApplication", "[user_agent][original]"}, "deviceDirection": {"deviceDirection", "[network][direction]"},
	"deviceInboundInterface": {"deviceInboundInterface", "[observer][ingress][interface][name]"}, "deviceOutboundInterface": {"deviceOutboundInterface", "[observer][egress][interface][name]"},
	"deviceMacAddress": {"deviceMacAddress", "[observer][mac]"}, "externalId": {"externalId", "[event][id]"}, "fileHash": {"fileHash", "[file][hash]"}, "fileId": {"fileId", "[file][inode]"},
	"filePath": {"filePath", "[file][path]"}, "filePermission": {"filePermission", "[file][group]"}, "fileType": {"fileType", "[file][type]"}, "fileCreateTime": {"fileCreateTime", "[file][created]"},
	"fileModificationTime": {"fileModificationTime", "[file][mtime]"}, "destinationTranslatedAddress": {"destinationTranslatedAddress", "[destination][nat][ip]"},
	"destinationTranslatedPort": {"destinationTranslatedPort", "[destination][nat][port]"}, "sourceTranslatedAddress": {"sourceTranslatedAddress", "[source][nat][ip]"},
	"sourceTranslatedPort": {"sourceTranslatedPort", "[source][nat][port]"}, "destinationDnsDomain": {"destinationDnsDomain", "[destination][registered_domain]"},
	"sourceDnsDomain": {"sourceDnsDomain", "[source][registered_domain]"}, "destinationServiceName": {"destinationServiceName", "[destination][service][name]"},
	"sourceServiceName": {"sourceServiceName", "[source][service][name]"}, "deviceDnsDomain": {"deviceDnsDomain", "[observer][registered_domain]"},
	"deviceExternalId": {"deviceExternalId", "[observer][name]"}, "deviceFacility": {"deviceFacility", "[log][syslog][facility][code]"}, "deviceProcessName": {"deviceProcessName", "[process][name]"},
	"deviceTranslatedAddress": {"deviceTranslatedAddress", "[observer][nat][ip]"}, "deviceTimeZone": {"deviceTimeZone", "[event][timezone]"},
})

// addNumbered adds the custom fields: cs1, cs1Label and so on.
func addNumbered(m map[string][2]string) map[string][2]string {
	for _, f := range []struct {
		short, long, ecs string
		n                int
	}{{"c6a", "deviceCustomIPv6Address", "device_custom_ipv6_address", 4}, {"cfp", "deviceCustomFloatingPoint", "device_custom_floating_point", 4},
		{"cn", "deviceCustomNumber", "device_custom_number", 3}, {"cs", "deviceCustomString", "device_custom_string", 6}} {
		for i := 1; i <= f.n; i++ {
			d := strconv.Itoa(i)
			m[f.short+d] = [2]string{f.long + d, "[cef][" + f.ecs + "_" + d + "][value]"}
			m[f.short+d+"Label"] = [2]string{f.long + d + "Label", "[cef][" + f.ecs + "_" + d + "][label]"}
		}
	}
	return m
}
