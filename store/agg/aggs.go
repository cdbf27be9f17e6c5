// Package agg computes Elasticsearch's aggregations.
//
// A Request is the parsed "aggs" of a search. Plan fits it to an index, Open binds that to a source, and the Collector gets the selected
// rows zone by zone; Finish gives a Partial. Reduce merges the partials of all sources by key, exactly: no bucket is cut before the merge,
// so doc_count_error_upper_bound is 0. Pipeline aggregations run on the merged buckets.
//
// Each aggregation has its file and an entry in the table; they share the numbered buckets, which is why they are one package.
//
// Inside, every aggregation of every bucket is one collector with numbered buckets: the parent hands it rows together with the number
// of the bucket each row is in.
package agg

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weirlog/weir/store/query"
)

// Bounds of a request.
const (
	MaxBuckets = 65536 // in one answer, empty ones included
	maxDepth   = 20
	maxAggs    = 1000
)

// spec is a parsed aggregation.
type spec interface {
	// bind fits it to an index.
	bind(c *planner) (binder, error)
	// reduce merges the parts of one bucket from all sources. parts may be empty.
	reduce(r *reducer, a *Agg, parts []partial) (result, error)
}

// binder makes the collector of a source.
type binder interface {
	open(o *opener) collector
}

// collector gathers one aggregation over one source, for all buckets of its parent at once. One goroutine uses it.
type collector interface {
	collect(b *batch) error
	// finish is the part of one bucket; it may be asked for buckets that got no row.
	finish(bucket int) partial
}

// partial is what a source knows of one aggregation in one bucket.
type partial any

// pipeline works on finished buckets.
type pipeline interface {
	// apply changes the buckets of the parent, or (siblings) adds to the results beside it.
	apply(r *reducer, name string, level *level) error
	// parent tells that it works on the buckets of the aggregation it stands in.
	parent() bool
}

// parseFunc reads the body of an aggregation.
type parseFunc func(d *decoder, a *Agg, n *query.Node) (spec, error)

// pipeFunc reads the body of a pipeline aggregation.
type pipeFunc func(d *decoder, typ string, n *query.Node) (pipeline, error)

// table names the aggregations.
func table() map[string]parseFunc {
	return map[string]parseFunc{
		"terms":            parseTerms,
		"date_histogram":   parseDateHistogram,
		"histogram":        parseHistogram,
		"range":            parseRange,
		"date_range":       parseDateRange,
		"ip_range":         parseIPRange,
		"filter":           parseFilter,
		"filters":          parseFilters,
		"missing":          parseMissing,
		"global":           parseGlobal,
		"composite":        parseComposite,
		"min":              parseStats,
		"max":              parseStats,
		"sum":              parseStats,
		"avg":              parseStats,
		"value_count":      parseValueCount,
		"stats":            parseStats,
		"extended_stats":   parseStats,
		"cardinality":      parseCardinality,
		"percentiles":      parsePercentiles,
		"percentile_ranks": parsePercentileRanks,
		"top_hits":         parseTopHits,
		"top_metrics":      parseTopMetrics,

		"adjacency_matrix":          parseAdjacencyMatrix,
		"auto_date_histogram":       parseAutoDateHistogram,
		"boxplot":                   parseBoxplot,
		"categorize_text":           parseCategorizeText,
		"geo_bounds":                parseGeoMetric,
		"geo_centroid":              parseGeoMetric,
		"geohash_grid":              parseGeohashGrid,
		"geotile_grid":              parseGeotileGrid,
		"ip_prefix":                 parseIPPrefix,
		"median_absolute_deviation": parseMedianDeviation,
		"multi_terms":               parseMultiTerms,
		"random_sampler":            parseRandomSampler,
		"rare_terms":                parseRareTerms,
		"rate":                      parseRate,
		"significant_terms":         parseSignificantTerms,
		"string_stats":              parseStringStats,
		"weighted_avg":              parseWeightedAvg,
	}
}

// pipes names the pipeline aggregations.
func pipes() map[string]pipeFunc {
	return map[string]pipeFunc{
		"bucket_script":         parseBucketScript,
		"bucket_selector":       parseBucketSelector,
		"bucket_sort":           parseBucketSort,
		"derivative":            parseDerivative,
		"cumulative_sum":        parseCumulativeSum,
		"serial_diff":           parseSerialDiff,
		"moving_fn":             parseMovingFn,
		"moving_avg":            parseMovingAvg,
		"max_bucket":            parseSibling,
		"min_bucket":            parseSibling,
		"avg_bucket":            parseSibling,
		"sum_bucket":            parseSibling,
		"stats_bucket":          parseSibling,
		"extended_stats_bucket": parseSibling,
		"percentiles_bucket":    parseSibling,

		"normalize":              parseNormalize,
		"cumulative_cardinality": parseCumulativeCardinality,
	}
}

