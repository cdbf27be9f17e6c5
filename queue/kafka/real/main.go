// Command real runs a command against a real Apache Kafka: it fetches the jars that pom.xml names, formats a single KRaft node in a
// temporary directory, starts it on free loopback ports, runs the command with WEIR_KAFKA=host:port and
// WEIR_KAFKA_LOGIN=user:password@host:port, a listener that wants a login, and stops the node.
//
//	go run ./queue/kafka/real go test -count=1 ./queue/kafka
//
// It ends with the command's exit status. Where the jars, Java or Maven cannot be had it says "real Kafka not available: ..." and
// ends with 0; a node that does not start is a failure, with the end of its log.
package main

import "github.com/weirlog/weir/queue/kafka/real/jvm"

func main() {
	jvm.Main(jvm.Server{
		Name: "Kafka", POM: "queue/kafka/real/pom.xml", Jars: "build/kafka", Pattern: "kafka_*.jar", Tools: []string{"java"},
		Start: start,
	})
}
