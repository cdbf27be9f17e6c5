package query

import (
	"math"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/zeebo/xxh3"
)

// functionScore is function_score.
type functionScore struct {
	base
	query     Query
	functions []scoreFunction
	mode      string // score_mode
	boostMode string
	max       float32 // max_boost
	min       *float32
}

// scoreFunction is one function with the documents it is for.
type scoreFunction struct {
	filter Query // nil: all
	weight float64
	make   func(p *planner) (func(s *Scan) rowFunction, error) // nil: weight alone
}

// rowFunction is the value of a function for a row.
type rowFunction func(zone, row int, score float32) float64

func parseFunctionScore(d *decoder, name string, n *Node) (Query, error) {
	q := &functionScore{query: MatchAll(), mode: "multiply", boostMode: "multiply", max: math.MaxFloat32}
	single := scoreFunction{weight: 1}
	one := false
	err := q.members(name, n, func(key string, v *Node) (ok bool, err error) {
		switch key {
		case "query":
			q.query, err = d.query(v)
		case "functions":
			for _, e := range v.Vals {
				f, err := d.scoreFunction(e)
				if err != nil {
					return true, err
				}
				q.functions = append(q.functions, f)
			}
		case "score_mode":
			return oneOf(name, key, v, &q.mode, "multiply", "sum", "avg", "first", "max", "min")
		case "boost_mode":
			return oneOf(name, key, v, &q.boostMode, "multiply", "replace", "sum", "avg", "max", "min")
		case "max_boost":
			return real(name, key, v, &q.max)
		case "min_score":
			q.min = new(float32)
			return real(name, key, v, q.min)
		default:
			one = true
			return d.functionPart(&single, key, v)
		}
		return true, err
	})
	if err == nil && one {
		if len(q.functions) > 0 {
			return nil, n.Errorf("failed to parse [function_score] query. already found [functions], now encountering another function")
		}
		q.functions = []scoreFunction{single}
	}
	return q, err
}

