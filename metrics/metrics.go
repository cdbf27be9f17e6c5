// Package metrics is the one registry of series, the readiness of the parts, and the HTTP handler that shows both.
//
// A part keeps its own counters and tells them through functions registered here, so that counting costs the part an atomic add and
// nothing knows of the exporter but this package. Series are named weir_<part>_<noun>_<unit>; cmd/weir registers all of them, and a
// golden file beside it lists them.
package metrics

import (
	"fmt"
	"net/http"
	"sort"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds every series of the process. It is safe for concurrent use.
type Registry struct {
	reg *prometheus.Registry
}

// New makes a registry with the series of the Go runtime and the process.
func New() *Registry {
	r := &Registry{reg: prometheus.NewRegistry()}
	r.reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Counter registers a series that only grows, read from f at each scrape.
func (r *Registry) Counter(name, help string, f func() float64) {
	r.reg.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, f))
}

// Gauge registers a series that goes up and down, read from f at each scrape.
func (r *Registry) Gauge(name, help string, f func() float64) {
	r.reg.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, f))
}

// maxLabelled is the most children a labelled series shows; the rest is left out, so that a client cannot grow the answer.
const maxLabelled = 1000

// Labelled registers a series per label value; collect calls add for each child at a scrape.
func (r *Registry) Labelled(name, help string, counter bool, labels []string, collect func(add func(v float64, labels ...string))) {
	kind := prometheus.GaugeValue
	if counter {
		kind = prometheus.CounterValue
	}
	r.reg.MustRegister(&labelled{prometheus.NewDesc(name, help, labels, nil), kind, collect})
}

type labelled struct {
	desc    *prometheus.Desc
	kind    prometheus.ValueType
	collect func(add func(v float64, labels ...string))
}

func (l *labelled) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

func (l *labelled) Collect(ch chan<- prometheus.Metric) {
	n := 0
	l.collect(func(v float64, labels ...string) {
		if n++; n > maxLabelled {
			return
		}
		m, err := prometheus.NewConstMetric(l.desc, l.kind, v, labels...)
		if err != nil {
			m = prometheus.NewInvalidMetric(l.desc, fmt.Errorf("series with labels %q: %w", labels, err))
		}
		ch <- m
	})
}

// Handler answers GET /metrics in Prometheus' text format.
func (r *Registry) Handler() http.Handler {
	return promhttp.HandlerFor(r.reg, promhttp.HandlerOpts{})
}

// Names lists the series of weir that have a value now, without those of the runtime.
func (r *Registry) Names() ([]string, error) {
	families, err := r.reg.Gather()
	if err != nil {
		return nil, fmt.Errorf("gather series: %w", err)
	}
	var names []string
	for _, f := range families {
		if len(f.GetName()) > 5 && f.GetName()[:5] == "weir_" {
			names = append(names, f.GetName())
		}
	}
	sort.Strings(names)
	return names, nil
}
