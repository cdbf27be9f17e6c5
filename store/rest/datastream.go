package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/store"
)

// handleGetStream answers GET /_data_stream[/{name}].
func handleGetStream(c *call) error {
	list, err := c.s.store.DataStreams(c.vars["name"])
	if err != nil {
		return err
	}
	out := []any{}
	for _, d := range list {
		indices := []any{}
		for _, i := range d.Indices {
			indices = append(indices, map[string]any{"index_name": i.Name, "index_uuid": i.UUID, "prefer_ilm": true, "managed_by": "Unmanaged"})
		}
		out = append(out, map[string]any{"name": d.Name, "timestamp_field": map[string]string{"name": "@timestamp"}, "indices": indices,
			"generation": d.Generation, "status": "GREEN", "template": d.Template, "hidden": d.Hidden, "system": false, "allow_custom_routing": false, "replicated": false})
	}
	return c.reply(http.StatusOK, newObject().set("data_streams", out).bytes())
}

// handlePutStream answers PUT /_data_stream/{name}.
func handlePutStream(c *call) error {
	if err := c.s.store.CreateDataStream(c.vars["name"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleDeleteStream answers DELETE /_data_stream/{name}.
func handleDeleteStream(c *call) error {
	if err := c.s.store.DeleteDataStream(c.vars["name"]); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleRollover answers POST /{target}/_rollover[/{name}]: without conditions it rolls, with some when one of them holds.
func handleRollover(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	req, conditions, err := rolloverBody(body)
	if err != nil {
		return err
	}
	dry, err := c.params.boolean("dry_run", false)
	if err != nil {
		return err
	}
	res, err := c.s.store.Rollover(c.vars["index"], c.vars["name"], req, true)
	if err != nil {
		return err
	}
	met, roll, err := c.judge(conditions, res.Old)
	if err != nil {
		return err
	}
	if roll && !dry {
		if res, err = c.s.store.Rollover(c.vars["index"], c.vars["name"], req, false); err != nil {
			return err
		}
	}
	done := roll && !dry
	return c.reply(http.StatusOK, newObject().set("acknowledged", done).set("shards_acknowledged", done).set("old_index", res.Old).set("new_index", res.New).
		set("rolled_over", done).set("dry_run", dry).set("conditions", met).bytes())
}

// judge compares an index with conditions: which hold, and whether to roll.
func (c *call) judge(conditions map[string]any, index string) (met map[string]bool, roll bool, err error) {
	met = map[string]bool{}
	i, ok := c.s.store.Info(index)
	if !ok {
		return met, false, nil
	}
	for name, v := range conditions {
		text := fmt.Sprint(v)
		var holds bool
		switch name {
		case "max_age":
			var age time.Duration
			if age, err = parseTime(name, text); err != nil {
				return nil, false, err
			}
			holds = time.Since(time.UnixMilli(i.Created)) >= age
		case "max_docs", "max_primary_shard_docs":
			n, ok := v.(float64)
			if !ok {
				return nil, false, illegal("condition [%s] needs a number, but got [%s]", name, text)
			}
			holds, text = i.Docs >= int64(n), strconv.FormatInt(int64(n), 10)
		case "max_size", "max_primary_shard_size":
			var size int64
			if size, err = parseSize(name, text); err != nil {
				return nil, false, err
			}
			holds = i.Bytes >= size
		default:
			return nil, false, illegal("unknown rollover condition [%s]", name)
		}
		met["["+name+": "+text+"]"] = holds
		roll = roll || holds
	}
	return met, roll || len(conditions) == 0, nil
}

func rolloverBody(body []byte) (req store.CreateRequest, conditions map[string]any, err error) {
	if len(strings.TrimSpace(string(body))) == 0 {
		return req, nil, nil
	}
	var in struct {
		Settings, Mappings, Aliases json.RawMessage
		Conditions                  map[string]any
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return req, nil, badRequest("parse_exception", "%v", err)
	}
	return store.CreateRequest{Settings: in.Settings, Mappings: in.Mappings, Aliases: in.Aliases}, in.Conditions, nil
}

// sizeUnits of conditions.
var sizeUnits = []struct {
	suffix string
	shift  int
}{{"pb", 50}, {"tb", 40}, {"gb", 30}, {"mb", 20}, {"kb", 10}, {"b", 0}}

func parseSize(name, s string) (int64, error) {
	lower := strings.ToLower(strings.TrimSpace(s))
	for _, u := range sizeUnits {
		if num, ok := strings.CutSuffix(lower, u.suffix); ok {
			n, err := strconv.ParseInt(num, 10, 64)
			if err != nil || n < 0 || n > 1<<(62-u.shift) {
				break
			}
			return n << u.shift, nil
		}
	}
	return 0, badRequest("parse_exception", "failed to parse setting [%s] with value [%s] as a size in bytes: unit is missing or unrecognized", name, s)
}
