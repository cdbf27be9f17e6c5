package script

import "math"

// function is a static method.
type function struct {
	args int
	call func(args []Value) (Value, error)
}

var constants = map[string]Value{"Math.PI": math.Pi, "Math.E": math.E}

// functions are the methods of Math and MovingFunctions.
var functions = map[string]function{
	"Math.abs": one(math.Abs), "Math.sqrt": one(math.Sqrt), "Math.cbrt": one(math.Cbrt), "Math.ceil": one(math.Ceil), "Math.floor": one(math.Floor),
	"Math.round": one(func(x float64) float64 { return math.Floor(x + 0.5) }), "Math.rint": one(math.RoundToEven), "Math.exp": one(math.Exp),
	"Math.log": one(math.Log), "Math.log10": one(math.Log10), "Math.sin": one(math.Sin), "Math.cos": one(math.Cos), "Math.tan": one(math.Tan),
	"Math.signum": one(func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}),
	"Math.max": two(math.Max), "Math.min": two(math.Min), "Math.pow": two(math.Pow), "Math.hypot": two(math.Hypot), "Math.atan2": two(math.Atan2),

	"saturation": two(func(x, k float64) float64 { return x / (k + x) }),
	"sigmoid": {3, func(args []Value) (Value, error) {
		var v [3]float64
		for i := range v {
			var err error
			if v[i], err = number(args[i]); err != nil {
				return nil, err
			}
		}
		a := math.Pow(v[0], v[2])
		return a / (math.Pow(v[1], v[2]) + a), nil
	}},

	"MovingFunctions.max":               window(movingMax),
	"MovingFunctions.min":               window(movingMin),
	"MovingFunctions.sum":               window(movingSum),
	"MovingFunctions.unweightedAvg":     window(movingAvg),
	"MovingFunctions.linearWeightedAvg": window(linearAvg),
	"MovingFunctions.stdDev":            {2, stdDev},
	"MovingFunctions.ewma":              {2, ewma},
	"MovingFunctions.holt":              {3, holt},
}

func one(f func(x float64) float64) function {
	return function{1, func(args []Value) (Value, error) {
		x, err := number(args[0])
		return f(x), err
	}}
}

func two(f func(x, y float64) float64) function {
	return function{2, func(args []Value) (Value, error) {
		x, err := number(args[0])
		if err != nil {
			return nil, err
		}
		y, err := number(args[1])
		return f(x, y), err
	}}
}

// window is a function of the values of a moving window, those that are no number left out.
func window(f func(vs []float64) float64) function {
	return function{1, func(args []Value) (Value, error) {
		vs, err := values(args[0])
		return f(vs), err
	}}
}

func values(v Value) ([]float64, error) {
	vs, ok := v.([]float64)
	if !ok {
		return nil, runtimef("cannot use [%s] as values", typeName(v))
	}
	out := make([]float64, 0, len(vs))
	for _, x := range vs {
		if !math.IsNaN(x) {
			out = append(out, x)
		}
	}
	return out, nil
}

func movingMax(vs []float64) float64 {
	out := math.NaN()
	for _, v := range vs {
		if math.IsNaN(out) || v > out {
			out = v
		}
	}
	return out
}

func movingMin(vs []float64) float64 {
	out := math.NaN()
	for _, v := range vs {
		if math.IsNaN(out) || v < out {
			out = v
		}
	}
	return out
}

func movingSum(vs []float64) float64 {
	sum := 0.0
	for _, v := range vs {
		sum += v
	}
	return sum
}

func movingAvg(vs []float64) float64 {
	if len(vs) == 0 {
		return math.NaN()
	}
	return movingSum(vs) / float64(len(vs))
}

func linearAvg(vs []float64) float64 {
	if len(vs) == 0 {
		return math.NaN()
	}
	sum, weight := 0.0, 0.0
	for i, v := range vs {
		w := float64(i + 1)
		sum += v * w
		weight += w
	}
	return sum / weight
}

// stdDev is the population deviation from a mean that the script gives.
func stdDev(args []Value) (Value, error) {
	vs, err := values(args[0])
	if err != nil {
		return nil, err
	}
	mean, err := number(args[1])
	if err != nil || len(vs) == 0 {
		return math.NaN(), err
	}
	sum := 0.0
	for _, v := range vs {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(vs))), nil
}

// ewma is the exponentially weighted average.
func ewma(args []Value) (Value, error) {
	vs, err := values(args[0])
	if err != nil {
		return nil, err
	}
	alpha, err := number(args[1])
	if err != nil || len(vs) == 0 {
		return math.NaN(), err
	}
	avg := vs[0]
	for _, v := range vs[1:] {
		avg = alpha*v + (1-alpha)*avg
	}
	return avg, nil
}

// holt is double exponential smoothing: level and trend.
func holt(args []Value) (Value, error) {
	vs, err := values(args[0])
	if err != nil {
		return nil, err
	}
	alpha, err := number(args[1])
	if err != nil {
		return nil, err
	}
	beta, err := number(args[2])
	if err != nil || len(vs) == 0 {
		return math.NaN(), err
	}
	level, trend := vs[0], 0.0
	if len(vs) > 1 {
		trend = vs[1] - vs[0]
	}
	for _, v := range vs[1:] {
		last := level
		level = alpha*v + (1-alpha)*(level+trend)
		trend = beta*(level-last) + (1-beta)*trend
	}
	return level, nil
}
