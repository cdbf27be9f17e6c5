package mapping

import (
	"strconv"

	"github.com/valyala/fastjson"
)

// plain is the text of a scalar: strings without quotes, others as written.
func plain(v *fastjson.Value) string {
	if v == nil {
		return ""
	}
	if v.Type() == fastjson.TypeString {
		return string(v.GetStringBytes())
	}
	return string(v.MarshalTo(nil))
}

// truth reads true, "true", false, "false".
func truth(v *fastjson.Value) bool { return plain(v) == "true" }

// numberOf reads 5 or "5"; 0 when it is neither.
func numberOf(v *fastjson.Value) int { return int(floatOf(v)) }

func floatOf(v *fastjson.Value) float64 {
	n, err := strconv.ParseFloat(plain(v), 64)
	if err != nil {
		return 0
	}
	return n
}

// texts reads a string or a list of them.
func texts(v *fastjson.Value) []string {
	if v == nil {
		return nil
	}
	if v.Type() == fastjson.TypeArray {
		var out []string
		for _, e := range v.GetArray() {
			out = append(out, plain(e))
		}
		return out
	}
	return []string{plain(v)}
}
