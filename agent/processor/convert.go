package processor

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"

	"github.com/weirlog/weir/agent/tree"
)

func compileConvert(args arguments) (run, error) {
	list, err := args.objects("fields")
	if err != nil {
		return nil, err
	}
	missingOK, strict, err1 := args.flags()
	mode, err2 := args.text("mode", "copy")
	_, err3 := args.text("tag", "")
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	if mode != "copy" && mode != "rename" {
		return nil, fmt.Errorf("mode: %q is not copy or rename", mode)
	}
	var changes []change
	for _, m := range list {
		from, _ := m["from"].(string)
		to, _ := m["to"].(string)
		typ, _ := m["type"].(string)
		if from == "" || to == "" && typ == "" {
			return nil, errors.New("fields: want from, and to or type")
		}
		if _, err := convertTo("0", typ); err != nil && typ != "ip" && typ != "boolean" {
			return nil, err
		}
		changes = append(changes, func(ev *tree.Event) error {
			v, ok := ev.Get(from)
			if !ok {
				return missing(from, missingOK)
			}
			out, err := convertTo(v, typ)
			if err != nil {
				return fmt.Errorf("field %s: %w", from, err)
			}
			if to != "" && mode == "rename" {
				tree.Drop(ev.Fields, from)
			}
			if to == "" {
				put(ev, from, out)
			} else {
				put(ev, to, out)
			}
			return nil
		})
	}
	return allOrNone(strict, changes), nil
}

// convertTo is v as a type of convert; "" leaves it.
func convertTo(v any, typ string) (any, error) {
	s := tree.Text(v)
	switch typ {
	case "":
		return tree.CloneValue(v), nil
	case "string":
		return s, nil
	case "integer", "long":
		bits := 64
		if typ == "integer" {
			bits = 32
		}
		n, err := strconv.ParseInt(s, 0, bits)
		return n, err
	case "float", "double":
		if _, err := strconv.ParseFloat(s, 64); err != nil {
			return nil, err
		}
		if json.Valid([]byte(s)) {
			return json.Number(s), nil
		}
		return strconv.ParseFloat(s, 64)
	case "boolean":
		return strconv.ParseBool(s)
	case "ip":
		a, err := netip.ParseAddr(s)
		return a.String(), err
	}
	return nil, fmt.Errorf("type: %q is not integer, long, float, double, string, boolean or ip", typ)
}
