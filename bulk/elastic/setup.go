package elastic

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
)

// Setup is what a cluster should have before the first document: an index template, and an alias whose indices are rolled over by a
// policy.
type Setup struct {
	Name      string // of the template
	Template  []byte // JSON; nil puts none
	Legacy    bool   // the template is of the kind that /_template takes
	Overwrite bool   // an existing one is replaced

	Alias   string // "" makes none
	Pattern string // what follows the alias in the first index's name, such as {now/d}-000001
	Policy  string // logstash-policy is made when it is not there, others must be
}

// defaultPolicy is the policy logstash-policy, as Logstash makes it.
const (
	defaultPolicy     = "logstash-policy"
	defaultPolicyBody = `{"policy":{"phases":{"hot":{"actions":{"rollover":{"max_size":"50gb","max_age":"30d"}}}}}}`
)

// Do makes a request and gives status and body.
type Do func(ctx context.Context, method, path string, body []byte) (int, []byte, error)

// Apply puts everything there that is missing.
func (s *Setup) Apply(ctx context.Context, do Do) error {
	if s.Template != nil {
		if err := s.putTemplate(ctx, do); err != nil {
			return err
		}
	}
	if s.Alias == "" {
		return nil
	}
	if s.Policy == defaultPolicy {
		if err := putIfMissing(ctx, do, "/_ilm/policy/"+defaultPolicy, []byte(defaultPolicyBody)); err != nil {
			return err
		}
	}
	if err := s.putRollover(ctx, do); err != nil {
		return err
	}
	if there, err := exists(ctx, do, "HEAD", "/_alias/"+url.PathEscape(s.Alias)); err != nil || there {
		return err
	}
	name := url.PathEscape("<" + s.Alias + "-" + s.Pattern + ">")
	body := fmt.Appendf(nil, `{"aliases":{%s:{"is_write_index":true}}}`, quote(s.Alias))
	return put(ctx, do, "/"+name, body)
}

func (s *Setup) putTemplate(ctx context.Context, do Do) error {
	path := "/_index_template/" + url.PathEscape(s.Name)
	if s.Legacy {
		path = "/_template/" + url.PathEscape(s.Name)
	}
	if s.Overwrite {
		return put(ctx, do, path, s.Template)
	}
	return putIfMissing(ctx, do, path, s.Template)
}

// putRollover makes the template that gives the alias' indices their policy.
func (s *Setup) putRollover(ctx context.Context, do Do) error {
	body := fmt.Appendf(nil, `{"index_patterns":[%s],"priority":200,"template":{"settings":{"index.lifecycle.name":%s,"index.lifecycle.rollover_alias":%s}}}`,
		quote(s.Alias+"-*"), quote(s.Policy), quote(s.Alias))
	return putIfMissing(ctx, do, "/_index_template/"+url.PathEscape(s.Alias+"-rollover"), body)
}

func quote(s string) string {
	b, _ := json.Marshal(s)
	return string(b)
}

func putIfMissing(ctx context.Context, do Do, path string, body []byte) error {
	if there, err := exists(ctx, do, "GET", path); err != nil || there {
		return err
	}
	return put(ctx, do, path, body)
}

func exists(ctx context.Context, do Do, method, path string) (bool, error) {
	status, answer, err := do(ctx, method, path, nil)
	switch {
	case err != nil:
		return false, err
	case status == http.StatusOK || status == http.StatusNotFound:
		return status == http.StatusOK, nil
	case status == http.StatusTooManyRequests || status >= 500:
		return false, &statusError{status, reasonOf(answer)}
	}
	return false, fmt.Errorf("elasticsearch refuses %s %s (%d): %s", method, path, status, reasonOf(answer))
}

func put(ctx context.Context, do Do, path string, body []byte) error {
	status, answer, err := do(ctx, "PUT", path, body)
	switch {
	case err != nil:
		return err
	case status == http.StatusBadRequest && strings.Contains(string(answer), "resource_already_exists_exception"):
		return nil // another one was faster
	case status == http.StatusTooManyRequests || status >= 500:
		return &statusError{status, reasonOf(answer)}
	case status >= 300:
		return fmt.Errorf("elasticsearch refuses PUT %s (%d): %s", path, status, reasonOf(answer))
	}
	return nil
}

// prepare does what Setup says, once, and waits for a cluster that does not answer.
func (c *Client) prepare(ctx context.Context) error {
	if c.ready || c.cfg.Setup == nil {
		return nil
	}
	for wait := c.cfg.RetryFirst; ; wait = min(2*wait, c.cfg.RetryMost) {
		err := c.cfg.Setup.Apply(ctx, c.send)
		if err == nil {
			c.ready = true
			return nil
		}
		if !retriable(err) {
			return err
		}
		c.log.Warn("templates and aliases are put again", "pause", wait, "error", err)
		if err := c.cfg.pause(ctx, wait/2+rand.N(wait)); err != nil {
			return err
		}
	}
}
