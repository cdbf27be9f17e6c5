package broker

import (
	"regexp"

	"github.com/twmb/franz-go/pkg/kmsg"
)

var softwareName = regexp.MustCompile(`^[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?$`)

func handleAPIVersions(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.ApiVersionsRequest)
	if req.Version >= 3 {
		if !softwareName.MatchString(req.ClientSoftwareName) || !softwareName.MatchString(req.ClientSoftwareVersion) {
			resp := req.ResponseKind().(*kmsg.ApiVersionsResponse)
			resp.ErrorCode = errInvalidRequest
			return ready(resp)
		}
		c.software = req.ClientSoftwareName
	}
	return ready(c.b.apiVersions(req.Version))
}

func (b *Broker) apiVersions(version int16) *kmsg.ApiVersionsResponse {
	resp := kmsg.NewPtrApiVersionsResponse()
	resp.Version = version
	for _, a := range apiTable() {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = a.key, a.min, a.max
		resp.ApiKeys = append(resp.ApiKeys, k)
	}
	if version >= 3 {
		c := kmsg.NewApiVersionsResponseSupportedFeature()
		c.Name, c.MaxVersion = transactionFeature, transactionLevel
		f := kmsg.NewApiVersionsResponseFinalizedFeature()
		f.Name, f.MaxVersionLevel, f.MinVersionLevel = transactionFeature, transactionLevel, transactionLevel
		resp.SupportedFeatures = append(resp.SupportedFeatures, c)
		resp.FinalizedFeatures, resp.FinalizedFeaturesEpoch = append(resp.FinalizedFeatures, f), 0
	}
	return resp
}

// The feature that tells clients how transactions are done: at level 2 every end raises the producer's epoch, and a produce takes its
// partition into the transaction.
const (
	transactionFeature       = "transaction.version"
	transactionLevel   int16 = 2
)

// unsupportedApiVersions answers a version from the future: error 35 in version 0, with all that the client needs to ask again.
func (b *Broker) unsupportedApiVersions() *kmsg.ApiVersionsResponse {
	resp := b.apiVersions(0)
	resp.ErrorCode = errUnsupportedVersion
	return resp
}
