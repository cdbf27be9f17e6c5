package broker

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/weirlog/weir/vfs"
)

// loggedIn is a client of b.
func loggedIn(t *testing.T, b *Broker, m sasl.Mechanism, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append(opts, kgo.SeedBrokers(b.Addrs()[0].String()), kgo.SASL(m), kgo.RetryTimeout(5*time.Second))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func securedConfig(t *testing.T) Config {
	cfg := testConfig(t)
	cfg.FS, cfg.Dir, cfg.Listen, cfg.Partitions = vfs.NewMem(), "/queue", []string{"127.0.0.1:0"}, 1
	cfg.Users = []User{{"root", "root-secret"}, {"bob", "bob-secret"}}
	cfg.Authorize, cfg.SuperUsers = true, []string{"root"}
	return cfg
}

// TestACLs: who is not a super user may do what the lists say, and nothing else; lists and credentials outlive a restart.
func TestACLs(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := securedConfig(t)
	b := open(t, cfg)
	root := kadm.NewClient(loggedIn(t, b, plain.Auth{User: "root", Pass: "root-secret"}.AsMechanism()))
	if _, err := root.CreateTopics(ctx, 1, 1, nil, "logs", "secret"); err != nil {
		t.Fatal(err)
	}
	if _, err := root.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "eve", Mechanism: kadm.ScramSha512, Iterations: 4096, Password: "eve-secret"}}); err != nil {
		t.Fatal(err)
	}
	rules := kadm.NewACLs().Topics("logs").ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:bob").AllowHosts("*").Operations(kadm.OpRead, kadm.OpWrite)
	made, err := root.CreateACLs(ctx, rules)
	if err != nil || len(made) != 2 || made[0].Err != nil {
		t.Fatal(made, err)
	}
	bob := loggedIn(t, b, scram.Auth{User: "bob", Pass: "bob-secret"}.AsSha256Mechanism(), kgo.ConsumeTopics("logs"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err := bob.ProduceSync(ctx, &kgo.Record{Topic: "logs", Value: []byte("x")}).FirstErr(); err != nil {
		t.Errorf("bob writes logs: %v", err)
	}
	if n := bob.PollFetches(ctx).NumRecords(); n != 1 {
		t.Errorf("bob reads %d records", n)
	}
	if err := bob.ProduceSync(ctx, &kgo.Record{Topic: "secret", Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("bob writes secret: %v", err)
	}
	adm := kadm.NewClient(bob)
	topics, err := adm.ListTopics(ctx)
	if err != nil || !slices.Equal(topics.Names(), []string{"logs"}) {
		t.Errorf("bob sees %v, %v", topics.Names(), err)
	}
	if _, err := adm.DeleteTopic(ctx, "logs"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("bob deletes logs: %v", err)
	}
	if _, err := adm.CreateTopic(ctx, 1, 1, nil, "new"); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("bob creates a topic: %v", err)
	}
	if _, err := adm.CreateACLs(ctx, rules); err == nil {
		if made, _ := adm.CreateACLs(ctx, rules); !errors.Is(made[0].Err, kerr.ClusterAuthorizationFailed) {
			t.Errorf("bob makes lists: %v", made)
		}
	}
	eve := loggedIn(t, b, scram.Auth{User: "eve", Pass: "eve-secret"}.AsSha512Mechanism())
	if err := eve.ProduceSync(ctx, &kgo.Record{Topic: "logs", Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("eve writes logs: %v", err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b = open(t, cfg)
	root = kadm.NewClient(loggedIn(t, b, plain.Auth{User: "root", Pass: "root-secret"}.AsMechanism()))
	users, err := root.DescribeUserSCRAMs(ctx)
	if err != nil || len(users) != 1 || users["eve"].CredInfos[0].Iterations != 4096 {
		t.Errorf("users after a restart: %v, %v", users, err)
	}
	described, err := root.DescribeACLs(ctx, kadm.NewACLs().Topics("logs").ResourcePatternType(kadm.ACLPatternMatch).Allow().AllowHosts().Deny().DenyHosts().Operations())
	if err != nil || len(described) == 0 || len(described[0].Described) != 2 {
		t.Errorf("lists after a restart: %v, %v", described, err)
	}
	gone, err := root.DeleteACLs(ctx, kadm.NewACLs().Topics("logs").ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:bob").AllowHosts("*").Operations(kadm.OpWrite))
	if err != nil || len(gone[0].Deleted) != 1 {
		t.Errorf("deleted %v, %v", gone, err)
	}
	bob = loggedIn(t, b, scram.Auth{User: "bob", Pass: "bob-secret"}.AsSha256Mechanism())
	if err := bob.ProduceSync(ctx, &kgo.Record{Topic: "logs", Value: []byte("x")}).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) && !errors.Is(err, kerr.ClusterAuthorizationFailed) {
		t.Errorf("bob writes logs without permission: %v", err)
	}
}

// TestEveryRequestIsGuarded: a user without any permission gets a refusal from every request that is about a resource.
func TestEveryRequestIsGuarded(t *testing.T) {
	t.Parallel()
	b := memBroker(t, func(c *Config) { c.Authorize = true })
	create(t, b, "t", 1)
	id := "tx"
	open := map[int16]string{
		3: "answers for each topic", 16: "lists what may be seen", 17: "login", 18: "versions", 36: "login", 51: "no user is named", 60: "addresses", 66: "lists what may be seen",
	}
	refusals := []int16{errTopicDenied, errGroupDenied, errClusterDenied, errTransactionalIDDenied}
	for _, a := range apiTable() {
		if open[a.key] != "" {
			continue
		}
		w := dial(t, b)
		req := kmsg.RequestForKey(a.key)
		req.SetVersion(a.max)
		sampleRequests()[a.key](req, a.max)
		named(req, b.topics.get("t").id)
		switch r := req.(type) {
		case *kmsg.DeleteTopicsRequest:
			r.Topics = []kmsg.DeleteTopicsRequestTopic{{Topic: &id}}
		case *kmsg.DescribeLogDirsRequest:
			if resp := ask[*kmsg.DescribeLogDirsResponse](w, req); resp.ErrorCode != errClusterDenied {
				t.Errorf("%s: code %d", a.name, resp.ErrorCode)
			}
			continue
		}
		resp := w.call(req)
		var code int16
		switch r := resp.(type) {
		case *kmsg.DeleteTopicsResponse:
			code = r.Topics[0].ErrorCode
		case *kmsg.ElectLeadersResponse:
			code = r.ErrorCode
		case *kmsg.OffsetFetchResponse:
			code = r.Groups[0].ErrorCode
		case *kmsg.ListPartitionReassignmentsResponse:
			code = r.ErrorCode
		default:
			code = firstCode(resp)
		}
		if !slices.Contains(refusals, code) {
			t.Errorf("%s: code %d", a.name, code)
		}
	}
	if b.topics.get("tx") != nil {
		t.Error("a topic was made")
	}
}
