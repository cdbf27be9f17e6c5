package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/queue/queuetest"
)

// Bounds of a node's life.
const (
	startPatience = 90 * time.Second // a JVM on a busy machine
	stopPatience  = 20 * time.Second // then it is killed: its data is thrown away in any case
	askEvery      = 200 * time.Millisecond
	logTail       = 4 << 10 // bytes of the log that a failure shows
)

// node is a running Kafka.
type node struct {
	addr string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the process has ended
}

// startNode formats and starts a node in dir and returns when it answers.
func startNode(ctx context.Context, classpath, dir string) (*node, error) {
	addr, controller, err := freeAddrs()
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "server.properties")
	if err := os.WriteFile(conf, []byte(properties(addr, controller, filepath.Join(dir, "data"))), 0o600); err != nil {
		return nil, err
	}
	logConf := filepath.Join(dir, "log4j2.properties")
	if err := os.WriteFile(logConf, []byte(logging), 0o600); err != nil {
		return nil, err
	}
	base := []string{"-cp", classpath, "-Dlog4j2.configurationFile=" + logConf}
	uuid, err := java(ctx, append(base, "-Xmx128m", "kafka.tools.StorageTool", "random-uuid"))
	if err != nil {
		return nil, fmt.Errorf("make a cluster id: %w", err)
	}
	if _, err := java(ctx, append(base, "-Xmx128m", "kafka.tools.StorageTool", "format", "-t", uuid, "-c", conf)); err != nil {
		return nil, fmt.Errorf("format %s: %w", dir, err)
	}
	n := &node{addr: addr, log: filepath.Join(dir, "log"), done: make(chan struct{})}
	n.cmd = exec.Command("java", append(base, "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", conf)...)
	n.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal reaches it through stop only
	out, err := os.Create(n.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	n.cmd.Stdout, n.cmd.Stderr = out, out
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start Kafka: %w", err)
	}
	go func() {
		defer close(n.done)
		n.cmd.Wait() // how it ended is in the log
	}()
	if err := n.waitReady(ctx); err != nil {
		return nil, errors.Join(err, n.stop())
	}
	return n, nil
}

// java runs a tool and returns what it printed last.
func java(ctx context.Context, args []string) (string, error) {
	out, err := exec.CommandContext(ctx, "java", args...).CombinedOutput()
	text := strings.TrimSpace(string(out))
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return text[strings.LastIndexByte(text, '\n')+1:], nil
}

// waitReady returns when the node answers ApiVersions and counts itself among the brokers, without which it makes no topics.
func (n *node) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for {
		select {
		case <-n.done:
			return fmt.Errorf("Kafka ended while starting:\n%s", n.tail())
		case <-ctx.Done():
			return fmt.Errorf("Kafka does not answer at %s: %w\n%s", n.addr, ctx.Err(), n.tail())
		case <-tick.C:
			if n.answers(ctx) {
				return nil
			}
		}
	}
}

func (n *node) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.addr), kgo.DisableClientMetrics())
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

// stop ends the process, by its id.
func (n *node) stop() error {
	n.cmd.Process.Signal(syscall.SIGTERM) // fails only when it has ended
	select {
	case <-n.done:
	case <-time.After(stopPatience):
		if err := n.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			return fmt.Errorf("stop Kafka: %w", err)
		}
		<-n.done
	}
	return nil
}

func (n *node) tail() string {
	b, err := os.ReadFile(n.log)
	if err != nil {
		return err.Error()
	}
	return string(b[max(0, len(b)-logTail):])
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