// Agg is one aggregation of a request.
type Agg struct {
	name, typ string
	meta      string // JSON, "" for none
	spec      spec
	subs      []*Agg
	pipes     []*pipe // among its subs
	global    bool
}

// pipe is one pipeline aggregation of a request.
type pipe struct {
	name string
	meta string
	pipe pipeline
}

// Request is the parsed "aggs" of a search.
type Request struct {
	aggs  []*Agg
	pipes []*pipe
}

type decoder struct {
	table map[string]parseFunc
	pipes map[string]pipeFunc
	depth int
	count int
}

// Parse reads {"name": {"terms": {...}, "aggs": {...}}, ...}.
func Parse(n *query.Node) (*Request, error) {
	d := &decoder{table: table(), pipes: pipes()}
	r := &Request{}
	var err error
	r.aggs, r.pipes, err = d.level(n, nil)
	return r, err
}

func (d *decoder) level(n *query.Node, parent *Agg) (aggs []*Agg, pp []*pipe, err error) {
	if n.Kind != query.Object {
		return nil, nil, n.Errorf("Expected [START_OBJECT] under [aggs]")
	}
	if d.depth++; d.depth > maxDepth {
		return nil, nil, query.Badf("aggregations are nested deeper than %d", maxDepth)
	}
	defer func() { d.depth-- }()
	for i, k := range n.Keys {
		if strings.ContainsAny(k.Name, "[]>") || k.Name == "" {
			return nil, nil, n.KeyErrorf(i, "Invalid aggregation name [%s]. Aggregation names can contain any character except '[', ']', and '>'", k.Name)
		}
		if d.count++; d.count > maxAggs {
			return nil, nil, query.Badf("more than %d aggregations", maxAggs)
		}
		a, p, err := d.agg(k.Name, n.Vals[i])
		if err != nil {
			return nil, nil, err
		}
		if p != nil {
			pp = append(pp, p)
			continue
		}
		if a.global && parent != nil {
			return nil, nil, query.Badf("Aggregator [%s] of type [global] cannot accept sub-aggregations of others: it can only be defined at the top level", k.Name)
		}
		if a.typ == "composite" && parent != nil {
			return nil, nil, query.Badf("[composite] aggregation cannot be used with a parent aggregation of type: [%s]", parent.typ)
		}
		aggs = append(aggs, a)
	}
	return aggs, pp, nil
}

// agg reads one named aggregation: a type with its body, "aggs" and "meta".
func (d *decoder) agg(name string, n *query.Node) (*Agg, *pipe, error) {
	if n.Kind != query.Object {
		return nil, nil, n.Errorf("Aggregation definition for [%s] must be an object", name)
	}
	a := &Agg{name: name}
	at := -1
	var subs *query.Node
	for i, k := range n.Keys {
		switch k.Name {
		case "aggs", "aggregations":
			subs = n.Vals[i]
		case "meta":
			a.meta = n.Vals[i].Raw()
		default:
			if at >= 0 {
				return nil, nil, n.KeyErrorf(i, "Found two aggregation type definitions in [%s]: [%s] and [%s]", name, n.Keys[at].Name, k.Name)
			}
			at = i
		}
	}
	if at < 0 {
		return nil, nil, n.Errorf("Missing definition for aggregation [%s]", name)
	}
	a.typ = n.Keys[at].Name
	if p, ok := d.pipes[a.typ]; ok {
		made, err := p(d, a.typ, n.Vals[at])
		return nil, &pipe{name, a.meta, made}, err
	}
	parse, ok := d.table[a.typ]
	if !ok {
		return nil, nil, d.unknown(n, at)
	}
	if n.Vals[at].Kind != query.Object {
		return nil, nil, n.Vals[at].Errorf("Expected [START_OBJECT] under [%s] in [%s]", a.typ, name)
	}
	var err error
	if a.spec, err = parse(d, a, n.Vals[at]); err != nil {
		return nil, nil, err
	}
	if subs != nil {
		if _, leaf := a.spec.(metric); leaf && len(subs.Keys) > 0 {
			return nil, nil, query.Badf("Aggregator [%s] of type [%s] cannot accept sub-aggregations", name, a.typ)
		}
		a.subs, a.pipes, err = d.level(subs, a)
	}
	return a, nil, err
}

