package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// elasticFlags are the flags of commands that speak Elasticsearch's REST API: to a running weir or to any cluster.
type elasticFlags struct {
	url, user, password, key string
}

func (f *elasticFlags) add(c *cobra.Command) {
	at := os.Getenv("WEIR_ELASTICSEARCH")
	if at == "" {
		at = "http://127.0.0.1:9200"
	}
	fl := c.PersistentFlags()
	fl.StringVar(&f.url, "url", at, "address of the REST API (or WEIR_ELASTICSEARCH)")
	fl.StringVar(&f.user, "username", os.Getenv("WEIR_ELASTICSEARCH_USER"), "login (or WEIR_ELASTICSEARCH_USER)")
	fl.StringVar(&f.password, "password", "", "its password; better in WEIR_ELASTICSEARCH_PASSWORD")
	fl.StringVar(&f.key, "api-key", "", "API key; better in WEIR_ELASTICSEARCH_API_KEY")
}

// restError is a refusal of the server.
type restError struct {
	status int
	reason string
}

func (e *restError) Error() string {
	return fmt.Sprintf("the server answers %d: %s", e.status, e.reason)
}

// call sends a request and reads the answer whole. Nobody answering is exit code 3.
func (f *elasticFlags) call(ctx context.Context, method, path string, body []byte, contentType string) ([]byte, error) {
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(f.url, "/")+path, in)
	if err != nil {
		return nil, usage("--url %q: %w", f.url, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	f.authorize(req)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, &exitError{exitInterrupted, nil}
		}
		return nil, &exitError{exitUnreachable, fmt.Errorf("nothing answers at %s (start `weir up`, or name the server with --url): %w", f.url, err)}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode >= 300 {
		return b, &restError{resp.StatusCode, reasonIn(b)}
	}
	return b, nil
}

func (f *elasticFlags) authorize(req *http.Request) {
	key, password := f.key, f.password
	if key == "" {
		key = os.Getenv("WEIR_ELASTICSEARCH_API_KEY")
	}
	if password == "" {
		password = os.Getenv("WEIR_ELASTICSEARCH_PASSWORD")
	}
	switch {
	case key != "":
		req.Header.Set("Authorization", "ApiKey "+key)
	case f.user != "":
		req.SetBasicAuth(f.user, password)
	}
}

// reasonIn finds the reason of a refusal, in either of its two forms.
func reasonIn(b []byte) string {
	var full struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(b, &full) != nil {
		return strings.TrimSpace(string(b[:min(len(b), 200)]))
	}
	var obj struct {
		Reason   string `json:"reason"`
		CausedBy *struct {
			Reason string `json:"reason"`
		} `json:"caused_by"`
	}
	if json.Unmarshal(full.Error, &obj) == nil && obj.Reason != "" {
		if obj.CausedBy != nil && obj.CausedBy.Reason != "" {
			return obj.Reason + ": " + obj.CausedBy.Reason
		}
		return obj.Reason
	}
	var text string
	if json.Unmarshal(full.Error, &text) == nil {
		return text
	}
	return string(full.Error)
}

// get reads JSON from a path.
func (f *elasticFlags) get(ctx context.Context, path string, to any) error {
	b, err := f.call(ctx, "GET", path, nil, "")
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, to); err != nil {
		return fmt.Errorf("the server's answer is not what this command knows: %w", err)
	}
	return nil
}

// busy tells answers that heal by themselves: send again later.
func busyAnswer(err error) bool {
	var e *restError
	return errors.As(err, &e) && (e.status == http.StatusTooManyRequests || e.status >= 500)
}

// escapePath is an index expression as a part of a path.
func escapePath(expr string) string { return url.PathEscape(expr) }
