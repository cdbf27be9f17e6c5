// Package filter holds the filters of pipelines, one file each, and the table of their names and options.
//
// A filter is built once a worker and is called from one goroutine at a time, so it may keep scratch memory. It changes events in
// place; events it makes are appended to the batch and run through the filters behind it.
package filter

import (
	"slices"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

// Result says what a filter did to an event.
type Result uint8

const (
	None    Result = iota // nothing to do: add_field and the like are not applied
	Matched               // the common options are applied
	Failed                // a failure tag was set
)

// Filter changes events.
type Filter interface {
	Filter(e *event.Event) Result
}

// Flusher is implemented by filters that make events by the clock. They are Shared or Ordered.
type Flusher interface {
	// Flush is called every few seconds, and once with final set when no more events come. Events it appends to b, made of
	// event.NoRecord, go through the filters behind this one. It is never called together with Filter of the same instance.
	Flush(now time.Time, final bool, b *event.Batch)
}

// Spec is a row of the table. A filter that is an io.Closer is closed when its pipeline ends, or goes on without it.
type Spec struct {
	Name    string
	Options []plugin.Option // besides those every filter has
	New     func(a *plugin.Args, env *plugin.Env) Filter
	Shared  bool // one instance for all workers; it locks
	Ordered bool // needs every event in order: its pipeline has one worker
	// OrderedIf says so of some configurations only; nil is never.
	OrderedIf func(a *plugin.Args) bool
	// Reaches: the filter asks somebody outside of the process, or waits. A trace leaves it out.
	Reaches bool
	// OwnCommon: the filter applies the common options itself, to the events it makes.
	OwnCommon bool
}

// Table is every filter there is.
func Table() []Spec {
	return []Spec{
		{Name: "cidr", Options: cidrOptions, New: newCIDR},
		{Name: "clone", Options: cloneOptions, New: newClone, OwnCommon: true},
		{Name: "csv", Options: csvOptions, New: newCSV},
		{Name: "date", Options: dateOptions, New: newDate},
		{Name: "de_dot", Options: deDotOptions, New: newDeDot},
		{Name: "dissect", Options: dissectOptions, New: newDissect},
		{Name: "drop", Options: dropOptions, New: newDrop},
		{Name: "fingerprint", Options: fingerprintOptions, New: newFingerprint},
		{Name: "grok", Options: grokOptions, New: newGrok},
		{Name: "json", Options: jsonOptions, New: newJSON},
		{Name: "json_encode", Options: jsonEncodeOptions, New: newJSONEncode},
		{Name: "kv", Options: kvOptions, New: newKV},
		{Name: "mutate", Options: mutateOptions, New: newMutate},
		{Name: "prune", Options: pruneOptions, New: newPrune},
		{Name: "ruby", Options: rubyOptions, New: newRuby, OrderedIf: rubyKeeps},
		{Name: "split", Options: splitOptions, New: newSplit, OwnCommon: true},
		{Name: "syslog_pri", Options: syslogPriOptions, New: newSyslogPri},
		{Name: "throttle", Options: throttleOptions, New: newThrottle, Shared: true},
		{Name: "translate", Options: translateOptions, New: newTranslate},
		{Name: "truncate", Options: truncateOptions, New: newTruncate},
		{Name: "urldecode", Options: urldecodeOptions, New: newURLDecode},
		{Name: "uuid", Options: uuidOptions, New: newUUID},
	}
}

// Find returns the row of a filter, nil when there is none.
func Find(name string) *Spec {
	t := Table()
	if i := slices.IndexFunc(t, func(s Spec) bool { return s.Name == name }); i >= 0 {
		return &t[i]
	}
	return nil
}

// Known names filters of Logstash that are not here, for a message that does not look like a misspelling.
func Known(name string) bool {
	return slices.Contains([]string{"aggregate", "alter", "anonymize", "bytes", "cipher", "collate", "dns", "elapsed", "elasticsearch", "elastic_integration",
		"environment", "extractnumbers", "geoip", "http", "i18n", "java_uuid", "jdbc_static", "jdbc_streaming", "memcached", "metricize", "metrics",
		"oui", "range", "sleep", "tld", "useragent", "wurfl_device_detection", "xml", "zeromq"}, name)
}

// tags is the option tag_on_failure.
func tags(a *plugin.Args, option string) []string { return a.Strings(option) }

func fail(e *event.Event, tags []string) Result {
	for _, t := range tags {
		e.Tag(t)
	}
	return Failed
}