func (d *decoder) unknown(n *query.Node, at int) error {
	var names []string
	for k := range d.table {
		names = append(names, k)
	}
	for k := range d.pipes {
		names = append(names, k)
	}
	slices.Sort(names)
	return n.KeyErrorf(at, "Unknown aggregation type [%s]%s", n.Keys[at].Name, query.DidYouMean(n.Keys[at].Name, names))
}

// metric marks aggregations that have no buckets.
type metric interface{ isMetric() }

// members walks the parameters of an aggregation.
func members(a *Agg, n *query.Node, set func(key string, v *query.Node) (ok bool, err error)) error {
	for i, k := range n.Keys {
		ok, err := set(k.Name, n.Vals[i])
		if err != nil {
			return err
		}
		if !ok {
			if k.Name == "script" {
				return n.KeyErrorf(i, "[%s] scripts as values are not supported in aggregation [%s]", a.typ, a.name)
			}
			e := n.KeyErrorf(i, "[%s] unknown field [%s]", a.typ, k.Name)
			e.Type = "x_content_parse_exception"
			return e
		}
	}
	return nil
}

// wrong is the error for a parameter of another type.
func wrong(v *query.Node, a *Agg, key string) error {
	e := v.Errorf("[%s] failed to parse field [%s]", a.typ, key)
	e.Type = "x_content_parse_exception"
	return e
}

// Plan is a request fitted to one index.
type Plan struct {
	req   *Request
	binds []binding
	mem   *query.Reservation
}

// binding is an aggregation with its binder and those below it.
type binding struct {
	agg  *Agg
	bind binder
	subs []binding
}

type planner struct {
	query.Context
	agg *Agg
}

// Plan fits the request to an index.
func (r *Request) Plan(c query.Context) (*Plan, error) {
	binds, err := bindAll(r.aggs, c)
	return &Plan{r, binds, c.Memory}, err
}

func bindAll(aggs []*Agg, c query.Context) ([]binding, error) {
	out := make([]binding, 0, len(aggs))
	for _, a := range aggs {
		b := binding{agg: a}
		var err error
		if b.bind, err = a.spec.bind(&planner{c, a}); err != nil {
			return nil, err
		}
		if b.subs, err = bindAll(a.subs, c); err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// opener is what a binder needs to make a collector.
type opener struct {
	src  query.Source
	ord  int // of the source in the search
	subs []binding
	mem  *query.Reservation
}

// children opens the collectors below.
func (o *opener) children() []collector {
	out := make([]collector, len(o.subs))
	for i, b := range o.subs {
		out[i] = b.bind.open(&opener{o.src, o.ord, b.subs, o.mem})
	}
	return out
}

// Collector gathers a request over one source.
type Collector struct {
	plan  *Plan
	colls []collector
	batch batch
	src   query.Source
}

// Open binds the plan to a source; ord is the source's number in the search.
func (p *Plan) Open(src query.Source, ord int) *Collector {
	o := &opener{src, ord, p.binds, p.mem}
	return &Collector{plan: p, colls: o.children(), src: src}
}

// Global tells that some aggregations look at every document.
func (c *Collector) Global() bool {
	return slices.ContainsFunc(c.plan.req.aggs, func(a *Agg) bool { return a.global })
}

// Collect takes the selected rows of a zone.
func (c *Collector) Collect(zone int, sel *query.Selection) error { return c.collect(zone, sel, false) }

// CollectGlobal takes all rows of a zone, for the aggregations that look at every document.
func (c *Collector) CollectGlobal(zone int, sel *query.Selection) error {
	return c.collect(zone, sel, true)
}

func (c *Collector) collect(zone int, sel *query.Selection, global bool) error {
	c.batch.set(zone, sel)
	for i, b := range c.plan.binds {
		if b.agg.global != global {
			continue
		}
		if err := c.colls[i].collect(&c.batch); err != nil {
			return err
		}
	}
	return c.plan.mem.Err()
}

// Partial is what one source adds to the answer.
type Partial struct{ parts []partial }

// Finish ends the collecting.
func (c *Collector) Finish() *Partial { return &Partial{finishAll(c.colls, 0)} }

func finishAll(colls []collector, bucket int) []partial {
	if len(colls) == 0 {
		return nil
	}
	out := make([]partial, len(colls))
	for i, c := range colls {
		out[i] = c.finish(bucket)
	}
	return out
}

func tooManyBuckets() error {
	return &query.Error{Status: 400, Type: "too_many_buckets_exception", Reason: fmt.Sprintf("Trying to create too many buckets. Must be less than or "+
		"equal to: [%d] but was [%d]. This limit can be set by changing the [search.max_buckets] cluster level setting.", MaxBuckets, MaxBuckets+1)}
}
