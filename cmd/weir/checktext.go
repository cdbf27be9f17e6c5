package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/pipeline"
)

// checkText reports on a configuration somebody shows to the UI: what of it is not supported, with its lines. kind is filebeat, weir or
// pipeline. The text is read as a file of its own in an empty folder, so that nothing beside it is read with it.
func checkText(name string, text []byte) (kind string, found []problem, err error) {
	dir, err := os.MkdirTemp("", "weir-check-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	ext := strings.ToLower(filepath.Ext(name))
	if ext != ".yml" && ext != ".yaml" {
		cfg := pipeline.Config{ID: "check", Text: []pipeline.Source{{Name: filepath.Base(name), Text: string(text)}}}
		cfg.Text = append(cfg.Text, missingEnds(cfg)...)
		return "pipeline", problems(pipeline.Check(cfg)), nil
	}
	path := filepath.Join(dir, filepath.Base(name))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return "", nil, fmt.Errorf("write the text: %w", err)
	}
	if config.IsFilebeat(path, text) {
		fb, err := config.ReadFilebeat(path)
		return "filebeat", yamlProblems(err, fb.Warnings, agentErrors(fb.Agent)), nil
	}
	w, err := config.ReadWeir(path)
	return "weir", yamlProblems(err, w.Warnings, agentErrors(w.Agent)), nil
}

func yamlProblems(err error, warnings []config.Warning, more []error) []problem {
	list := []problem{}
	var places config.Errors
	switch {
	case errors.As(err, &places):
		for _, e := range places {
			list = append(list, problem{File: filepath.Base(e.Pos.File), Line: e.Pos.Line, Column: e.Pos.Col, Length: e.Len, Severity: "error", Message: e.Msg, Hint: e.Hint, Text: e.Text})
		}
	case err != nil:
		list = append(list, problem{Severity: "error", Message: err.Error()})
	}
	for _, w := range warnings {
		list = append(list, problem{File: filepath.Base(w.Pos.File), Line: w.Pos.Line, Column: w.Pos.Col, Severity: "warning", Message: w.Key + ": " + w.Effect})
	}
	for _, e := range more {
		list = append(list, problem{Severity: "error", Message: e.Error()})
	}
	return list
}
