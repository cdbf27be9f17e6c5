package input

import (
	"encoding/json"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
	"github.com/weirlog/weir/queue"
)

// deadLetterTopic is where pipelines put records they cannot process; deadLetterHeader tells about one.
const (
	deadLetterTopic  = "weir-dead-letters"
	deadLetterHeader = "weir-dl"
)

var deadLetterOptions = []plugin.Option{
	{Name: "pipeline_id", Doc: "Only letters of this pipeline; without it those of all."},
	{Name: "path", Unread: "dead letters are in the topic weir-dead-letters"},
	{Name: "bootstrap_servers", Doc: "Addresses of the brokers; without it weir's own queue is read."},
	{Name: "group_id", Doc: "Consumer group; default weir-dead-letter-queue."},
	{Name: "commit_offsets", Kind: plugin.Boolean, Default: "true", Unread: "positions are always kept"},
	{Name: "sincedb_path", Unread: "positions are those of the group"}, {Name: "clean_consumed", Kind: plugin.Boolean, Unread: "retention of the topic decides"},
	{Name: "start_timestamp", Obsolete: "reset the group: weir groups reset --to TIME"},
}

// newDeadLetterQueue reads the dead-letter topic: a record's value is the original's, so the codec is the one it was read with.
func newDeadLetterQueue(a *plugin.Args, env *Env, _ codec.Codec) Input {
	k := &Kafka{addr: a.String("bootstrap_servers"), group: a.String("group_id"), topics: []string{deadLetterTopic}, decorate: "none", env: env,
		letters: true, pipeline: a.String("pipeline_id")}
	if k.group == "" {
		k.group = "weir-dead-letter-queue"
		if k.pipeline != "" {
			k.group += "-" + k.pipeline
		}
	}
	return k
}

// aboutLetter is what a dead letter says about itself.
type aboutLetter struct {
	Pipeline string `json:"pipeline"`
	Reason   string `json:"reason"`
	Plugin   string `json:"plugin"`
	Why      string `json:"why"`
	Index    string `json:"index"`
	Status   int    `json:"status"`
	Time     string `json:"time"`
}

func letterOf(r *queue.Record) (a aboutLetter, ok bool) {
	for _, h := range r.Headers {
		if h.Key == deadLetterHeader && json.Unmarshal(h.Value, &a) == nil {
			return a, true
		}
	}
	return a, false
}

// wanted takes letters of other pipelines out.
func (k *Kafka) wanted(recs []queue.Record) []queue.Record {
	if !k.letters || k.pipeline == "" {
		return recs
	}
	kept := recs[:0]
	for i := range recs {
		if a, ok := letterOf(&recs[i]); ok && a.Pipeline == k.pipeline {
			kept = append(kept, recs[i])
		}
	}
	return kept
}

var deadLetterMeta = event.MustPath("[@metadata][dead_letter_queue]")

// decorateLetter sets [@metadata][dead_letter_queue] as Logstash's input does, and what else is known below it.
func decorateLetter(e *event.Event, r *queue.Record) {
	a, ok := letterOf(r)
	if !ok {
		return
	}
	b := e.Batch()
	reason := a.Why
	if reason == "" {
		reason = a.Reason
	}
	_, plugin, found := strings.Cut(a.Plugin, " ")
	if !found {
		plugin = "elasticsearch" // refused documents name no plugin
	}
	for _, f := range []struct{ name, text string }{{"reason", reason}, {"kind", a.Reason}, {"plugin_type", plugin}, {"plugin_id", a.Plugin}, {"entry_time", a.Time},
		{"pipeline", a.Pipeline}, {"index", a.Index}} {
		if f.text != "" {
			e.Set(deadLetterMeta.Child(f.name), event.String(b.KeepString(f.text)))
		}
	}
	if a.Status != 0 {
		e.Set(deadLetterMeta.Child("status"), event.Int(int64(a.Status)))
	}
}
