package main

import (
	"strconv"

	"github.com/weirlog/weir/broker"
	"github.com/weirlog/weir/pipeline"
)

// registerSeries puts every part's counters into the registry; series.golden lists the names.
func (n *node) registerSeries() {
	r := n.series
	r.Gauge("weir_build_info", "Always 1; the process runs.", func() float64 { return 1 })
	r.Gauge("weir_insecure_listeners", "Ports open to the network without login and encryption.", func() float64 { return float64(len(n.ports.open)) })
	if a := n.agent; a != nil {
		r.Counter("weir_agent_read_bytes_total", "Bytes read from files.", func() float64 { return float64(a.Status().Stats.Read) })
		r.Counter("weir_agent_lines_total", "Lines read from files.", func() float64 { return float64(a.Status().Stats.Lines) })
		r.Counter("weir_agent_events_acked_total", "Records the queue has on disk.", func() float64 { return float64(a.Status().Stats.Events) })
		r.Counter("weir_agent_lost_bytes_total", "Bytes gone before they were read.", func() float64 { return float64(a.Status().Stats.Lost) })
		r.Counter("weir_agent_cut_bytes_total", "Bytes left out of messages over the limit.", func() float64 { return float64(a.Status().Stats.Cut) })
		r.Counter("weir_agent_retries_total", "Produce calls that failed and were repeated.", func() float64 { return float64(a.Status().Stats.Retries) })
		r.Gauge("weir_agent_files", "Files known.", func() float64 { return float64(a.Status().Stats.Files) })
		r.Labelled("weir_agent_events_dropped_total", "Messages a rule dropped.", true, []string{"rule"}, func(add func(float64, ...string)) {
			for rule, c := range a.Status().Stats.Dropped {
				add(float64(c.Events), rule)
			}
		})
		r.Gauge("weir_agent_unread_bytes", "Bytes in files that the queue has not acknowledged.", func() float64 {
			sum := int64(0)
			for _, s := range a.Status().Sources {
				sum += s.Unread
			}
			return float64(sum)
		})
	}
	if n.broker != nil {
		n.registerBroker()
	}
	n.registerPipelines()
	if s := n.store; s != nil {
		r.Counter("weir_store_documents_total", "Documents written.", func() float64 { return float64(s.Stats().Documents) })
		r.Counter("weir_store_repeats_total", "Documents dropped because their bytes are indexed already.", func() float64 { return float64(s.Stats().Repeats) })
		r.Counter("weir_store_rejected_total", "Documents refused.", func() float64 { return float64(s.Stats().Rejected) })
		r.Gauge("weir_store_segments", "Segments of all indices.", func() float64 { return float64(s.Stats().Segments) })
		r.Gauge("weir_store_journal_bytes", "Bytes of the write-ahead journal.", func() float64 { return float64(s.Stats().JournalBytes) })
	}
}

