package config

import (
	"io/fs"
	"net"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/listen"
)

// listenerInputs are the input types that are no files.
func listenerInputs() []string {
	return []string{"tcp", "udp", "unix", "syslog", "http_endpoint", "beats", "lumberjack", "otlp", "journald", "kafka"}
}

// bindListener reads the keys of an input that is no files; nil for another type.
func bindListener(b *binder, typ string, warnings *[]Warning) input.Config {
	switch typ {
	case "tcp":
		return bindTCP(b, warnings)
	case "udp":
		return bindUDP(b)
	case "unix":
		return bindUnix(b)
	case "syslog":
		return bindSyslog(b, warnings)
	case "http_endpoint":
		return bindHTTPEndpoint(b, warnings)
	case "beats", "lumberjack":
		return bindBeats(b, warnings)
	case "otlp":
		return bindOTLP(b, warnings)
	case "journald":
		return bindJournald(b, warnings)
	case "kafka":
		return bindKafkaInput(b, warnings)
	}
	return nil
}

// bindAddress reads host, which is host:port.
func bindAddress(b *binder, to *input.Bind, warnings *[]Warning) {
	b.str("host", &to.Address)
	if n := b.get("host"); n == nil && to.Address == "" {
		b.f.fail(b.n.Pos, 1, `add host: "127.0.0.1:9000"`, "%s has no host", orRoot(b.path))
	} else if n != nil {
		if _, _, err := net.SplitHostPort(to.Address); err != nil {
			b.f.fail(n.Pos, len(to.Address), "write it as 127.0.0.1:9000", "%s: %q is not host:port", b.name("host"), to.Address)
		}
	}
	to.TLS = bindTLS(b.sub("ssl"), warnings)
}

func bindFramed(b *binder, f *input.Framed) {
	b.oneOf("framing", &f.Framing, "delimiter", "rfc6587")
	b.str("line_delimiter", &f.Delimiter)
	b.size("max_message_size", &f.MaxMessage)
	b.integer("max_connections", &f.MaxConnections)
	b.duration("timeout", &f.Timeout)
	b.ignore("number_of_workers", "keep_alive")
}

func bindTCP(b *binder, warnings *[]Warning) *input.TCPConfig {
	c := input.DefaultTCP()
	bindAddress(b, &c.Bind, warnings)
	bindFramed(b, &c.Framed)
	b.oneOf("network", &c.Network, "tcp", "tcp4", "tcp6")
	return c
}

func bindUDP(b *binder) *input.UDPConfig {
	c := input.DefaultUDP()
	var none []Warning
	bindAddress(b, &c.Bind, &none)
	b.size("max_message_size", &c.MaxMessage)
	b.size("read_buffer", &c.ReadBuffer)
	b.oneOf("network", &c.Network, "udp", "udp4", "udp6")
	b.ignore("timeout", "number_of_workers")
	return c
}

func bindUnix(b *binder) *input.UnixConfig {
	c := input.DefaultUnix()
	b.str("path", &c.Path)
	b.str("group", &c.Group)
	b.oneOf("socket_type", &c.SocketType, "stream", "datagram")
	mode := ""
	b.str("mode", &mode)
	if mode != "" {
		n, err := strconv.ParseUint(mode, 8, 32)
		if err != nil || n > 0o777 {
			b.f.fail(b.get("mode").Pos, len(mode), `write it as "0755"`, "%s: %q is no mode", b.name("mode"), mode)
		}
		c.Mode = fs.FileMode(n)
	}
	bindFramed(b, &c.Framed)
	return c
}

