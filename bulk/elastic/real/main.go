// Command real runs a command against a real OpenSearch: it fetches the jars that pom.xml names, starts RealNode.java on them in a
// temporary directory, runs the command with WEIR_ELASTICSEARCH=http://host:port, and stops the node.
//
//	go run ./bulk/elastic/real go test -count=1 -run Cluster ./bulk/elastic
//
// It ends with the command's exit status. Where the jars, a JDK or Maven cannot be had it says "real OpenSearch not available: ..."
// and ends with 0; a node that does not start is a failure, with the end of its log.
package main

import (
	"bufio"
	"context"
	_ "embed"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirlog/weir/queue/kafka/real/jvm"
)

//go:embed RealNode.java
var realNode []byte

func main() {
	jvm.Main(jvm.Server{
		Name: "OpenSearch", POM: "bulk/elastic/real/pom.xml", Jars: "build/opensearch", Pattern: "opensearch-[0-9]*.jar",
		Tools: []string{"java", "javac"}, // a source file is run: that takes a JDK
		Start: start,
	})
}

// start starts a node in dir.
func start(ctx context.Context, classpath, dir string) (*jvm.Process, []string, error) {
	source, log := filepath.Join(dir, "RealNode.java"), filepath.Join(dir, "log")
	if err := os.WriteFile(source, realNode, 0o600); err != nil {
		return nil, nil, err
	}
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o700); err != nil {
		return nil, nil, err
	}
	p, err := jvm.Start(log, "-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-cp", classpath, source, dir)
	if err != nil {
		return nil, nil, err
	}
	addr := ""
	err = p.Await(ctx, func(ctx context.Context) bool {
		addr = listening(log)
		return addr != "" && answers(ctx, addr)
	})
	return p, []string{"WEIR_ELASTICSEARCH=" + addr}, err
}

// listening is the address that the node has printed, as a URL; empty while it has printed none.
func listening(log string) string {
	f, err := os.Open(log)
	if err != nil {
		return ""
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if addr, ok := strings.CutPrefix(sc.Text(), "listening "); ok {
			return "http://" + addr
		}
	}
	return ""
}

// answers reports whether the node has a cluster with a manager, without which it writes nothing.
func answers(ctx context.Context, addr string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, addr+"/_cluster/health?wait_for_status=yellow&timeout=2s", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
