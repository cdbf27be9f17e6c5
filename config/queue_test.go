package config

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestQueueSettings: the Kafka port's security and topics, and the login of a cluster elsewhere.
func TestQueueSettings(t *testing.T) {
	t.Parallel()
	w, err := ParseWeir("/etc/weir/weir.yml", []byte(`
queue: {at: "kafka://a:9092,b:9092", username: ann, password: secret, mechanism: PLAIN, tls: {certificate_authorities: [ca.pem], verification_mode: certificate}}
broker:
  pins: [billing]
  disk: {budget: 10GiB, floor: 1GiB, when_full: drop-oldest}
  tls: {certificate: cert.pem, key: /keys/key.pem, client_authentication: optional}
  sasl: {users: [{name: root, password: a}, {name: app, password: b}], super_users: [root], allow_unlisted: true}
  topics:
    - {name: orders, partitions: 3, configs: {cleanup.policy: compact, retention.ms: 3600000}}
`), env)
	if err != nil {
		t.Fatal(err)
	}
	l := w.QueueLogin
	if w.Queue != "kafka://a:9092,b:9092" || l.User != "ann" || l.Password != "secret" || l.Mechanism != "PLAIN" || l.TLS == nil || l.TLS.Authorities[0] != "/etc/weir/ca.pem" || l.TLS.Verify != "certificate" {
		t.Errorf("queue %q, %+v", w.Queue, l)
	}
	b := w.Broker
	if b.TLS == nil || b.TLS.Certificate != "/etc/weir/cert.pem" || b.TLS.Key != "/keys/key.pem" || b.TLS.Client != "optional" {
		t.Errorf("tls %+v", b.TLS)
	}
	if len(b.Users) != 2 || b.Users[1] != (BrokerUser{"app", "b"}) || !slices.Equal(b.SuperUsers, []string{"root"}) || !b.AllowUnlisted {
		t.Errorf("users %+v, super users %v", b.Users, b.SuperUsers)
	}
	if b.DiskBudget != 10<<30 || b.DiskFloor != 1<<30 || b.WhenFull != "drop-oldest" || b.Pins[0] != "billing" {
		t.Errorf("disk %d, %d, %s, pins %v", b.DiskBudget, b.DiskFloor, b.WhenFull, b.Pins)
	}
	if len(b.Topics) != 1 || b.Topics[0].Partitions != 3 || !maps.Equal(b.Topics[0].Configs, map[string]string{"cleanup.policy": "compact", "retention.ms": "3600000"}) {
		t.Errorf("topics %+v", b.Topics)
	}
	if w, err = ParseWeir("weir.yml", []byte("queue: kafka://c:9092"), env); err != nil || w.Queue != "kafka://c:9092" || w.QueueLogin.TLS != nil {
		t.Errorf("short form: %q, %v", w.Queue, err)
	}
	for text, want := range map[string]string{
		"queue: {at: redis}":                                   "is not known",
		"broker: {tls: {certificate: a}}":                      "certificate and key",
		"broker: {sasl: {users: [{name: a}]}}":                 "name and password",
		"broker: {sasl: {super_users: [ghost]}}":               "is no user",
		"broker: {disk: {when_full: explode}}":                 "when_full",
		"broker: {topics: [{partitions: 2}]}":                  "no name",
		"broker: {sasl: {users: [{name: a, pasword: b}]}}":     "unknown setting",
		"queue: {at: embedded, tls: {verification_mod: none}}": "unknown setting",
	} {
		if _, err := ParseWeir("weir.yml", []byte(text), env); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