func bindSyslog(b *binder, warnings *[]Warning) *input.SyslogConfig {
	c := input.DefaultSyslog()
	b.oneOf("format", &c.Format, "rfc3164", "rfc5424", "auto")
	b.str("timezone", &c.Timezone)
	p := b.sub("protocol")
	if p.has("tcp") {
		t := p.sub("tcp")
		c.TCP = bindTCP(t, warnings)
		t.done()
	}
	if p.has("udp") {
		u := p.sub("udp")
		c.UDP = bindUDP(u)
		u.done()
	}
	if p.has("unix") {
		u := p.sub("unix")
		c.Unix = bindUnix(u)
		u.done()
	}
	if len(p.n.Keys) != 1 {
		b.f.fail(b.keyPos("protocol"), len("protocol"), `write protocol.udp: {host: "127.0.0.1:514"}`, "%s needs one of protocol.udp, protocol.tcp, protocol.unix", b.path)
	}
	p.done()
	return c
}

func bindHTTPEndpoint(b *binder, warnings *[]Warning) *input.HTTPConfig {
	c := input.DefaultHTTP()
	host, port := "127.0.0.1", 8000
	b.str("listen_address", &host)
	b.integer("listen_port", &port)
	c.Address = input.HostPort(host, port)
	c.TLS = bindTLS(b.sub("ssl"), warnings)
	b.str("url", &c.URL)
	b.str("prefix", &c.Prefix)
	b.str("content_type", &c.ContentType)
	b.oneOf("method", &c.Method, "POST", "PUT", "PATCH")
	b.boolean("basic_auth", &c.BasicAuth)
	b.str("username", &c.Username)
	b.str("password", &c.Password)
	s := b.sub("secret")
	s.str("header", &c.SecretHeader)
	s.str("value", &c.SecretValue)
	s.done()
	h := b.sub("hmac")
	h.str("header", &c.HMACHeader)
	h.str("key", &c.HMACKey)
	h.oneOf("type", &c.HMACType, "sha256", "sha1")
	h.str("prefix", &c.HMACPrefix)
	h.done()
	b.strs("include_headers", &c.IncludeHeaders)
	b.boolean("preserve_original_event", &c.PreserveOriginal)
	b.integer("response_code", &c.ResponseCode)
	b.str("response_body", &c.ResponseBody)
	b.size("max_body_bytes", &c.MaxBody)
	b.size("max_in_flight_bytes", &c.MaxInFlight)
	b.ignore("retry_after", "high_water_in_flight_bytes", "low_water_in_flight_bytes")
	b.refuse("program", "send the events to a pipeline")
	b.refuse("crc", "the sender's check is not known here")
	b.refuse("tracer", "weir does not write requests to files")
	for _, k := range []string{"options_headers", "options_response_code"} {
		b.refuse(k, "OPTIONS requests are not answered")
	}
	return c
}

func bindBeats(b *binder, warnings *[]Warning) *input.BeatsConfig {
	c := input.DefaultBeats()
	if b.has("listen_address") { // Filebeat's lumberjack input
		b.str("listen_address", &c.Address)
	}
	bindAddress(b, &c.Bind, warnings)
	b.integer("max_connections", &c.MaxConnections)
	b.duration("timeout", &c.Idle)
	b.duration("keepalive", &c.KeepAlive)
	b.ignore("versions")
	return c
}

func bindOTLP(b *binder, warnings *[]Warning) *input.OTLPConfig {
	c := input.DefaultOTLP()
	for key, to := range map[string]**input.Bind{"http": &c.HTTP, "grpc": &c.GRPC} {
		on := true
		s := b.sub(key)
		s.boolean("enabled", &on)
		bindAddress(s, *to, warnings)
		s.done()
		if !on {
			*to = nil
		}
	}
	s := b.sub("secret")
	s.str("header", &c.SecretHeader)
	s.str("value", &c.SecretValue)
	s.done()
	b.size("max_body_bytes", &c.MaxBody)
	b.size("max_in_flight_bytes", &c.MaxInFlight)
	return c
}

