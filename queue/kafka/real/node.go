package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/queue/kafka/real/jvm"
	"github.com/weirlog/weir/queue/queuetest"
)

// The login of the second listener.
const (
	user     = "weir"
	password = "no-secret"
)

// scram is how the format tool is told a login.
func scram(mechanism string) string {
	return fmt.Sprintf("%s=[name=%s,password=%s]", mechanism, user, password)
}

// start formats and starts a node in dir.
func start(ctx context.Context, classpath, dir string) (*jvm.Process, []string, error) {
	a, err := freeAddrs()
	if err != nil {
		return nil, nil, err
	}
	conf, logConf := filepath.Join(dir, "server.properties"), filepath.Join(dir, "log4j2.properties")
	for path, text := range map[string]string{conf: properties(a, filepath.Join(dir, "data")), logConf: logging} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, nil, err
		}
	}
	base := []string{"-cp", classpath, "-Dlog4j2.configurationFile=" + logConf}
	tool := append(slices.Clone(base), "-Xmx128m", "kafka.tools.StorageTool")
	uuid, err := jvm.Tool(ctx, append(slices.Clone(tool), "random-uuid")...)
	if err != nil {
		return nil, nil, fmt.Errorf("make a cluster id: %w", err)
	}
	if _, err := jvm.Tool(ctx, append(slices.Clone(tool), "format", "-t", uuid, "-c", conf,
		"--add-scram", scram("SCRAM-SHA-256"), "--add-scram", scram("SCRAM-SHA-512"))...); err != nil {
		return nil, nil, fmt.Errorf("format: %w", err)
	}
	p, err := jvm.Start(filepath.Join(dir, "log"), append(base, "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", conf)...)
	if err != nil {
		return nil, nil, err
	}
	env := []string{"WEIR_KAFKA=" + a.plain, "WEIR_KAFKA_LOGIN=" + user + ":" + password + "@" + a.login}
	return p, env, p.Await(ctx, func(ctx context.Context) bool { return answers(ctx, a.plain) })
}

// answers reports whether the node answers ApiVersions and counts itself among the brokers, without which it makes no topics.
func answers(ctx context.Context, addr string) bool {
	cl, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.DisableClientMetrics())
	if err != nil {
		return false
	}
	defer cl.Close()
	versions, err := kmsg.NewPtrApiVersionsRequest().RequestWith(ctx, cl)
	if err != nil || versions.ErrorCode != 0 {
		return false
	}
	meta, err := kmsg.NewPtrMetadataRequest().RequestWith(ctx, cl)
	return err == nil && len(meta.Brokers) == 1
}

// addrs are the listeners of a node.
type addrs struct{ plain, login, controller string }

// freeAddrs are addresses nobody listens on. All are held while the others are chosen, so that they differ.
func freeAddrs() (a addrs, err error) {
	for _, addr := range []*string{&a.plain, &a.login, &a.controller} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return a, err
		}
		defer l.Close()
		*addr = l.Addr().String()
	}
	return a, nil
}

// properties is the configuration of a broker that is its own controller. Internal topics have one replica and few partitions; the
// cleaner's buffer, 128 MiB by default, fits the small heap.
func properties(a addrs, data string) string {
	const jaas, modules = "sasl.jaas.config=", "org.apache.kafka.common.security."
	return strings.Join([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@" + a.controller,
		"listeners=PLAINTEXT://" + a.plain + ",LOGIN://" + a.login + ",CONTROLLER://" + a.controller,
		"advertised.listeners=PLAINTEXT://" + a.plain + ",LOGIN://" + a.login,
		"controller.listener.names=CONTROLLER",
		"inter.broker.listener.name=PLAINTEXT",
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,LOGIN:SASL_PLAINTEXT",
		"sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
		"listener.name.login.scram-sha-256." + jaas + modules + "scram.ScramLoginModule required;",
		"listener.name.login.scram-sha-512." + jaas + modules + "scram.ScramLoginModule required;",
		"listener.name.login.plain." + jaas + modules + `plain.PlainLoginModule required user_` + user + `="` + password + `";`,
		"log.dirs=" + data,
		fmt.Sprintf("num.partitions=%d", queuetest.Partitions),
		"auto.create.topics.enable=true",
		"group.initial.rebalance.delay.ms=0",
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=2",
		"share.coordinator.state.topic.replication.factor=1",
		"share.coordinator.state.topic.min.isr=1",
		"log.cleaner.dedupe.buffer.size=16777216",
		"",
	}, "\n")
}

// logging sends the broker's warnings and errors to its output.
const logging = `status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=[%d] %p %m (%c)%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`
