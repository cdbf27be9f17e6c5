package query

import (
	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/script"
)

// docValues reads fields of single rows, for scripts and functions. One goroutine uses it, zone by zone.
type docValues struct {
	src  Source
	m    *mapping.Mapping
	zone int
	cols map[string]*docColumn
}

// docColumn is one column, its zone decoded when it is asked for.
type docColumn struct {
	f    *mapping.Field
	zone int
	nums Numbers
	ords Ordinals
	strs Strings
	vec  NumberVec
	ovec OrdVec
}

func newDocValues(src Source, m *mapping.Mapping) *docValues {
	return &docValues{src: src, m: m, cols: map[string]*docColumn{}}
}

// column is nil for fields that the mapping has not.
func (d *docValues) column(field string) *docColumn {
	if c, ok := d.cols[field]; ok {
		return c
	}
	var c *docColumn
	if f := d.m.Field(field); f != nil {
		c = &docColumn{f: f, zone: -1}
		switch col := d.src.Field(f.Column()).(type) {
		case Numbers:
			c.nums = col
		case Ordinals:
			c.ords = col
		case Strings:
			c.strs = col
		}
	}
	d.cols[field] = c
	return c
}

// numbers are the values of a row of the zone as floats: dates in milliseconds, booleans 0 and 1.
func (d *docValues) numbers(field string, row int) []float64 {
	c := d.column(field)
	if c == nil || c.nums == nil {
		return nil
	}
	if c.zone != d.zone {
		c.zone = d.zone
		c.nums.Load(d.zone, &c.vec)
	}
	if !c.vec.Has.Get(row) {
		return nil
	}
	vs := c.vec.V[row : row+1]
	if c.vec.Start != nil {
		vs = c.vec.V[c.vec.Start[row]:c.vec.Start[row+1]]
	}
	out := make([]float64, len(vs))
	for i, v := range vs {
		switch {
		case c.f.Type.IsFloat():
			out[i] = FloatOf(v)
		case c.f.Type == mapping.UnsignedLong:
			out[i] = float64(uint64(v) ^ 1<<63)
		case c.f.Type == mapping.DateNanos:
			out[i] = float64(v / 1e6)
		default:
			out[i] = float64(v)
		}
	}
	return out
}

// texts are the values of a row of the zone of a keyword-like column.
func (d *docValues) texts(field string, row int) (out []string) {
	c := d.column(field)
	switch {
	case c == nil:
	case c.ords != nil:
		if c.zone != d.zone {
			c.zone = d.zone
			c.ords.Load(d.zone, &c.ovec)
		}
		if !c.ovec.Has.Get(row) {
			return nil
		}
		vs := c.ovec.V[row : row+1]
		if c.ovec.Start != nil {
			vs = c.ovec.V[c.ovec.Start[row]:c.ovec.Start[row+1]]
		}
		for _, o := range vs {
			out = append(out, c.f.TermText(c.ords.Value(o)))
		}
	case c.strs != nil:
		c.strs.Each(d.zone*ZoneRows+row, func(v []byte) { out = append(out, c.f.TermText(v)) })
	}
	return out
}

// doc is doc['field'] of scripts for a row of the zone.
func (d *docValues) doc(row int) script.Doc {
	return func(field string) ([]script.Value, bool) {
		f := d.m.Field(field)
		if f == nil {
			return nil, false
		}
		var out []script.Value
		if f.Type.Kind() != mapping.Numbers {
			for _, t := range d.texts(field, row) {
				out = append(out, t)
			}
			return out, true
		}
		for _, v := range d.numbers(field, row) {
			if f.Type == mapping.Boolean {
				out = append(out, v != 0)
			} else {
				out = append(out, v)
			}
		}
		return out, true
	}
}

// scriptOf reads a script of a request, with doc['field'].
func scriptOf(n *Node) (s *script.Script, params map[string]script.Value, err error) {
	params = map[string]script.Value{}
	src := n.Str
	if n.Kind == Object {
		for i, k := range n.Keys {
			v := n.Vals[i]
			switch k.Name {
			case "source", "inline":
				src = v.Str
			case "lang":
				if v.Str != "painless" && v.Str != "expression" {
					return nil, nil, badf("script_lang not supported [%s]", v.Str)
				}
			case "params":
				for j, pk := range v.Keys {
					params[pk.Name] = scriptValue(v.Vals[j])
				}
			case "id":
				return nil, nil, v.Errorf("stored scripts are not supported here")
			default:
				return nil, nil, n.KeyErrorf(i, "[script] unknown field [%s]", k.Name)
			}
		}
	}
	if s, err = script.CompileDoc(src); err != nil {
		err = scriptFault(err)
	}
	return s, params, err
}

func scriptValue(v *Node) script.Value {
	switch v.Kind {
	case Number:
		f, _ := v.Float()
		return f
	case Bool:
		return v.Str == "true"
	case String:
		return v.Str
	case Array:
		var out []float64
		for _, e := range v.Vals {
			f, _ := e.Float()
			out = append(out, f)
		}
		return out
	}
	return nil
}

func scriptFault(err error) error {
	return &Error{Status: 400, Type: "script_exception", Reason: err.Error()}
}

// scriptRun runs a script over rows.
type scriptRun struct {
	script *script.Script
	values *docValues
	env    map[string]script.Value
	err    error // the first; rows after it do not match
}

func newScriptRun(s *script.Script, params map[string]script.Value, src Source, m *mapping.Mapping) *scriptRun {
	r := &scriptRun{script: s, values: newDocValues(src, m), env: make(map[string]script.Value, len(params)+2)}
	for k, v := range params {
		r.env[k] = v
	}
	return r
}

func (r *scriptRun) run(zone, row int, score float32) script.Value {
	if r.err != nil {
		return nil
	}
	r.values.zone = zone
	r.env["doc"], r.env["_score"] = r.values.doc(row), float64(score)
	v, err := r.script.Run(r.env)
	if err != nil {
		r.err = scriptFault(err)
	}
	return v
}
