package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/weirlog/weir/store"
)

// handleGetAlias answers GET and HEAD [/{index}]/_alias[/{alias}]: names that are missing give 404 with what was found.
func handleGetAlias(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	var wanted []string
	if a := c.vars["alias"]; a != "" && a != "_all" && a != "*" {
		wanted = strings.Split(a, ",")
	}
	found := map[string]bool{}
	o := newObject()
	n := 0
	for _, i := range infos {
		kept := map[string]store.AliasMeta{}
		for name, meta := range i.Aliases {
			if len(wanted) == 0 {
				kept[name] = meta
			}
			for _, w := range wanted {
				if glob(w, name) {
					kept[name] = meta
					found[w] = true
				}
			}
		}
		if len(kept) > 0 || len(wanted) == 0 {
			o.set(i.Name, map[string]any{"aliases": kept})
			n++
		}
	}
	missing := slices.DeleteFunc(slices.Clone(wanted), func(w string) bool { return found[w] || strings.Contains(w, "*") })
	if len(missing) == 0 {
		return c.reply(http.StatusOK, o.bytes())
	}
	slices.Sort(missing)
	text := fmt.Sprintf("alias [%s] missing", missing[0])
	if len(missing) > 1 {
		text = fmt.Sprintf("aliases [%s] missing", strings.Join(missing, ","))
	}
	body := newObject().set("error", text).set("status", 404).bytes()
	if n > 0 {
		body = append(append(body[:len(body)-1], ','), o.bytes()[1:]...)
	}
	return c.reply(http.StatusNotFound, body)
}

// handlePutAlias answers PUT and POST /{index}/_alias/{alias}.
func handlePutAlias(c *call) error {
	var spec store.AliasRequest
	body, err := c.body()
	if err != nil {
		return err
	}
	if len(strings.TrimSpace(string(body))) > 0 {
		if err := json.Unmarshal(body, &spec); err != nil {
			return badRequest("parse_exception", "%v", err)
		}
	}
	return c.updateAliases(store.AliasAction{Kind: "add", Indices: []string{c.vars["index"]}, Aliases: []string{c.vars["alias"]}, Spec: spec})
}

// handleDeleteAlias answers DELETE /{index}/_alias/{alias}.
func handleDeleteAlias(c *call) error {
	return c.updateAliases(store.AliasAction{Kind: "remove", Indices: []string{c.vars["index"]}, Aliases: strings.Split(c.vars["alias"], ","), MustBe: true})
}

// aliasStep is one action of POST /_aliases.
type aliasStep struct {
	Index     string   `json:"index"`
	Indices   []string `json:"indices"`
	Alias     string   `json:"alias"`
	Aliases   []string `json:"aliases"`
	MustExist bool     `json:"must_exist"`
	store.AliasRequest
}

// handleAliases answers POST /_aliases.
func handleAliases(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	var req struct {
		Actions []map[string]aliasStep `json:"actions"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		return badRequest("parse_exception", "%v", err)
	}
	var actions []store.AliasAction
	for _, a := range req.Actions {
		for kind, s := range a {
			if kind != "add" && kind != "remove" && kind != "remove_index" {
				return badRequest("parse_exception", "Unknown aliases action [%s]", kind)
			}
			if s.Index != "" {
				s.Indices = append(s.Indices, s.Index)
			}
			if s.Alias != "" {
				s.Aliases = append(s.Aliases, s.Alias)
			}
			actions = append(actions, store.AliasAction{Kind: kind, Indices: s.Indices, Aliases: s.Aliases, Spec: s.AliasRequest, MustBe: s.MustExist})
		}
	}
	if len(actions) == 0 {
		return badRequest("action_request_validation_exception", "Validation Failed: 1: Must specify at least one alias action;")
	}
	return c.updateAliases(actions...)
}

func (c *call) updateAliases(actions ...store.AliasAction) error {
	if err := c.s.store.UpdateAliases(actions); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}
