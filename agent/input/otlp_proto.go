package input

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// errProto is a request that is no protobuf message.
var errProto = errors.New("the request is no ExportLogsServiceRequest")

// anyDepth bounds the nesting of values.
const anyDepth = 32

// each calls fn with every field of a message: num and, by type, the number or the bytes.
func each(b []byte, fn func(num protowire.Number, n uint64, v []byte) error) error {
	for len(b) > 0 {
		num, typ, k := protowire.ConsumeTag(b)
		if k < 0 {
			return errProto
		}
		b = b[k:]
		var n uint64
		var v []byte
		switch typ {
		case protowire.VarintType:
			n, k = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			n, k = protowire.ConsumeFixed64(b)
		case protowire.Fixed32Type:
			var n32 uint32
			n32, k = protowire.ConsumeFixed32(b)
			n = uint64(n32)
		case protowire.BytesType:
			v, k = protowire.ConsumeBytes(b)
			if k >= 0 && v == nil {
				v = []byte{}
			}
		default:
			k = protowire.ConsumeFieldValue(num, typ, b)
		}
		if k < 0 {
			return errProto
		}
		b = b[k:]
		if err := fn(num, n, v); err != nil {
			return err
		}
	}
	return nil
}

// decodeOTLP makes events of an ExportLogsServiceRequest; rejected are records that are broken.
func decodeOTLP(b []byte) (events []Event, rejected int, err error) {
	err = each(b, func(num protowire.Number, _ uint64, v []byte) error {
		if num != 1 || v == nil {
			return nil
		}
		more, bad, err := protoResource(v)
		events, rejected = append(events, more...), rejected+bad
		return err
	})
	return events, rejected, err
}

// protoResource reads a ResourceLogs. Its resource may stand behind its records.
func protoResource(b []byte) (events []Event, rejected int, err error) {
	var rs resource
	err = each(b, func(num protowire.Number, _ uint64, v []byte) error {
		if num == 1 && v != nil {
			return each(v, func(num protowire.Number, _ uint64, v []byte) error {
				return protoAttribute(&rs.attributes, num == 1, v)
			})
		}
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	base := rs.fields()
	err = each(b, func(num protowire.Number, _ uint64, v []byte) error {
		if num != 2 || v == nil {
			return nil
		}
		more, bad, err := protoScope(base, v)
		events, rejected = append(events, more...), rejected+bad
		return err
	})
	return events, rejected, err
}

// protoScope reads a ScopeLogs.
func protoScope(base map[string]any, b []byte) (events []Event, rejected int, err error) {
	var scope scope
	err = each(b, func(num protowire.Number, _ uint64, v []byte) error {
		if num != 1 || v == nil {
			return nil
		}
		return each(v, func(num protowire.Number, _ uint64, v []byte) error {
			switch num {
			case 1:
				scope.name = string(v)
			case 2:
				scope.version = string(v)
			}
			return nil
		})
	})
	if err != nil {
		return nil, 0, err
	}
	err = each(b, func(num protowire.Number, _ uint64, v []byte) error {
		if num != 2 || v == nil {
			return nil
		}
		r, err := protoRecord(v)
		if err != nil {
			rejected++
			return nil
		}
		events = append(events, r.event(base, scope, int64(len(v))))
		return nil
	})
	return events, rejected, err
}

// protoRecord reads a LogRecord.
func protoRecord(b []byte) (record, error) {
	var r record
	err := each(b, func(num protowire.Number, n uint64, v []byte) (err error) {
		switch num {
		case 1:
			r.time = n
		case 2:
			r.number = int(n)
		case 3:
			r.level = string(v)
		case 5:
			r.body, err = protoAny(v, 0)
		case 6:
			err = protoAttribute(&r.attributes, true, v)
		case 9:
			r.trace = hex.EncodeToString(v)
		case 10:
			r.span = hex.EncodeToString(v)
		case 11:
			r.observed = n
		case 12:
			r.name = string(v)
		}
		return err
	})
	return r, err
}

// protoAttribute appends a KeyValue.
func protoAttribute(to *[]attribute, is bool, b []byte) error {
	if !is || b == nil {
		return nil
	}
	a, err := protoKeyValue(b, 0)
	*to = append(*to, a)
	return err
}

func protoKeyValue(b []byte, depth int) (attribute, error) {
	var a attribute
	err := each(b, func(num protowire.Number, _ uint64, v []byte) (err error) {
		switch num {
		case 1:
			a.key = string(v)
		case 2:
			a.value, err = protoAny(v, depth)
		}
		return err
	})
	return a, err
}

// protoAny reads an AnyValue as Go's values.
func protoAny(b []byte, depth int) (out any, err error) {
	if depth > anyDepth {
		return nil, errProto
	}
	err = each(b, func(num protowire.Number, n uint64, v []byte) (err error) {
		switch num {
		case 1:
			out = string(v)
		case 2:
			out = n != 0
		case 3:
			out = int64(n)
		case 4:
			out = math.Float64frombits(n)
		case 5:
			list := []any{}
			err = each(v, func(_ protowire.Number, _ uint64, v []byte) error {
				e, err := protoAny(v, depth+1)
				list = append(list, e)
				return err
			})
			out = list
		case 6:
			m := map[string]any{}
			err = each(v, func(_ protowire.Number, _ uint64, v []byte) error {
				a, err := protoKeyValue(v, depth+1)
				m[a.key] = a.value
				return err
			})
			out = m
		case 7:
			out = base64.StdEncoding.EncodeToString(v)
		}
		return err
	})
	return out, err
}
