package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirlog/weir/listen"
)

// QueueLogin says how the cluster that `queue` names is reached.
type QueueLogin struct {
	User, Password string
	Mechanism      string      // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	TLS            *listen.TLS // nil: plaintext
}

// BrokerUser may log in to the embedded queue.
type BrokerUser struct {
	Name, Password string
}

// BrokerTopic is a topic made at the start.
type BrokerTopic struct {
	Name       string
	Partitions int // 0: broker.partitions
	Configs    map[string]string
}

func (w *Weir) bindQueue(b *binder) {
	n := b.get("queue")
	if n == nil || n.Kind == Scalar {
		b.str("queue", &w.Queue)
	} else {
		q := b.sub("queue")
		q.str("at", &w.Queue)
		l := &w.QueueLogin
		q.str("username", &l.User)
		q.str("password", &l.Password)
		q.oneOf("mechanism", &l.Mechanism, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
		t := q.sub("tls")
		l.TLS = bindSideTLS(t)
		if l.TLS != nil {
			t.oneOf("verification_mode", &l.TLS.Verify, "full", "strict", "certificate", "none")
		} else {
			t.get("verification_mode")
		}
		t.done()
		q.done()
	}
	if w.Queue != "embedded" && !strings.HasPrefix(w.Queue, "kafka://") {
		b.f.fail(n.Pos, len(w.Queue), "embedded, or kafka://host:9092", "queue: %q is not known", w.Queue)
	}
}

// bindSideTLS reads what both sides of a connection may say; nil when the section is not there. Relative paths are those of the file's
// folder.
func bindSideTLS(b *binder) *listen.TLS {
	t := &listen.TLS{}
	b.str("certificate", &t.Certificate)
	b.str("key", &t.Key)
	b.str("key_passphrase", &t.Passphrase)
	b.strs("certificate_authorities", &t.Authorities)
	if len(b.n.Keys) == 0 {
		return nil
	}
	for _, p := range []*string{&t.Certificate, &t.Key} {
		*p = beside(b.f, *p)
	}
	for i := range t.Authorities {
		t.Authorities[i] = beside(b.f, t.Authorities[i])
	}
	return t
}

// beside is a path as the file means it: relative ones are in the file's folder.
func beside(f *file, p string) string {
	if p == "" || filepath.IsAbs(p) || strings.Contains(p, "-----BEGIN") {
		return p
	}
	return filepath.Join(filepath.Dir(f.name), p)
}

func (w *Weir) bindBroker(b *binder) {
	b.integer("partitions", &w.Broker.Partitions)
	if w.Broker.Partitions < 1 || w.Broker.Partitions > 1000 {
		b.f.fail(b.keyPos("partitions"), len("partitions"), "", "broker.partitions: %d is not between 1 and 1000", w.Broker.Partitions)
	}
	auto := b.sub("auto")
	auto.boolean("create", &w.Broker.AutoCreate)
	auto.done()
	b.str("advertise", &w.Broker.Advertise)
	r := b.sub("retention")
	r.duration("max_age", &w.Broker.RetentionAge)
	r.size("max_bytes", &w.Broker.RetentionBytes)
	r.done()
	s := b.sub("segment")
	s.size("bytes", &w.Broker.SegmentBytes)
	s.done()
	b.strs("pins", &w.Broker.Pins)
	d := b.sub("disk")
	d.size("budget", &w.Broker.DiskBudget)
	d.size("floor", &w.Broker.DiskFloor)
	d.oneOf("when_full", &w.Broker.WhenFull, "refuse", "drop-oldest")
	d.done()
	w.bindBrokerSecurity(b)
	for i, n := range b.list("topics") {
		w.bindBrokerTopic(b.f.bind(n, fmt.Sprintf("broker.topics[%d]", i)))
	}
	b.done()
}

func (w *Weir) bindBrokerSecurity(b *binder) {
	t := b.sub("tls")
	w.Broker.TLS = bindSideTLS(t)
	if w.Broker.TLS != nil {
		t.oneOf("client_authentication", &w.Broker.TLS.Client, "none", "optional", "required")
		if w.Broker.TLS.Certificate == "" || w.Broker.TLS.Key == "" {
			b.f.fail(b.keyPos("tls"), len("tls"), "", "broker.tls: certificate and key are both needed")
		}
	} else {
		t.get("client_authentication")
	}
	t.done()
	sasl := b.sub("sasl")
	for i, n := range sasl.list("users") {
		ub := b.f.bind(n, fmt.Sprintf("broker.sasl.users[%d]", i))
		var u BrokerUser
		ub.str("name", &u.Name)
		ub.str("password", &u.Password)
		ub.done()
		if u.Name == "" || u.Password == "" {
			b.f.fail(n.Pos, 1, "", "broker.sasl.users[%d]: name and password are both needed", i)
		}
		w.Broker.Users = append(w.Broker.Users, u)
	}
	sasl.strs("super_users", &w.Broker.SuperUsers)
	for _, name := range w.Broker.SuperUsers {
		if !slices.ContainsFunc(w.Broker.Users, func(u BrokerUser) bool { return u.Name == name }) {
			b.f.fail(sasl.keyPos("super_users"), len("super_users"), "", "broker.sasl.super_users: %q is no user of broker.sasl.users", name)
		}
	}
	sasl.boolean("allow_unlisted", &w.Broker.AllowUnlisted)
	sasl.done()
}

func (w *Weir) bindBrokerTopic(b *binder) {
	t := BrokerTopic{Configs: map[string]string{}}
	b.str("name", &t.Name)
	b.integer("partitions", &t.Partitions)
	configs := map[string]any{}
	b.plain("configs", &configs)
	dotted("", configs, t.Configs)
	b.done()
	if t.Name == "" {
		b.f.fail(b.n.Pos, 1, "", "broker.topics: a topic has no name")
	}
	w.Broker.Topics = append(w.Broker.Topics, t)
}

// dotted undoes what reading did to dotted names: {cleanup: {policy: compact}} is cleanup.policy.
func dotted(prefix string, from map[string]any, to map[string]string) {
	for k, v := range from {
		if m, ok := v.(map[string]any); ok {
			dotted(prefix+k+".", m, to)
		} else {
			to[prefix+k] = fmt.Sprint(v)
		}
	}
}
