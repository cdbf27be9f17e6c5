package input

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// The JSON form of OTLP: numbers of 64 bits may be texts, trace and span ids are hexadecimal, names that are not known are passed over.

// jsonNumber is a number, or one in a text.
type jsonNumber string

func (n *jsonNumber) UnmarshalJSON(b []byte) error {
	*n = jsonNumber(strings.Trim(string(b), `"`))
	return nil
}

func (n jsonNumber) uint() uint64 {
	u, _ := strconv.ParseUint(string(n), 10, 64) // what is none is no time
	return u
}

type jsonRequest struct {
	ResourceLogs []struct {
		Resource struct {
			Attributes []jsonAttribute `json:"attributes"`
		} `json:"resource"`
		ScopeLogs []struct {
			Scope struct {
				Name    string `json:"name"`
				Version string `json:"version"`
			} `json:"scope"`
			LogRecords []json.RawMessage `json:"logRecords"`
		} `json:"scopeLogs"`
	} `json:"resourceLogs"`
}

type jsonRecord struct {
	Time       jsonNumber      `json:"timeUnixNano"`
	Observed   jsonNumber      `json:"observedTimeUnixNano"`
	Number     int             `json:"severityNumber"`
	Level      string          `json:"severityText"`
	Body       *jsonAny        `json:"body"`
	Attributes []jsonAttribute `json:"attributes"`
	Trace      string          `json:"traceId"`
	Span       string          `json:"spanId"`
	Name       string          `json:"eventName"`
}

type jsonAttribute struct {
	Key   string   `json:"key"`
	Value *jsonAny `json:"value"`
}

type jsonAny struct {
	String *string     `json:"stringValue"`
	Bool   *bool       `json:"boolValue"`
	Int    *jsonNumber `json:"intValue"`
	Double *jsonNumber `json:"doubleValue"`
	Array  *struct {
		Values []*jsonAny `json:"values"`
	} `json:"arrayValue"`
	List *struct {
		Values []jsonAttribute `json:"values"`
	} `json:"kvlistValue"`
	Bytes *string `json:"bytesValue"`
}

// value is a as Go's values.
func (a *jsonAny) value() any {
	switch {
	case a == nil:
		return nil
	case a.String != nil:
		return *a.String
	case a.Bool != nil:
		return *a.Bool
	case a.Int != nil:
		if n, err := strconv.ParseInt(string(*a.Int), 10, 64); err == nil {
			return n
		}
		return string(*a.Int)
	case a.Double != nil:
		if f, err := strconv.ParseFloat(string(*a.Double), 64); err == nil {
			return f
		}
		return string(*a.Double)
	case a.Array != nil:
		list := make([]any, len(a.Array.Values))
		for i, v := range a.Array.Values {
			list[i] = v.value()
		}
		return list
	case a.List != nil:
		m := map[string]any{}
		for _, at := range a.List.Values {
			m[at.Key] = at.Value.value()
		}
		return m
	case a.Bytes != nil:
		return *a.Bytes
	}
	return nil
}

func jsonAttributes(l []jsonAttribute) []attribute {
	out := make([]attribute, len(l))
	for i, a := range l {
		out[i] = attribute{a.Key, a.Value.value()}
	}
	return out
}

// decodeOTLPJSON makes events of a request in JSON; rejected are records that are broken.
func decodeOTLPJSON(b []byte) (events []Event, rejected int, err error) {
	var req jsonRequest
	if err := json.Unmarshal(b, &req); err != nil {
		return nil, 0, fmt.Errorf("the request is no ExportLogsServiceRequest: %w", err)
	}
	for _, rl := range req.ResourceLogs {
		rs := resource{jsonAttributes(rl.Resource.Attributes)}
		base := rs.fields()
		for _, sl := range rl.ScopeLogs {
			sc := scope{sl.Scope.Name, sl.Scope.Version}
			for _, raw := range sl.LogRecords {
				var r jsonRecord
				if json.Unmarshal(raw, &r) != nil {
					rejected++
					continue
				}
				rec := record{time: r.Time.uint(), observed: r.Observed.uint(), number: r.Number, level: r.Level, body: r.Body.value(),
					attributes: jsonAttributes(r.Attributes), trace: strings.ToLower(r.Trace), span: strings.ToLower(r.Span), name: r.Name}
				events = append(events, rec.event(base, sc, int64(len(raw))))
			}
		}
	}
	return events, rejected, nil
}
