package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"
)

// corpus makes documents in the shape Filebeat gives them, spread over 24 h: 40 hosts, 13 services; half access lines with parsed
// fields, half lines of applications in 30 forms of which few are frequent; a random 128-bit trace id on a quarter. Equal n, equal bytes.
type corpus struct {
	n    int
	at   int
	rng  *rand.Rand
	zipf *rand.Zipf
	ips  *rand.Zipf
	urls *rand.Zipf
}

// day is the first moment of the corpus in epoch ms, 2027-03-01: what is written is new, as it is when logs arrive, and the merges that
// old segments get an hour later are not part of the run.
const day = 1_803_859_200_000

func newCorpus(n int) *corpus {
	rng := rand.New(rand.NewPCG(7, 11))
	return &corpus{n: n, rng: rng, zipf: rand.NewZipf(rng, 1.3, 2, uint64(len(forms)-1)), ips: rand.NewZipf(rng, 1.1, 40, 47_999), urls: rand.NewZipf(rng, 1.2, 8, 8_999)}
}

// form is a line of an application: its level, its logger and a text whose verbs take what args gives.
type form struct {
	level, logger, text string
	args                func(r *rand.Rand) []any
}

func ints(limits ...int) func(r *rand.Rand) []any {
	return func(r *rand.Rand) []any {
		out := make([]any, len(limits))
		for i, n := range limits {
			out[i] = r.IntN(n)
		}
		return out
	}
}

var forms = []form{
	{"INFO", "c.e.orders.OrderService", "Order %d accepted for customer %d in %d ms", ints(5_000_000, 90_000, 900)},
	{"INFO", "c.e.cache.RegionCache", "Cache hit ratio of region orders is %d percent after %d requests", ints(100, 100_000)},
	{"DEBUG", "o.s.jdbc.Template", "Executing prepared SQL query with %d parameters, fetched %d rows", ints(9, 500)},
	{"INFO", "c.e.auth.TokenFilter", "Token of user u%d refreshed, expires in %d s", ints(20_000, 3600)},
	{"INFO", "c.e.mail.Sender", "Mail %d queued for delivery to shard %d", ints(1_000_000, 16)},
	{"WARN", "c.e.pool.Connections", "Pool hikari-%d has %d active connections of %d, waiting %d", ints(4, 50, 50, 20)},
	{"INFO", "dfs.DataNode", "Received block blk_%d of size %d from /10.251.%d.%d", ints(1<<50, 67_108_864, 50, 200)},
	{"INFO", "dfs.FSNamesystem", "BLOCK* NameSystem.addStoredBlock: blockMap updated: 10.251.%d.%d:50010 is added to blk_%d size %d", ints(50, 200, 1<<50, 67_108_864)},
	{"ERROR", "c.e.orders.PaymentClient", "Payment of order %d failed: gateway answered %d after %d ms", ints(5_000_000, 600, 30_000)},
	{"INFO", "c.e.search.Indexer", "Indexed %d items into catalogue v%d, %d skipped", ints(10_000, 40, 100)},
	{"INFO", "c.e.session.Store", "Session %x%x opened by u%d", ints(1<<32, 1<<32, 20_000)},
	{"DEBUG", "c.e.http.Client", "GET https://inventory.svc/api/v2/items/%d took %d ms", ints(90_000, 800)},
	{"INFO", "c.e.scheduler.Runner", "Job nightly-report-%d finished with exit code %d", ints(60, 3)},
	{"WARN", "c.e.http.Client", "Retrying request %d of %d to inventory.svc because of a timeout", ints(3, 5)},
	{"ERROR", "c.e.web.Advice", "Unhandled error in handler exec-%d: java.lang.IllegalStateException: stock of item %d is negative", ints(32, 90_000)},
	{"INFO", "sshd", "Accepted publickey for deploy from 10.0.3.%d port %d ssh2", ints(250, 65_535)},
	{"WARN", "sshd", "Failed password for invalid user admin from 10.0.%d.%d port %d ssh2", ints(4, 250, 65_535)},
	{"INFO", "kernel", "TCP: request_sock_TCP: Possible SYN flooding on port %d. Sending cookies.", ints(65_535)},
	{"INFO", "c.e.kafka.Consumer", "Committed offset %d of partition orders-%d", ints(1<<40, 12)},
	{"INFO", "c.e.kafka.Consumer", "Rebalance: %d partitions assigned, generation %d", ints(12, 400)},
	{"ERROR", "c.e.scheduler.Runner", "exec-%d task Failed with status %d, giving up", ints(32, 128)},
	{"INFO", "c.e.gc.Monitor", "GC pause of %d ms, heap %dM of 4096M", ints(400, 4096)},
	{"DEBUG", "c.e.cache.RegionCache", "Evicted key item:%d of region catalogue, age %d s", ints(90_000, 86_400)},
	{"INFO", "c.e.auth.Login", "User u%d authenticated by authority ldap-%d", ints(20_000, 3)},
	{"WARN", "c.e.disk.Watch", "Volume data%d has %d MB left of 512000 MB", ints(8, 51_200)},
	{"INFO", "c.e.flags.Client", "Feature flags loaded, version %d, %d flags", ints(9_000, 120)},
	{"ERROR", "c.e.orders.OrderService", "Could not lock order %d within %d ms: Deadlock found when trying to get lock", ints(5_000_000, 5_000)},
	{"INFO", "c.e.metrics.Push", "Pushed %d series in %d ms", ints(40_000, 200)},
	{"INFO", "dfs.PacketResponder", "PacketResponder %d for block blk_%d terminating", ints(3, 1<<50)},
	{"FATAL", "c.e.Main", "Out of memory after %d MB, stopping", ints(8_192)},
}

