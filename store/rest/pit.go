package rest

import (
	"net/http"
	"time"

	"github.com/weirlog/weir/store/contexts"
)

// openPIT opens a point in time over the request's indices.
func (c *call) openPIT() (*contexts.PIT, *object, error) {
	text := c.params.str("keep_alive", "")
	if text == "" {
		return nil, nil, validation([]string{"[keep_alive] is required"})
	}
	keep, err := parseTime("keep_alive", text)
	if err != nil {
		return nil, nil, err
	}
	if err := contexts.CheckKeepAlive(keep, text); err != nil {
		return nil, nil, err
	}
	o, err := c.resolveOptions()
	if err != nil {
		return nil, nil, err
	}
	names, err := c.names(c.vars["index"])
	if err != nil {
		return nil, nil, err
	}
	shards := 0
	for _, n := range names {
		if i, ok := c.s.store.Info(n); ok {
			shards += i.Settings.Int("number_of_shards", 1)
		}
	}
	p, err := c.s.contexts.OpenPIT(c.vars["index"], o, keep)
	return p, newObject().set("total", shards).set("successful", shards).set("skipped", 0).set("failed", 0), err
}

// handleOpenPIT answers POST /{index}/_pit.
func handleOpenPIT(c *call) error {
	p, shards, err := c.openPIT()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("id", p.ID).set("_shards", shards).bytes())
}

// handleClosePIT answers DELETE /_pit.
func handleClosePIT(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	ids := textsOf(v.Get("id"))
	if len(ids) == 0 {
		return illegal("Required [id]")
	}
	n := 0
	for _, id := range ids {
		if c.s.contexts.ClosePIT(id) {
			n++
		}
	}
	return c.freed(n)
}

// handleOpenPointInTime answers OpenSearch's POST /{index}/_search/point_in_time.
func handleOpenPointInTime(c *call) error {
	p, shards, err := c.openPIT()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("pit_id", p.ID).set("_shards", shards).set("creation_time", p.Created.UnixMilli()).bytes())
}

// handlePointsInTime answers OpenSearch's GET /_search/point_in_time/_all.
func handlePointsInTime(c *call) error {
	list := []any{}
	for _, p := range c.s.contexts.PITs() {
		list = append(list, newObject().set("pit_id", p.ID).set("creation_time", p.Created.UnixMilli()).set("keep_alive", p.Keep/time.Millisecond))
	}
	return c.reply(http.StatusOK, newObject().set("pits", list).bytes())
}

// handleClosePointsInTime answers OpenSearch's DELETE /_search/point_in_time[/_all].
func handleClosePointsInTime(c *call) error {
	var ids []string
	if c.vars["all"] == "" {
		v, err := c.jsonBody()
		if err != nil {
			return err
		}
		if ids = textsOf(v.Get("pit_id")); len(ids) == 0 {
			return validation([]string{"no pit ids specified"})
		}
	} else {
		for _, p := range c.s.contexts.PITs() {
			ids = append(ids, p.ID)
		}
	}
	list := []any{}
	status := http.StatusOK
	for _, id := range ids {
		ok := c.s.contexts.ClosePIT(id)
		if !ok {
			status = http.StatusNotFound
		}
		list = append(list, newObject().set("successful", ok).set("pit_id", id))
	}
	return c.reply(status, newObject().set("pits", list).bytes())
}
