package agg

import (
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/script"
)

// movingFn runs a script over the values of a window of buckets; the window ends before the bucket itself.
type movingFn struct {
	pipeBase
	window, shift int
	script        *script.Script
	params        map[string]script.Value
}

func parseMovingFn(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &movingFn{}
	err := s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "window":
			s.window, err = windowOf(v)
		case "shift":
			if s.shift, ok = v.Int(); !ok {
				err = v.Errorf("[shift] must be a whole number")
			}
		case "script":
			s.script, s.params, err = compileScript(v)
		default:
			return false, nil
		}
		return true, err
	})
	switch {
	case err != nil:
	case s.window == 0:
		err = n.Errorf("Required [window]")
	case s.script == nil:
		err = n.Errorf("Required [script]")
	}
	return s, err
}

func windowOf(v *query.Node) (int, error) {
	w, ok := v.Int()
	if !ok || w <= 0 {
		return 0, query.Badf("[window] must be a positive, non-zero integer.")
	}
	return w, nil
}

// movingModels are the scripts that the models of the older moving_avg stand for.
var movingModels = map[string]string{
	"simple": "MovingFunctions.unweightedAvg(values)",
	"linear": "MovingFunctions.linearWeightedAvg(values)",
	"ewma":   "MovingFunctions.ewma(values, alpha)",
	"holt":   "MovingFunctions.holt(values, alpha, beta)",
}

// parseMovingAvg reads moving_avg as a moving_fn whose window ends with the bucket itself.
func parseMovingAvg(d *decoder, typ string, n *query.Node) (pipeline, error) {
	s := &movingFn{window: 5, shift: 1, params: map[string]script.Value{"alpha": 0.3, "beta": 0.1}}
	model := "simple"
	err := s.read(typ, n, func(key string, v *query.Node) (ok bool, err error) {
		switch key {
		case "window":
			s.window, err = windowOf(v)
		case "model":
			model = v.Str
		case "settings":
			scriptParams(v, s.params)
		case "minimize":
		default:
			return false, nil
		}
		return true, err
	})
	if err != nil {
		return nil, err
	}
	src, ok := movingModels[model]
	if !ok {
		return nil, n.Errorf("[moving_avg] model [%s] is not supported", model)
	}
	s.script, err = script.Compile(src)
	return s, scriptError(err)
}

func (*movingFn) parent() bool { return true }

func (s *movingFn) apply(r *reducer, name string, l *level) error {
	var values []float64
	var at []*bucket
	for _, e := range l.buckets.list {
		v, ok, err := s.value(e, s.paths[0])
		if err != nil {
			return err
		}
		if ok {
			values, at = append(values, v), append(at, e)
		}
	}
	clamp := func(i int) int { return max(0, min(i, len(values))) }
	for i, e := range at {
		env := map[string]script.Value{"values": values[clamp(i-s.window+s.shift):clamp(i+s.shift)]}
		for k, v := range s.params {
			env[k] = v
		}
		v, err := s.script.Run(env)
		if err != nil {
			return scriptError(err)
		}
		x, err := script.Number(v)
		if err != nil {
			return scriptError(err)
		}
		s.put(e, name, "simple_value", x)
	}
	return nil
}
