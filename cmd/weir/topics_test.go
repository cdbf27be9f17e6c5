package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/queue/kafka"
)

// TestTopicsAndGroups uses the commands on a broker as a person would.
func TestTopicsAndGroups(t *testing.T) {
	t.Parallel()
	cfg := broker.DefaultConfig()
	cfg.Dir, cfg.Listen = filepath.Join(t.TempDir(), "queue"), []string{"127.0.0.1:0"}
	cfg.Users, cfg.Authorize, cfg.SuperUsers = []broker.User{{Name: "ann", Password: "secret"}}, true, []string{"ann"}
	b, err := broker.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- b.Run(context.Background()) }()
	defer func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		<-done
	}()
	weir := func(want int, in string, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		all := append(args, "--queue", b.Addrs()[0].String(), "--username", "ann", "--password", "secret")
		if code := run(all, strings.NewReader(in), &out, &errs); code != want {
			t.Errorf("weir %s: code %d, want %d: %s", strings.Join(args, " "), code, want, errs.String())
		}
		return out.String() + errs.String()
	}
	has := func(text, want string) {
		t.Helper()
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	weir(0, "", "topics", "create", "orders", "--partitions", "2", "--config", "retention.ms=3600000")
	has(weir(1, "", "topics", "create", "orders"), "exists")
	has(weir(1, "", "topics", "create", "other", "--config", "no.such=1"), "no.such")
	weir(2, "", "topics", "create", "other", "--config", "x")
	var lines strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&lines, "key-%d:{\"n\":%d}\n", i%7, i)
	}
	has(weir(0, lines.String(), "topics", "produce", "orders", "--key-separator", ":", "--header", "from=test"), "3000 messages written")
	has(weir(1, "no separator\n", "topics", "produce", "orders", "--key-separator", ":"), "line 1")
	has(weir(0, "", "topics", "list"), "3000")
	if got := strings.Count(weir(0, "", "topics", "consume", "orders", "--from", "start", "-n", "0"), "\n"); got != 3000 {
		t.Errorf("%d messages consumed", got)
	}
	var m kafka.Message
	if err := json.Unmarshal([]byte(weir(0, "", "topics", "consume", "orders", "--key", "key-3", "-n", "1", "--format", "json")), &m); err != nil ||
		m.Key != "key-3" || m.ValueKind != kafka.KindJSON || len(m.Headers) != 1 {
		t.Errorf("message %+v, %v", m, err)
	}
	weir(2, "", "topics", "consume", "orders", "--format", "xml")
	has(weir(1, "", "topics", "describe", "none"), "unknown topic")
	weir(0, "", "topics", "alter", "orders", "--partitions", "3", "--config", "cleanup.policy=compact", "--unset", "retention.ms")
	has(weir(0, "", "topics", "describe", "orders"), "3 partitions")
	has(weir(0, "", "groups", "reset", "g", "--topic", "orders", "--to", "start"), "nothing was moved")
	weir(1, "", "groups", "describe", "g")
	weir(0, "", "groups", "reset", "g", "--topic", "orders", "--to", "100", "--yes")
	has(weir(0, "", "groups", "list"), "2800")
	var groups []kafka.GroupDetail
	if err := json.Unmarshal([]byte(weir(0, "", "groups", "describe", "g", "--json")), &groups); err != nil || groups[0].Lag != 2800 || len(groups[0].Offsets) != 3 {
		t.Errorf("groups %+v, %v", groups, err)
	}
	b.Keep("g") // as the node does for groups whose places its store keeps
	has(weir(1, "", "groups", "reset", "g", "--to", "end", "--yes"), "weir pipeline replay")
	has(weir(1, "", "groups", "delete", "g"), "weir pipeline replay")
	weir(0, "", "topics", "trim", "orders", "--before", "end")
	has(weir(0, "", "topics", "list"), " 0 ")
	weir(0, "", "topics", "delete", "orders")
	if out := weir(0, "", "topics", "list", "--json"); strings.Contains(out, "orders") {
		t.Errorf("the topic is still there: %s", out)
	}
	var out bytes.Buffer
	if code := run([]string{"topics", "list", "--queue", "127.0.0.1:1"}, nil, &out, &out); code != exitUnreachable {
		t.Errorf("nobody there: code %d, %s", code, out.String())
	}
	if code := run([]string{"topics", "list", "--queue", b.Addrs()[0].String(), "--username", "ann", "--password", "wrong"}, nil, &out, &out); code != exitFailed {
		t.Errorf("a wrong password: code %d, %s", code, out.String())
	}
}
