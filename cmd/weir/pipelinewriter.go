package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/bulk/elastic"
	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/web/live"
)

// defaultElasticPort is the port of hosts that name none.
const defaultElasticPort = "9200"

// ownStore reports whether an elasticsearch output goes to the store of this process.
func (n *node) ownStore(o pipeline.ESOptions) bool {
	return n.store != nil && (len(o.Hosts) == 0 || len(o.Hosts) == 1 && withScheme(o.Hosts[0], o.Secure) == n.ready.Elasticsearch)
}

// writer makes the writer of an elasticsearch output: our own store, or a cluster.
func (n *node) writer(ctx context.Context, o pipeline.ESOptions) (bulk.Writer, error) {
	setup := setupOf(o)
	if n.ownStore(o) {
		if setup != nil {
			if err := setup.Apply(ctx, n.askStore); err != nil {
				return nil, err
			}
		}
		n.groups.keep(o.Group)
		return live.Tap(n.hub, labelledWriter{n.store.For(o.Group)}), nil
	}
	hosts := o.Hosts
	if len(hosts) == 0 {
		if n.cfg.Store.At == "embedded" {
			return nil, errors.New("no store in this process: give the elasticsearch output hosts, or name one with --store http://host:9200")
		}
		hosts = []string{n.cfg.Store.At}
	}
	cfg := elastic.Config{Username: o.User, Password: o.Password, APIKey: o.APIKey, NoCompression: o.Compression == 0 && len(o.Hosts) > 0, Level: o.Compression,
		RetryFirst: o.RetryInitial, RetryMost: o.RetryMax, Refuse: o.Refuse, Headers: o.Headers, Setup: setup, Log: n.log.With("part", "elasticsearch")}
	for _, h := range hosts {
		cfg.Hosts = append(cfg.Hosts, withScheme(h, o.Secure)+strings.TrimSuffix("/"+strings.Trim(o.Path, "/"), "/"))
	}
	var err error
	if cfg.Client, err = httpClient(o); err != nil {
		return nil, err
	}
	w, err := elastic.New(cfg)
	if err != nil {
		return nil, err
	}
	return live.Tap(n.hub, w), nil
}

// httpClient is a client with the certificates, proxy and time-out of an output.
func httpClient(o pipeline.ESOptions) (*http.Client, error) {
	t := http.DefaultTransport.(*http.Transport).Clone()
	var err error
	if t.TLSClientConfig, err = o.TLS.Dialer(""); err != nil {
		return nil, err
	}
	if o.Proxy != "" {
		u, err := url.Parse(o.Proxy)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("proxy %q is not http://host:port", o.Proxy)
		}
		t.Proxy = http.ProxyURL(u)
	}
	return &http.Client{Transport: t, Timeout: o.Timeout}, nil
}

// setupOf is what an output wants to be there before its first document.
func setupOf(o pipeline.ESOptions) *elastic.Setup {
	if o.Template == nil && o.Rollover == nil {
		return nil
	}
	s := &elastic.Setup{}
	if t := o.Template; t != nil {
		s.Name, s.Template, s.Legacy, s.Overwrite = t.Name, t.Body, t.Legacy, t.Overwrite
	}
	if r := o.Rollover; r != nil {
		s.Alias, s.Pattern, s.Policy = r.Alias, r.Pattern, r.Policy
	}
	return s
}

// askStore makes a request of our own REST API.
func (n *node) askStore(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://127.0.0.1"+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	w := &heldAnswer{header: http.Header{}, status: http.StatusOK}
	n.rest.ServeHTTP(w, req)
	return w.status, w.body.Bytes(), nil
}

// heldAnswer is an answer kept in memory.
type heldAnswer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *heldAnswer) Header() http.Header         { return w.header }
func (w *heldAnswer) WriteHeader(status int)      { w.status = status }
func (w *heldAnswer) Write(b []byte) (int, error) { return w.body.Write(b) }

// withScheme makes host, host:port or an address a base address with a port.
func withScheme(host string, tls bool) string {
	if !strings.Contains(host, "://") {
		scheme := "http://"
		if tls {
			scheme = "https://"
		}
		host = scheme + host
	}
	u, err := url.Parse(host)
	if err != nil || u.Port() != "" {
		return strings.TrimSuffix(host, "/")
	}
	u.Host = net.JoinHostPort(u.Hostname(), defaultElasticPort)
	return strings.TrimSuffix(u.String(), "/")
}
