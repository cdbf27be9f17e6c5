import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.*;

/** What a program in Java does with a cluster: produce with each codec, consume in a group, transactions, administration. */
public class Check {
    static String servers;

    public static void main(String[] args) throws Exception {
        servers = args[0];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", servers))) {
            topics(admin);
            codecs();
            transactions();
            groups(admin);
            rest(admin);
        }
    }

    static void ok(boolean good, String what) {
        if (!good) throw new IllegalStateException(what);
        System.out.println("ok " + what);
    }

    static Map<String, Object> base(Map<String, Object> more) {
        Map<String, Object> m = new HashMap<>(more);
        m.put("bootstrap.servers", servers);
        return m;
    }

    static KafkaProducer<String, String> producer(Map<String, Object> more) {
        return new KafkaProducer<>(base(more), new StringSerializer(), new StringSerializer());
    }

    static KafkaConsumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> m = base(more);
        m.putIfAbsent("auto.offset.reset", "earliest");
        m.putIfAbsent("enable.auto.commit", "false");
        return new KafkaConsumer<>(m, new StringDeserializer(), new StringDeserializer());
    }

    static List<String> read(KafkaConsumer<String, String> c, int n) {
        List<String> out = new ArrayList<>();
        long until = System.currentTimeMillis() + 30_000;
        while (out.size() < n && System.currentTimeMillis() < until)
            for (ConsumerRecord<String, String> r : c.poll(Duration.ofMillis(200))) out.add(r.value());
        return out;
    }

    static void topics(Admin admin) throws Exception {
        admin.createTopics(List.of(new NewTopic("java", 3, (short) 1).configs(Map.of("retention.ms", "3600000")), new NewTopic("defaults", Optional.empty(), Optional.empty()))).all().get();
        Set<String> names = admin.listTopics().names().get();
        ok(names.contains("java") && names.contains("defaults"), "create and list topics");
        TopicDescription d = admin.describeTopics(List.of("java")).allTopicNames().get().get("java");
        ok(d.partitions().size() == 3 && !d.topicId().equals(Uuid.ZERO_UUID), "describe a topic");
        ConfigResource r = new ConfigResource(ConfigResource.Type.TOPIC, "java");
        ok(admin.describeConfigs(List.of(r)).all().get().get(r).get("retention.ms").value().equals("3600000"), "describe configs");
        admin.incrementalAlterConfigs(Map.of(r, List.of(new AlterConfigOp(new ConfigEntry("retention.ms", "7200000"), AlterConfigOp.OpType.SET)))).all().get();
        ok(admin.describeConfigs(List.of(r)).all().get().get(r).get("retention.ms").value().equals("7200000"), "alter configs");
        admin.createPartitions(Map.of("defaults", NewPartitions.increaseTo(6))).all().get();
        ok(admin.describeTopics(List.of("defaults")).allTopicNames().get().get("defaults").partitions().size() == 6, "add partitions");
        admin.deleteTopics(List.of("defaults")).all().get();
        ok(!admin.listTopics().names().get().contains("defaults"), "delete a topic");
        try {
            admin.createTopics(List.of(new NewTopic("java", 1, (short) 1))).all().get();
            ok(false, "a topic that exists is refused");
        } catch (ExecutionException e) {
            ok(e.getCause() instanceof org.apache.kafka.common.errors.TopicExistsException, "a topic that exists is refused");
        }
    }

    static void codecs() throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            try (KafkaProducer<String, String> p = producer(Map.of("compression.type", codec, "linger.ms", 5))) {
                for (int i = 0; i < 1000; i++) p.send(new ProducerRecord<>("codec-" + codec, "k" + i, "value " + i));
                p.flush();
            }
            try (KafkaConsumer<String, String> c = consumer(Map.of("group.id", "codec-" + codec))) {
                c.subscribe(List.of("codec-" + codec));
                ok(new HashSet<>(read(c, 1000)).size() == 1000, "produce and consume with " + codec);
                c.commitSync();
            }
        }
    }

    static void transactions() throws Exception {
        try (KafkaProducer<String, String> p = producer(Map.of("transactional.id", "java-tx"))) {
            p.initTransactions();
            p.beginTransaction();
            for (int i = 0; i < 100; i++) p.send(new ProducerRecord<>("tx", "k", "committed " + i));
            p.commitTransaction();
            p.beginTransaction();
            for (int i = 0; i < 100; i++) p.send(new ProducerRecord<>("tx", "k", "aborted " + i));
            p.abortTransaction();
            p.beginTransaction();
            p.send(new ProducerRecord<>("tx", "k", "last"));
            p.sendOffsetsToTransaction(Map.of(new TopicPartition("java", 0), new OffsetAndMetadata(0)), new ConsumerGroupMetadata("java-tx-group"));
            p.commitTransaction();
        }
        try (KafkaConsumer<String, String> c = consumer(Map.of("group.id", "tx-reader", "isolation.level", "read_committed"))) {
            c.subscribe(List.of("tx"));
            List<String> got = read(c, 101);
            ok(got.size() == 101 && got.stream().noneMatch(v -> v.startsWith("aborted")) && got.get(100).equals("last"), "transactions");
        }
        try (KafkaProducer<String, String> one = producer(Map.of("transactional.id", "fenced")); KafkaProducer<String, String> two = producer(Map.of("transactional.id", "fenced"))) {
            one.initTransactions();
            two.initTransactions();
            try {
                one.beginTransaction();
                one.send(new ProducerRecord<>("tx", "k", "late")).get();
                one.commitTransaction();
                ok(false, "a producer with a newer life is fenced");
            } catch (KafkaException | ExecutionException e) {
                ok(true, "a producer with a newer life is fenced");
            }
        }
    }

    static void groups(Admin admin) throws Exception {
        try (KafkaProducer<String, String> p = producer(Map.of())) {
            for (int i = 0; i < 300; i++) p.send(new ProducerRecord<>("java", i % 3, 1_700_000_000_000L + i, null, "v" + i));
        }
        try (KafkaConsumer<String, String> a = consumer(Map.of("group.id", "g")); KafkaConsumer<String, String> b = consumer(Map.of("group.id", "g"))) {
            a.subscribe(List.of("java"));
            b.subscribe(List.of("java"));
            Set<String> seen = new HashSet<>();
            long until = System.currentTimeMillis() + 30_000;
            while (System.currentTimeMillis() < until && (seen.size() < 300 || a.assignment().size() + b.assignment().size() != 3 || b.assignment().isEmpty())) {
                for (ConsumerRecord<String, String> r : a.poll(Duration.ofMillis(100))) seen.add(r.value());
                for (ConsumerRecord<String, String> r : b.poll(Duration.ofMillis(100))) seen.add(r.value());
            }
            ok(seen.size() == 300 && !b.assignment().isEmpty(), "two consumers share a group");
            a.commitSync();
            b.commitSync();
            ok(admin.describeConsumerGroups(List.of("g")).all().get().get("g").members().size() == 2, "describe a group");
        }
        TopicPartition p0 = new TopicPartition("java", 0);
        ok(admin.listConsumerGroupOffsets("g").partitionsToOffsetAndMetadata().get().get(p0).offset() == 100, "offsets of a group");
        admin.alterConsumerGroupOffsets("g", Map.of(p0, new OffsetAndMetadata(7))).all().get();
        ok(admin.listConsumerGroupOffsets("g").partitionsToOffsetAndMetadata().get().get(p0).offset() == 7, "move a group");
        ok(admin.listGroups().all().get().stream().anyMatch(g -> g.groupId().equals("g")), "list groups");
        admin.deleteConsumerGroupOffsets("g", Set.of(p0)).all().get();
        admin.deleteConsumerGroups(List.of("g")).all().get();
        ok(admin.listGroups().all().get().stream().noneMatch(g -> g.groupId().equals("g")), "delete a group");
        try (KafkaConsumer<String, String> c = consumer(Map.of())) {
            ok(c.offsetsForTimes(Map.of(p0, 1_700_000_000_030L)).get(p0).offset() == 10, "offsets by time");
            ok(c.endOffsets(List.of(p0)).get(p0) == 100 && c.beginningOffsets(List.of(p0)).get(p0) == 0, "first and last offsets");
        }
    }

    static void rest(Admin admin) throws Exception {
        TopicPartition p0 = new TopicPartition("java", 0);
        ok(admin.describeCluster().nodes().get().size() == 1 && admin.describeCluster().clusterId().get().length() == 22, "describe the cluster");
        ok(admin.listOffsets(Map.of(p0, OffsetSpec.maxTimestamp())).all().get().get(p0).offset() == 99, "offset of the greatest time");
        admin.deleteRecords(Map.of(p0, RecordsToDelete.beforeOffset(10))).all().get();
        ok(admin.listOffsets(Map.of(p0, OffsetSpec.earliest())).all().get().get(p0).offset() == 10, "delete records");
        ok(!admin.describeLogDirs(List.of(1)).allDescriptions().get().isEmpty(), "log folders");
        ok(admin.describeProducers(List.of(p0)).all().get().size() == 1, "producers");
        ok(admin.describeTransactions(List.of("java-tx")).all().get().get("java-tx").state() == TransactionState.COMPLETE_COMMIT, "describe a transaction");
        ok(admin.listTransactions().all().get().size() >= 2, "list transactions");
        ok(admin.describeFeatures().featureMetadata().get().finalizedFeatures().containsKey("transaction.version"), "features");
        ok(admin.listPartitionReassignments().reassignments().get().isEmpty(), "reassignments");
        var rule = new org.apache.kafka.common.acl.AclBinding(
            new org.apache.kafka.common.resource.ResourcePattern(org.apache.kafka.common.resource.ResourceType.TOPIC, "java", org.apache.kafka.common.resource.PatternType.LITERAL),
            new org.apache.kafka.common.acl.AccessControlEntry("User:somebody", "*", org.apache.kafka.common.acl.AclOperation.READ, org.apache.kafka.common.acl.AclPermissionType.ALLOW));
        admin.createAcls(List.of(rule)).all().get();
        ok(admin.describeAcls(rule.toFilter()).values().get().size() == 1 && admin.deleteAcls(List.of(rule.toFilter())).all().get().size() == 1, "access control lists");
        admin.alterUserScramCredentials(List.of(new UserScramCredentialUpsertion("somebody", new ScramCredentialInfo(ScramMechanism.SCRAM_SHA_256, 4096), "secret"))).all().get();
        ok(admin.describeUserScramCredentials().all().get().containsKey("somebody"), "users");
    }
}
