"""confluent-kafka: each codec, a group, a transaction, administration."""
import sys, time, uuid
from confluent_kafka import Producer, Consumer, TopicPartition, KafkaError
from confluent_kafka.admin import AdminClient, NewTopic, ConfigResource

servers = {"bootstrap.servers": sys.argv[1]}
checks = 0


def ok(good, what):
    global checks
    if not good:
        raise SystemExit("failed: " + what)
    checks += 1


def read(topic, n, **more):
    c = Consumer({**servers, "group.id": str(uuid.uuid4()), "auto.offset.reset": "earliest", **more})
    c.subscribe([topic])
    out = []
    end = time.time() + 30
    while len(out) < n and time.time() < end:
        m = c.poll(0.2)
        if m is not None and m.error() is None:
            out.append(m.value().decode())
    c.commit(asynchronous=False)
    c.close()
    return out


admin = AdminClient(servers)
for f in admin.create_topics([NewTopic("cp-admin", num_partitions=3, replication_factor=1)]).values():
    f.result(10)
ok(len(admin.list_topics(timeout=10).topics["cp-admin"].partitions) == 3, "create a topic")
for codec in ["none", "gzip", "snappy", "lz4", "zstd"]:
    p = Producer({**servers, "compression.type": codec, "enable.idempotence": True, "linger.ms": 5})
    for i in range(1000):
        p.produce("cp-" + codec, key="k%d" % i, value="v%d" % i, headers={"h": "1"})
    ok(p.flush(20) == 0, "produce with " + codec)
    ok(len(set(read("cp-" + codec, 1000))) == 1000, "consume " + codec)
p = Producer({**servers, "transactional.id": "cp-tx"})
p.init_transactions(10)
for value, commit in [("yes", True), ("no", False), ("again", True)]:
    p.begin_transaction()
    for i in range(10):
        p.produce("cp-tx", value=value)
    p.commit_transaction(10) if commit else p.abort_transaction(10)
got = read("cp-tx", 20, **{"isolation.level": "read_committed"})
ok(sorted(got) == ["again"] * 10 + ["yes"] * 10, "transactions")
ok(admin.list_consumer_groups().result(10).valid, "list groups")
for f in admin.delete_topics(["cp-admin"]).values():
    f.result(10)
ok("cp-admin" not in admin.list_topics(timeout=10).topics, "delete a topic")
print("%d checks" % checks)