func bindJournald(b *binder, warnings *[]Warning) *input.JournaldConfig {
	c := input.DefaultJournald()
	b.strs("paths", &c.Paths)
	b.oneOf("seek", &c.Seek, "head", "tail", "since", "cursor")
	if c.Seek == "cursor" { // the default of old: where it was, else the head
		c.Seek = "head"
	}
	b.oneOf("cursor_seek_fallback", &c.Seek, "head", "tail", "since")
	b.duration("since", &c.Since)
	b.strs("units", &c.Units)
	b.strs("syslog_identifiers", &c.Identifiers)
	b.strs("transports", &c.Transports)
	b.strs("facilities", &c.Facilities)
	if b.has("include_matches") {
		if n := b.get("include_matches"); n.Kind == List || n.Kind == Scalar {
			b.strs("include_matches", &c.Matches)
		} else {
			m := b.sub("include_matches")
			m.strs("match", &c.Matches)
			m.refuse("and", "list FIELD=VALUE under include_matches.match")
			m.refuse("or", "use an input for each side")
			m.refuse("equals", "list FIELD=VALUE under include_matches.match")
			m.done()
		}
	}
	b.duration("backoff", &c.Backoff)
	b.duration("max_backoff", &c.MaxBackoff)
	b.warn("save_remote_hostname", "the fields are not set", warnings)
	b.ignore("merge")
	b.refuse("chroot", "name the journal's folder in paths")
	return c
}

func bindKafkaInput(b *binder, warnings *[]Warning) *input.KafkaConfig {
	c := input.DefaultKafka()
	b.strs("hosts", &c.Hosts)
	b.strs("topics", &c.Topics)
	b.str("group_id", &c.Group)
	b.str("client_id", &c.ClientID)
	b.oneOf("initial_offset", &c.InitialOffset, "oldest", "newest")
	b.str("username", &c.User)
	b.str("password", &c.Password)
	s := b.sub("sasl")
	s.oneOf("mechanism", &c.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
	s.done()
	c.TLS = bindTLS(b.sub("ssl"), warnings)
	b.ignore("version", "connect_backoff", "consume_backoff", "wait_close", "max_wait_time", "fetch", "rebalance", "isolation_level")
	b.refuse("kerberos", "use SCRAM")
	b.refuse("expand_event_list_from_field", "split events in a pipeline")
	b.refuse("parsers", "parse events in a pipeline")
	return c
}

// bindTLS reads ssl.*; nil when it is not there or switched off. Relative paths are those of the file's folder.
func bindTLS(b *binder, warnings *[]Warning) *listen.TLS {
	t := &listen.TLS{}
	on := len(b.n.Keys) > 0
	b.boolean("enabled", &on)
	b.oneOf("verification_mode", &t.Verify, "full", "strict", "certificate", "none")
	b.strs("supported_protocols", &t.Versions)
	b.strs("certificate_authorities", &t.Authorities)
	b.str("certificate", &t.Certificate)
	b.str("key", &t.Key)
	b.str("key_passphrase", &t.Passphrase)
	b.strs("cipher_suites", &t.Ciphers)
	b.strs("curve_types", &t.Curves)
	b.str("ca_trusted_fingerprint", &t.Fingerprint)
	b.oneOf("client_authentication", &t.Client, "none", "optional", "required")
	b.refuse("key_passphrase_path", "give the passphrase as key_passphrase, from a variable")
	b.refuse("ca_sha256", "use ca_trusted_fingerprint")
	b.warn("restart_on_cert_change", "certificates are read at the start", warnings)
	b.ignore("renegotiation")
	b.done()
	if !on {
		return nil
	}
	local := func(p string) string {
		if p == "" || filepath.IsAbs(p) || strings.Contains(p, "-----BEGIN") {
			return p
		}
		return filepath.Join(filepath.Dir(b.f.name), p)
	}
	t.Certificate, t.Key = local(t.Certificate), local(t.Key)
	for i := range t.Authorities {
		t.Authorities[i] = local(t.Authorities[i])
	}
	return t
}
