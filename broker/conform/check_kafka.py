"""kafka-python: produce, a group, offsets by time, administration."""
import sys
from kafka import KafkaProducer, KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

servers = sys.argv[1]
checks = 0


def ok(good, what):
    global checks
    if not good:
        raise SystemExit("failed: " + what)
    checks += 1


admin = KafkaAdminClient(bootstrap_servers=servers)
admin.create_topics([NewTopic("kp", 2, 1)])
ok("kp" in admin.list_topics(), "create a topic")
for codec in [None, "gzip"]:
    p = KafkaProducer(bootstrap_servers=servers, compression_type=codec, acks="all")
    for i in range(500):
        p.send("kp", key=b"k%d" % i, value=b"v%d" % i, timestamp_ms=1700000000000 + i, headers=[("h", b"1")])
    p.flush(20)
    p.close()
c = KafkaConsumer("kp", bootstrap_servers=servers, group_id="kp", auto_offset_reset="earliest", consumer_timeout_ms=5000)
n = 0
for m in c:
    n += 1
    if n == 1000:
        break
ok(n == 1000, "consume in a group")
c.commit()
parts = [TopicPartition("kp", 0), TopicPartition("kp", 1)]
ok(sum(c.committed(p) or 0 for p in parts) == 1000, "commit")
ok(all(o is not None for o in c.offsets_for_times({p: 1700000000100 for p in parts}).values()), "offsets by time")
c.close()
admin.delete_topics(["kp"])
admin.close()
print("%d checks" % checks)
