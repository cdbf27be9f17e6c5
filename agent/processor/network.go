package processor

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/weirlog/weir/agent/tree"
)

// compileNetworkDirection is add_network_direction: inbound, outbound, internal or external by the networks that are internal.
func compileNetworkDirection(args arguments) (run, error) {
	source, err1 := args.required("source")
	destination, err2 := args.required("destination")
	target, err3 := args.required("target")
	internal, ok := args.get("internal_networks")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if !ok {
		return nil, errors.New("internal_networks: missing")
	}
	inside, err := compileNetwork(internal)
	if err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		from, ok1 := ev.Get(source)
		to, ok2 := ev.Get(destination)
		if !ok1 || !ok2 {
			return nil
		}
		direction := "external"
		switch in, out := inside(from), inside(to); {
		case in && out:
			direction = "internal"
		case in:
			direction = "outbound"
		case out:
			direction = "inbound"
		}
		put(ev, target, direction)
		return nil
	}, nil
}

func compileRegisteredDomain(args arguments) (run, error) {
	field, err1 := args.required("field")
	target, err2 := args.required("target_field")
	etld, err3 := args.text("target_etld_field", "")
	sub, err4 := args.text("target_subdomain_field", "")
	missingOK, err5 := args.flag("ignore_missing", false)
	lax, err6 := args.flag("ignore_failure", false)
	if _, err := args.text("id", ""); err != nil {
		return nil, err
	}
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		s, done, err := textField(ev, field, missingOK || lax)
		if done {
			if err == nil || lax {
				return nil
			}
			return fail(ev, "registered_domain: %w", err)
		}
		domain := strings.TrimRight(s, ".")
		registered, err := publicsuffix.EffectiveTLDPlusOne(domain)
		if err != nil {
			if lax {
				return nil
			}
			return fail(ev, "registered_domain: %w", err)
		}
		put(ev, target, registered)
		if etld != "" {
			suffix, _ := publicsuffix.PublicSuffix(domain)
			put(ev, etld, suffix)
		}
		if left := strings.TrimSuffix(domain, registered); sub != "" && left != "" {
			put(ev, sub, strings.TrimSuffix(left, "."))
		}
		return nil
	}, nil
}

// protocols are the transports of community_id by name.
func protocolOf(v any) (uint8, bool) {
	if n, ok := number(v); ok && n > 0 && n < 256 {
		return uint8(n), true
	}
	s, _ := v.(string)
	switch strings.ToLower(s) {
	case "icmp":
		return 1, true
	case "igmp":
		return 2, true
	case "tcp":
		return 6, true
	case "udp":
		return 17, true
	case "gre":
		return 47, true
	case "icmp6", "icmpv6", "ipv6-icmp":
		return 58, true
	case "sctp":
		return 132, true
	}
	return 0, false
}

// flowFields name the fields of community_id.
type flowFields struct {
	sourceIP, sourcePort, destinationIP, destinationPort, number, transport, icmpType, icmpCode string
}

// compileCommunityID is community_id, version 1: the Base64 of a SHA-1 of the flow, the same in both directions.
func compileCommunityID(args arguments) (run, error) {
	names := flowFields{"source.ip", "source.port", "destination.ip", "destination.port", "network.iana_number", "network.transport", "icmp.type", "icmp.code"}
	if v, ok := args.get("fields"); ok {
		m, _ := v.(map[string]any)
		for key, to := range map[string]*string{
			"source_ip": &names.sourceIP, "source_port": &names.sourcePort, "destination_ip": &names.destinationIP, "destination_port": &names.destinationPort,
			"iana_number": &names.number, "transport": &names.transport, "icmp_type": &names.icmpType, "icmp_code": &names.icmpCode,
		} {
			if s, ok := m[key].(string); ok {
				*to = s
			}
		}
	}
	target, err1 := args.text("target", "network.community_id")
	seed, err2 := args.number("seed", 0)
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if seed < 0 || seed > 65535 {
		return nil, fmt.Errorf("seed: %d is not between 0 and 65535", seed)
	}
	return func(ev *tree.Event) error {
		if id, ok := names.community(ev, uint16(seed)); ok {
			put(ev, target, id)
		}
		return nil
	}, nil
}

// community is the id of the event's flow; ok is false when the event has none.
func (f *flowFields) community(ev *tree.Event, seed uint16) (id string, ok bool) {
	addr := func(name string) (netip.Addr, bool) {
		v, _ := ev.Get(name)
		s, _ := v.(string)
		a, err := netip.ParseAddr(s)
		return a.Unmap(), err == nil
	}
	value := func(name string) (uint16, bool) {
		v, ok := ev.Get(name)
		n, isNumber := number(v)
		return uint16(n), ok && isNumber && n >= 0 && n < 65536
	}
	src, ok1 := addr(f.sourceIP)
	dst, ok2 := addr(f.destinationIP)
	v, okProto := ev.Get(f.number)
	if !okProto {
		v, okProto = ev.Get(f.transport)
	}
	proto, ok3 := protocolOf(v)
	if !ok1 || !ok2 || !okProto || !ok3 || src.Is4() != dst.Is4() {
		return "", false
	}
	var sp, dp uint16
	oneWay, hasPorts := false, false
	switch proto {
	case 1, 58:
		typ, ok := value(f.icmpType)
		if !ok {
			return "", false
		}
		code, _ := value(f.icmpCode)
		sp, dp, oneWay = icmpPorts(proto, typ, code)
		hasPorts = true
	case 6, 17, 132:
		var ok1, ok2 bool
		sp, ok1 = value(f.sourcePort)
		dp, ok2 = value(f.destinationPort)
		if !ok1 || !ok2 {
			return "", false
		}
		hasPorts = true
	}
	if c := src.Compare(dst); !oneWay && (c > 0 || c == 0 && sp > dp) {
		src, dst, sp, dp = dst, src, dp, sp
	}
	b := binary.BigEndian.AppendUint16(nil, seed)
	b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
	b = append(b, proto, 0)
	if hasPorts {
		b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, sp), dp)
	}
	sum := sha1.Sum(b)
	return "1:" + base64.StdEncoding.EncodeToString(sum[:]), true
}

// icmpPairs are types that answer each other.
var icmpPairs = map[uint8]map[uint16]uint16{
	1:  {0: 8, 8: 0, 13: 14, 14: 13, 15: 16, 16: 15, 10: 9, 9: 10, 17: 18, 18: 17},
	58: {128: 129, 129: 128, 133: 134, 134: 133, 135: 136, 136: 135, 130: 131, 131: 130, 144: 145, 145: 144},
}

// icmpPorts are what stands for ports: the type and the one it answers, or type and code of a message that has no answer.
func icmpPorts(proto uint8, typ, code uint16) (sp, dp uint16, oneWay bool) {
	if other, ok := icmpPairs[proto][typ]; ok {
		return typ, other, false
	}
	return typ, code, true
}

// mimeType is what a text looks like; "" when that is nothing in particular.
func mimeType(s string) string {
	t := strings.TrimSpace(s)
	if strings.HasPrefix(t, "{") && strings.HasSuffix(t, "}") || strings.HasPrefix(t, "[") && strings.HasSuffix(t, "]") {
		return "application/json"
	}
	typ := http.DetectContentType([]byte(s))
	if typ == "application/octet-stream" {
		return ""
	}
	return typ
}
