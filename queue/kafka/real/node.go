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

// start formats and starts a node in dir.
func start(ctx context.Context, classpath, dir string) (*jvm.Process, string, error) {
	addr, controller, err := freeAddrs()
	if err != nil {
		return nil, "", err
	}
	conf, logConf := filepath.Join(dir, "server.properties"), filepath.Join(dir, "log4j2.properties")
	for path, text := range map[string]string{conf: properties(addr, controller, filepath.Join(dir, "data")), logConf: logging} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return nil, "", err
		}
	}
	base := []string{"-cp", classpath, "-Dlog4j2.configurationFile=" + logConf}
	tool := append(slices.Clone(base), "-Xmx128m", "kafka.tools.StorageTool")
	uuid, err := jvm.Tool(ctx, append(slices.Clone(tool), "random-uuid")...)
	if err != nil {
		return nil, "", fmt.Errorf("make a cluster id: %w", err)
	}
	if _, err := jvm.Tool(ctx, append(slices.Clone(tool), "format", "-t", uuid, "-c", conf)...); err != nil {
		return nil, "", fmt.Errorf("format: %w", err)
	}
	p, err := jvm.Start(filepath.Join(dir, "log"), append(base, "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", conf)...)
	if err != nil {
		return nil, "", err
	}
	return p, addr, p.Await(ctx, func(ctx context.Context) bool { return answers(ctx, addr) })
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

// freeAddrs are two addresses nobody listens on. Both are held while the other is chosen, so that they differ.
func freeAddrs() (a, b string, err error) {
	la, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer la.Close()
	lb, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	defer lb.Close()
	return la.Addr().String(), lb.Addr().String(), nil
}

// properties is the configuration of a broker that is its own controller. Internal topics have one replica and few partitions; the
// cleaner's buffer, 128 MiB by default, fits the small heap.
func properties(addr, controller, data string) string {
	return strings.Join([]string{
		"process.roles=broker,controller",
		"node.id=1",
		"controller.quorum.voters=1@" + controller,
		"listeners=PLAINTEXT://" + addr + ",CONTROLLER://" + controller,
		"advertised.listeners=PLAINTEXT://" + addr,
		"controller.listener.names=CONTROLLER",
		"inter.broker.listener.name=PLAINTEXT",
		"listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
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