var agents = []string{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "curl/8.14.1", "okhttp/4.12.0",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:141.0) Gecko/20100101 Firefox/141.0", "kube-probe/1.33"}

// next appends a document; false behind the last.
func (c *corpus) next(dst []byte) ([]byte, bool) {
	if c.at == c.n {
		return dst, false
	}
	i := c.at
	c.at++
	r := c.rng
	t := time.UnixMilli(day + int64(float64(i)*86_400_000/float64(c.n)) + r.Int64N(20)).UTC()
	host, svc := r.IntN(40), r.IntN(13)
	dst = fmt.Appendf(dst, `{"@timestamp":"%s","agent":{"ephemeral_id":"5c1f3b1e-8d1c-4a7e-9f%02d-0e1f2a3b4c5d","id":"9b0a7e7a-3f0c-4a5d-8e%02d-1a2b3c4d5e6f","name":"host-%02d",`+
		`"type":"filebeat","version":"8.19.0"},"ecs":{"version":"8.0.0"},"host":{"name":"host-%02d","os":{"family":"debian","kernel":"6.1.0-18-amd64"}},`+
		`"input":{"type":"filestream"},"log":{"file":{"path":"/var/log/svc-%d/app.log"},"offset":%d`, t.Format("2006-01-02T15:04:05.000Z"), host, host, host, host, svc, i*211)
	if i%2 == 0 {
		dst = c.access(dst, t, svc)
	} else {
		dst = c.application(dst, svc)
	}
	if i%4 == 1 {
		dst = fmt.Appendf(dst, `,"trace":{"id":"%016x%016x"}`, r.Uint64(), r.Uint64())
	}
	return append(dst, '}'), true
}

func (c *corpus) access(dst []byte, t time.Time, svc int) []byte {
	r := c.rng
	ip := int(c.ips.Uint64())
	addr := fmt.Sprintf("10.%d.%d.%d", 16+ip%7, ip/7%251, ip/1757)
	url := int(c.urls.Uint64())
	path := "/api/v1/" + [...]string{"orders", "users", "stories", "items", "carts"}[url%5] + "/" + strconv.Itoa(url)
	method := "GET"
	if r.IntN(20) == 0 {
		method = "POST"
	}
	status := [...]int{200, 200, 200, 200, 200, 200, 200, 200, 304, 201, 301, 404, 403, 500, 503}[r.IntN(15)]
	size, agent := r.IntN(60_000), agents[r.IntN(len(agents))]
	return fmt.Appendf(dst, `},"service":{"name":"svc-%d"},"message":"%s - - [%s] \"%s %s HTTP/1.1\" %d %d \"-\" \"%s\"","http":{"request":{"method":"%s"},"response":{"status_code":%d,"body":{"bytes":%d}},`+
		`"version":"1.1"},"source":{"ip":"%s"},"url":{"path":"%s"},"user_agent":{"original":"%s"},"event":{"dataset":"nginx.access","duration":%d}`,
		svc, addr, t.Format("02/Jan/2006:15:04:05 -0700"), method, path, status, size, agent, method, status, size, addr, path, agent, int(r.ExpFloat64()*40_000_000))
}

func (c *corpus) application(dst []byte, svc int) []byte {
	r := c.rng
	f := &forms[c.zipf.Uint64()]
	dst = fmt.Appendf(dst, `,"level":"%s","logger":"%s"},"service":{"name":"svc-%d"},"message":"`, f.level, f.logger, svc)
	dst = fmt.Appendf(dst, f.text, f.args(r)...)
	return fmt.Appendf(dst, `","process":{"pid":%d,"thread":{"name":"exec-%d"}},"event":{"dataset":"app","sequence":%d},"labels":{"zone":"kr-%c","release":"2026.11.%d"}`,
		1000+r.IntN(50), r.IntN(32), c.at, 'a'+rune(svc%3), svc%9)
}