func (n *node) registerBroker() {
	r, b := n.series, n.broker
	each := func(f func(t *broker.TopicInfo) int64) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) {
			for _, t := range b.Topics() {
				add(float64(f(&t)), t.Name)
			}
		}
	}
	topic := []string{"topic"}
	r.Labelled("weir_broker_produced_records_total", "Records appended.", true, topic, each(func(t *broker.TopicInfo) int64 { return t.In }))
	r.Labelled("weir_broker_produced_bytes_total", "Bytes appended, as they are kept.", true, topic, each(func(t *broker.TopicInfo) int64 { return t.InBytes }))
	r.Labelled("weir_broker_fetched_records_total", "Records read, by all groups and clients.", true, topic, each(func(t *broker.TopicInfo) int64 { return t.Out }))
	r.Labelled("weir_broker_fetched_bytes_total", "Bytes read.", true, topic, each(func(t *broker.TopicInfo) int64 { return t.OutBytes }))
	r.Labelled("weir_broker_journal_bytes", "Bytes of a topic on disk.", false, topic, each(func(t *broker.TopicInfo) int64 { return t.Bytes }))
	r.Labelled("weir_broker_holes", "Places of a topic with bad bytes.", false, topic, each(func(t *broker.TopicInfo) (n int64) {
		for _, p := range t.Partitions {
			n += int64(p.Holes)
		}
		return n
	}))
	r.Labelled("weir_broker_refused_total", "Batches refused, by error code of the Kafka protocol.", true, []string{"error"}, func(add func(float64, ...string)) {
		for code, n := range b.Stats().Refused {
			add(float64(n), strconv.Itoa(int(code)))
		}
	})
	r.Labelled("weir_broker_group_lag_records", "Records a group has not committed.", false, []string{"group", "topic"}, func(add func(float64, ...string)) {
		for _, t := range b.Topics() {
			for _, g := range t.Groups {
				add(float64(g.Lag), g.Name, t.Name)
			}
		}
	})
	r.Labelled("weir_broker_group_lag_seconds", "Age of the oldest record a group has not committed.", false, []string{"group", "topic"}, func(add func(float64, ...string)) {
		for _, t := range b.Topics() {
			for _, g := range t.Groups {
				add(float64(g.LagMs)/1000, g.Name, t.Name)
			}
		}
	})
	r.Counter("weir_broker_requests_total", "Requests of the Kafka protocol.", func() float64 { return float64(b.Stats().Requests) })
	r.Counter("weir_broker_bad_connections_total", "Connections closed because of what they sent.", func() float64 { return float64(b.Stats().BadConns) })
	r.Counter("weir_broker_failed_logins_total", "Logins refused.", func() float64 { return float64(b.Stats().FailedLogins) })
	r.Gauge("weir_broker_slab_bytes", "Pooled buffers in use.", func() float64 { return float64(b.Stats().SlabBytes) })
	r.Gauge("weir_broker_partitions_offline", "Partitions that did not open.", func() float64 { return float64(b.Stats().Offline) })
	r.Gauge("weir_broker_transactions_open", "Transactions that have not ended.", func() float64 { return float64(b.Stats().Transactions) })
	r.Gauge("weir_broker_connections", "Open connections of the Kafka protocol.", func() float64 { return float64(b.Stats().Connections) })
	r.Counter("weir_broker_unread_deleted_records_total", "Records removed that a pinning group had not read.", func() float64 { return float64(b.Stats().Unread) })
	r.Counter("weir_broker_syncs_total", "Waits for durability.", func() float64 { return float64(b.Stats().Syncs) })
	r.Counter("weir_broker_sync_seconds_total", "Time these waits took.", func() float64 { return b.Stats().SyncSeconds })
}

func (n *node) registerPipelines() {
	r := n.series
	each := func(f func(s pipeline.Stats) int64) func(add func(float64, ...string)) {
		return func(add func(float64, ...string)) {
			for id, s := range n.pipelineStats() {
				add(float64(f(s)), id)
			}
		}
	}
	label := []string{"pipeline"}
	r.Labelled("weir_pipeline_events_in_total", "Records taken in.", true, label, each(func(s pipeline.Stats) int64 { return s.Events.In }))
	r.Labelled("weir_pipeline_events_out_total", "Events handed to outputs.", true, label, each(func(s pipeline.Stats) int64 { return s.Events.Out }))
	r.Labelled("weir_pipeline_events_dropped_total", "Records a rule made nothing of.", true, label, each(func(s pipeline.Stats) int64 { return s.Events.Dropped }))
	r.Labelled("weir_pipeline_dead_letters_total", "Records put into the dead-letter topic.", true, label, each(func(s pipeline.Stats) int64 { return s.Dead.Records }))
	r.Labelled("weir_pipeline_write_failures_total", "Writes to the store that failed and were repeated.", true, label, each(func(s pipeline.Stats) int64 { return s.Write.Errors }))
}
