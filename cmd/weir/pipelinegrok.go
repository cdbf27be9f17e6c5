package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"unicode/utf16"

	"github.com/weirlog/weir/pipeline/grok"
)

// maxTried bounds the lines a pattern is tried on in one request.
const maxTried = 500

// tryGrok answers what a pattern makes of lines, or why it does not match them.
func (a pipelineAPI) tryGrok(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Pattern     string            `json:"pattern"`
		Definitions map[string]string `json:"definitions"`
		ECS         string            `json:"ecs_compatibility"`
		Lines       []string          `json:"lines"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	p, err := grok.Stock(in.ECS != "disabled").With(in.Definitions).Compile(in.Pattern, grok.DefaultOptions())
	if err != nil {
		return nil, err
	}
	tried := []grok.Tried{}
	for _, l := range in.Lines[:min(len(in.Lines), maxTried)] {
		tried = append(tried, p.Try(l))
	}
	return map[string]any{"tried": tried}, nil
}

// proposeGrok answers a pattern: of the selected parts of the first line, or without a selection of all lines.
func (a pipelineAPI) proposeGrok(_ http.ResponseWriter, r *http.Request) (any, error) {
	var in struct {
		Lines      []string `json:"lines"`
		Selections []struct {
			From int `json:"from"` // UTF-16 units, as browsers count
			To   int `json:"to"`
		} `json:"selections"`
		ECS string `json:"ecs_compatibility"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	set := grok.Stock(in.ECS != "disabled")
	if len(in.Selections) == 0 || len(in.Lines) == 0 {
		return map[string]string{"pattern": set.Suggest(in.Lines)}, nil
	}
	spans := make([]grok.Span, len(in.Selections))
	for i, s := range in.Selections {
		from, to := bytePlace(in.Lines[0], s.From), bytePlace(in.Lines[0], s.To)
		if from >= to || i > 0 && from < spans[i-1].To {
			return nil, fmt.Errorf("selection %d is empty or overlaps the one before", i+1)
		}
		spans[i] = grok.Span{From: from, To: to}
	}
	return map[string]string{"pattern": set.FromSelection(in.Lines[0], spans)}, nil
}

// bytePlace is the byte at which a UTF-16 unit of a text stands.
func bytePlace(s string, unit int) int {
	n := 0
	for i, r := range s {
		if n >= unit {
			return i
		}
		n += utf16.RuneLen(r)
	}
	return len(s)
}
