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
		{Name: "aggregate", Options: aggregateOptions, New: newAggregate, Ordered: true},
		{Name: "anonymize", Options: anonymizeOptions, New: newAnonymize},
		{Name: "cidr", Options: cidrOptions, New: newCIDR},
		{Name: "clone", Options: cloneOptions, New: newClone, OwnCommon: true},
		{Name: "csv", Options: csvOptions, New: newCSV},
		{Name: "date", Options: dateOptions, New: newDate},
		{Name: "de_dot", Options: deDotOptions, New: newDeDot},
		{Name: "dissect", Options: dissectOptions, New: newDissect},
		{Name: "dns", Options: dnsOptions, New: newDNS, Reaches: true},
		{Name: "drop", Options: dropOptions, New: newDrop},
		{Name: "elapsed", Options: elapsedOptions, New: newElapsed, Ordered: true, OwnCommon: true},
		{Name: "elasticsearch", Options: elasticsearchOptions, New: newElasticsearch, Reaches: true},
		{Name: "fingerprint", Options: fingerprintOptions, New: newFingerprint},
		{Name: "geoip", Options: geoipOptions, New: newGeoIP},
		{Name: "grok", Options: grokOptions, New: newGrok},
		{Name: "http", Options: httpFilterOptions, New: newHTTP, Reaches: true},
		{Name: "json", Options: jsonOptions, New: newJSON},
		{Name: "json_encode", Options: jsonEncodeOptions, New: newJSONEncode},
		{Name: "kv", Options: kvOptions, New: newKV},
		{Name: "metrics", Options: metricsOptions, New: newMetrics, Shared: true, OwnCommon: true},
		{Name: "mutate", Options: mutateOptions, New: newMutate},
		{Name: "prune", Options: pruneOptions, New: newPrune},
		{Name: "ruby", Options: rubyOptions, New: newRuby, OrderedIf: rubyKeeps},
		{Name: "sleep", Options: sleepOptions, New: newSleep, Reaches: true},
		{Name: "split", Options: splitOptions, New: newSplit, OwnCommon: true},
		{Name: "syslog_pri", Options: syslogPriOptions, New: newSyslogPri},
		{Name: "throttle", Options: throttleOptions, New: newThrottle, Shared: true},
		{Name: "translate", Options: translateOptions, New: newTranslate},
		{Name: "truncate", Options: truncateOptions, New: newTruncate},
		{Name: "urldecode", Options: urldecodeOptions, New: newURLDecode},
		{Name: "useragent", Options: useragentOptions, New: newUserAgent},
		{Name: "uuid", Options: uuidOptions, New: newUUID},
		{Name: "xml", Options: xmlOptions, New: newXML},
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

// WhyMissing says why a filter of Logstash is not here, or what to use; "" when there is no such filter.
func WhyMissing(name string) string {
	for _, m := range Missing() {
		if m[0] == name {
			return m[1]
		}
	}
	return ""
}

// Missing is the filters of Logstash that are not here, each with the reason or what to use.
func Missing() [][2]string {
	return [][2]string{{"alter", "use mutate with conditions"}, {"bytes", "use ruby"}, {"cipher", "no keys are kept in configurations"}, {"collate", "order is kept per file anyway"},
		{"elastic_integration", "runs ingest pipelines of a licensed cluster"}, {"environment", "use ${NAME} in mutate"}, {"extractnumbers", "use grok or ruby"},
		{"i18n", "use mutate or ruby"}, {"java_uuid", "use uuid"}, {"jdbc_static", "needs a database driver of Java"}, {"jdbc_streaming", "needs a database driver of Java"},
		{"memcached", "needs a server beside weir; use translate"}, {"metricize", "use split or ruby"}, {"oui", "use translate"}, {"range", "use conditions"},
		{"tld", "use ruby"}, {"wurfl_device_detection", "licensed; use useragent"}, {"zeromq", "use http"}}
}

// tags is the option tag_on_failure.
func tags(a *plugin.Args, option string) []string { return a.Strings(option) }

func fail(e *event.Event, tags []string) Result {
	for _, t := range tags {
		e.Tag(t)
	}
	return Failed
}