func (d *decoder) scoreFunction(n *Node) (f scoreFunction, err error) {
	f.weight = 1
	for i, k := range n.Keys {
		if k.Name == "filter" {
			f.filter, err = d.query(n.Vals[i])
		} else {
			var ok bool
			if ok, err = d.functionPart(&f, k.Name, n.Vals[i]); err == nil && !ok {
				err = n.KeyErrorf(i, "[function_score] unknown function [%s]", k.Name)
			}
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// functionPart reads one member of a function; ok is false for names that are none.
func (d *decoder) functionPart(f *scoreFunction, key string, v *Node) (ok bool, err error) {
	switch key {
	case "weight":
		if f.weight, ok = v.Float(); !ok {
			err = v.Errorf("[function_score] failed to parse field [weight]")
		}
	case "random_score":
		f.make, err = randomScore(v)
	case "field_value_factor":
		f.make, err = fieldValueFactor(v)
	case "script_score":
		f.make, err = scriptFunction(v)
	case "gauss", "exp", "linear":
		f.make, err = decay(key, v)
	default:
		return false, nil
	}
	return true, err
}

// randomScore is a number from 0 to 1, the same for a row and seed.
func randomScore(n *Node) (func(p *planner) (func(s *Scan) rowFunction, error), error) {
	seed, field := "", ""
	for i, k := range n.Keys {
		switch k.Name {
		case "seed":
			seed, _ = n.Vals[i].Text()
		case "field":
			field = n.Vals[i].Str
		default:
			return nil, n.KeyErrorf(i, "[random_score] unknown field [%s]", k.Name)
		}
	}
	return func(p *planner) (func(s *Scan) rowFunction, error) {
		return func(s *Scan) rowFunction {
			return func(zone, row int, _ float32) float64 {
				text := seed + "\x00" + s.src.ID(zone*ZoneRows+row) + "\x00" + field
				return float64(xxh3.HashString(text)>>40) / (1 << 24)
			}
		}, nil
	}, nil
}

// modifiers of field_value_factor.
var modifiers = map[string]func(x float64) float64{
	"none": func(x float64) float64 { return x }, "log": math.Log10, "log1p": func(x float64) float64 { return math.Log10(x + 1) },
	"log2p": func(x float64) float64 { return math.Log10(x + 2) }, "ln": math.Log, "ln1p": math.Log1p, "ln2p": func(x float64) float64 { return math.Log(x + 2) },
	"square": func(x float64) float64 { return x * x }, "sqrt": math.Sqrt, "reciprocal": func(x float64) float64 { return 1 / x },
}

func fieldValueFactor(n *Node) (func(p *planner) (func(s *Scan) rowFunction, error), error) {
	field, factor, modifier := "", 1.0, modifiers["none"]
	var missing *float64
	for i, k := range n.Keys {
		v := n.Vals[i]
		ok := true
		switch k.Name {
		case "field":
			field = v.Str
		case "factor":
			factor, ok = v.Float()
		case "modifier":
			modifier, ok = modifiers[v.Str]
		case "missing":
			missing = new(float64)
			*missing, ok = v.Float()
		default:
			return nil, n.KeyErrorf(i, "[field_value_factor] unknown field [%s]", k.Name)
		}
		if !ok {
			return nil, v.Errorf("[field_value_factor] failed to parse field [%s]", k.Name)
		}
	}
	if field == "" {
		return nil, n.Errorf("[field_value_factor] required field 'field' missing")
	}
	return func(p *planner) (func(s *Scan) rowFunction, error) {
		return func(s *Scan) rowFunction {
			values := newDocValues(s.src, p.Mapping)
			run := &scriptRun{}
			s.watch(run)
			return func(zone, row int, _ float32) float64 {
				values.zone = zone
				x := 0.0
				switch vs := values.numbers(field, row); {
				case len(vs) > 0:
					x = vs[0]
				case missing != nil:
					x = *missing
				default:
					run.err = badf("Missing value for field [%s]", field)
					return 0
				}
				v := modifier(x * factor)
				if v < 0 || math.IsNaN(v) {
					run.err = badf("field value function must not produce negative scores, but got: [%s] for field value: [%s]", javaFloat(v), javaFloat(x))
				}
				return v
			}
		}, nil
	}, nil
}

func scriptFunction(n *Node) (func(p *planner) (func(s *Scan) rowFunction, error), error) {
	v := n.Get("script")
	if v == nil {
		return nil, n.Errorf("[script_score] requires 'script' field")
	}
	q := &scriptScore{query: MatchAll()}
	var err error
	if q.script, q.params, err = scriptOf(v); err != nil {
		return nil, err
	}
	return func(p *planner) (func(s *Scan) rowFunction, error) {
		return func(s *Scan) rowFunction {
			change := q.rescore(s, p.Mapping)
			return func(zone, row int, score float32) float64 { return float64(change(zone, row, score)) }
		}, nil
	}, nil
}

func (q *functionScore) plan(p *planner) (node, error) {
	inner, err := p.plan(q.query)
	if err != nil || p.Mapping == nil || isNone(inner) || !p.scoring && q.min == nil {
		return inner, err
	}
	scoring := p.scoring
	p.scoring = false
	defer func() { p.scoring = scoring }()
	type planned struct {
		filter node
		weight float64
		make   func(s *Scan) rowFunction
	}
	var fs []planned
	for _, f := range q.functions {
		pf := planned{weight: f.weight}
		if f.filter != nil {
			if pf.filter, err = p.plan(f.filter); err != nil {
				return nil, err
			}
		}
		if f.make != nil {
			if pf.make, err = f.make(p); err != nil {
				return nil, err
			}
		}
		fs = append(fs, pf)
	}
	return boost(&rescoredNode{node: inner, min: q.min, make: func(s *Scan) rescore {
		r := &functionRun{spec: q}
		for _, f := range fs {
			o := openFunction{weight: f.weight, zone: -1}
			if f.filter != nil {
				o.filter = f.filter.open(s)
			}
			if f.make != nil {
				o.value = f.make(s)
			}
			r.functions = append(r.functions, o)
		}
		return r.score
	}}, q.boost), nil
}

// openFunction is a function over one source.
type openFunction struct {
	filter matcher // nil: every row
	weight float64
	value  rowFunction
	zone   int
	hits   Selection // of the filter in zone
}

func (f *openFunction) applies(zone, row int) bool {
	if f.filter == nil {
		return true
	}
	if f.zone != zone {
		f.zone = zone
		fillZone(&f.hits, ZoneRows)
		if f.filter.next(zone) != zone || !f.filter.and(zone, &f.hits) {
			f.hits = Selection{}
		}
	}
	return f.hits.Get(row)
}

type functionRun struct {
	spec      *functionScore
	functions []openFunction
}

// score combines the functions, then the result with the query's score.
func (r *functionRun) score(zone, row int, score float32) float32 {
	total, weights, any := 0.0, 0.0, false
	for i := range r.functions {
		f := &r.functions[i]
		if !f.applies(zone, row) {
			continue
		}
		v := f.weight
		if f.value != nil {
			v *= f.value(zone, row, score)
		}
		weights += f.weight
		if !any {
			total, any = v, true
			if r.spec.mode == "first" {
				break
			}
			continue
		}
		switch r.spec.mode {
		case "multiply":
			total *= v
		case "sum", "avg":
			total += v
		case "max":
			total = math.Max(total, v)
		case "min":
			total = math.Min(total, v)
		}
	}
	if !any {
		total = 1
	} else if r.spec.mode == "avg" && weights != 0 {
		total /= weights
	}
	total = math.Min(total, float64(r.spec.max))
	s := float64(score)
	switch r.spec.boostMode {
	case "replace":
		s = total
	case "sum":
		s += total
	case "avg":
		s = (s + total) / 2
	case "max":
		s = math.Max(s, total)
	case "min":
		s = math.Min(s, total)
	default:
		s *= total
	}
	return float32(s)
}

// decay is gauss, exp and linear: 1 at the origin, decay at scale behind offset.
func decay(kind string, n *Node) (func(p *planner) (func(s *Scan) rowFunction, error), error) {
	field, body, mode := "", (*Node)(nil), "min"
	for i, k := range n.Keys {
		if k.Name == "multi_value_mode" {
			mode = n.Vals[i].Str
			continue
		}
		field, body = k.Name, n.Vals[i]
	}
	if body == nil || body.Kind != Object {
		return nil, n.Errorf("malformed score function score parameters")
	}
	return func(p *planner) (func(s *Scan) rowFunction, error) {
		f := p.Mapping.Field(field)
		if f == nil {
			return nil, shardf("unknown field [%s]", field)
		}
		d := &decayFunction{f: f, mode: mode, decay: 0.5}
		if err := d.read(p, body); err != nil {
			return nil, err
		}
		d.shape(kind)
		return d.open, nil
	}, nil
}

type decayFunction struct {
	f                            *mapping.Field
	mode                         string
	origin, lat, lon             float64
	scale, offset, decay, factor float64
	value                        func(distance float64) float64
}

// read takes origin, scale, offset in the units of the field: numbers, milliseconds, metres.
func (d *decayFunction) read(p *planner, n *Node) error {
	origin, scale, offset := n.Get("origin"), n.Get("scale"), n.Get("offset")
	if v := n.Get("decay"); v != nil {
		var ok bool
		if d.decay, ok = v.Float(); !ok || d.decay <= 0 || d.decay >= 1 {
			return badf("decay must be in the range (0..1).")
		}
	}
	if scale == nil || origin == nil && !d.f.Type.IsDate() {
		return badf("both [scale] and [origin] must be set for numeric fields.")
	}
	length := func(v *Node, dst *float64) (err error) {
		if v == nil {
			return nil
		}
		text, _ := v.Text()
		switch {
		case d.f.Type == mapping.GeoPoint:
			*dst, err = ParseDistance(text)
		case d.f.Type.IsDate():
			var dur time.Duration
			dur, err = ParseDuration("scale", text)
			*dst = float64(dur.Milliseconds())
		default:
			var ok bool
			if *dst, ok = v.Float(); !ok {
				err = v.Errorf("failed to parse [%s] of a decay function", text)
			}
		}
		return err
	}
	if err := length(scale, &d.scale); err != nil {
		return err
	}
	if err := length(offset, &d.offset); err != nil {
		return err
	}
	if d.scale <= 0 {
		return badf("[scale] must be > 0")
	}
	return d.readOrigin(p, origin)
}

func (d *decayFunction) readOrigin(p *planner, n *Node) (err error) {
	switch {
	case d.f.Type == mapping.GeoPoint:
		d.lat, d.lon, err = ParsePoint(n)
		return err
	case d.f.Type.IsDate():
		text := "now"
		if n != nil {
			text, _ = n.Text()
		}
		ms, err := p.date(d.f, text, nil, nil, false)
		if d.f.Type == mapping.DateNanos {
			ms /= 1e6
		}
		d.origin = float64(ms)
		return err
	}
	var ok bool
	if d.origin, ok = n.Float(); !ok || d.f.Type.Kind() != mapping.Numbers {
		return badf("field [%s] is of type [%s], but only numeric types are supported.", d.f.Path, d.f.TypeName)
	}
	return nil
}

func (d *decayFunction) shape(kind string) {
	switch kind {
	case "gauss":
		d.factor = 0.5 * d.scale * d.scale / math.Log(d.decay)
		d.value = func(x float64) float64 { return math.Exp(0.5 * x * x / d.factor) }
	case "exp":
		d.factor = math.Log(d.decay) / d.scale
		d.value = func(x float64) float64 { return math.Exp(d.factor * x) }
	default:
		d.factor = d.scale / (1 - d.decay)
		d.value = func(x float64) float64 { return math.Max(0, (d.factor-x)/d.factor) }
	}
}

// open: a row without a value has 1.
func (d *decayFunction) open(s *Scan) rowFunction {
	at := newDistances(s.src, d.f, d.origin, d.lat, d.lon)
	return func(zone, row int, _ float32) float64 {
		ds := at.of(zone, row)
		if len(ds) == 0 {
			return 1
		}
		return d.value(math.Max(0, pick(ds, d.mode)-d.offset))
	}
}

// pick makes one of several distances.
func pick(ds []float64, mode string) float64 {
	out := ds[0]
	sum := 0.0
	for _, d := range ds {
		sum += d
		switch mode {
		case "max":
			out = math.Max(out, d)
		default:
			out = math.Min(out, d)
		}
	}
	switch mode {
	case "sum":
		return sum
	case "avg":
		return sum / float64(len(ds))
	}
	return out
}
