package elastic

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/queue"
)

// Bounds.
const (
	maxAnswer      = 256 << 20 // bytes of a bulk answer
	requestTimeout = 90 * time.Second
	firstPause     = time.Second
	longestPause   = 30 * time.Second
)

// Config says where the cluster is.
type Config struct {
	// Hosts are base addresses such as http://127.0.0.1:9200; requests take turns.
	Hosts []string
	// Username and Password are of HTTP basic authentication; APIKey is base64(id:key) and wins. Empty: none.
	Username, Password, APIKey string
	// BodyBytes is the size at which a bulk body is sent, before compression. Default 5 MiB.
	BodyBytes int
	// NoCompression sends bodies as they are; Level is that of gzip otherwise, 1 when 0.
	NoCompression bool
	Level         int
	// RetryFirst and RetryMost are the pauses before the second try and between later ones. Default 1 s and 30 s.
	RetryFirst, RetryMost time.Duration
	// Refuse are statuses of items that are answers for good, besides 400, 404 and 413.
	Refuse []int
	// Headers go with every request.
	Headers map[string]string
	// Setup is put into the cluster before the first document; nil is nothing.
	Setup *Setup
	// Client is used for requests; nil is one with time-outs.
	Client *http.Client
	Log    *slog.Logger // nil is silence

	pause func(ctx context.Context, d time.Duration) error // tests do not wait
}

// Client writes to a cluster. Write is called by one goroutine at a time.
type Client struct {
	cfg       Config
	log       *slog.Logger
	http      *http.Client
	next      atomic.Uint32
	product   atomic.Pointer[string] // "elasticsearch 8.19.0", once a host answered
	conflicts atomic.Int64           // documents with a user's own id that were there already
	retries   atomic.Int64
	ready     bool // Setup was done
}

var _ bulk.Writer = (*Client)(nil)

// New makes a client; it sends nothing.
func New(cfg Config) (*Client, error) {
	if len(cfg.Hosts) == 0 {
		return nil, errors.New("elasticsearch: no hosts")
	}
	for i, h := range cfg.Hosts {
		u, err := url.Parse(h)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("elasticsearch: host %q is not http://host:port", h)
		}
		if u.User != nil && cfg.Username == "" {
			cfg.Username = u.User.Username()
			cfg.Password, _ = u.User.Password()
			u.User = nil
		}
		cfg.Hosts[i] = strings.TrimSuffix(u.String(), "/")
	}
	if cfg.BodyBytes <= 0 {
		cfg.BodyBytes = 5 << 20
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Level == 0 {
		cfg.Level = gzip.BestSpeed
	}
	if cfg.RetryFirst <= 0 {
		cfg.RetryFirst = firstPause
	}
	if cfg.RetryMost <= 0 {
		cfg.RetryMost = longestPause
	}
	cfg.RetryMost = max(cfg.RetryMost, cfg.RetryFirst)
	if cfg.Client == nil {
		cfg.Client = &http.Client{Timeout: requestTimeout}
	}
	if cfg.pause == nil {
		cfg.pause = pause
	}
	return &Client{cfg: cfg, log: cfg.Log, http: cfg.Client}, nil
}

// Positions is empty: a cluster does not know them, and the ids make repeats harmless.
func (c *Client) Positions(context.Context) ([]queue.Position, error) { return nil, nil }

// Conflicts is the number of documents with a user's own id that were there already and were therefore dropped.
func (c *Client) Conflicts() int64 { return c.conflicts.Load() }

// Retries is the number of requests and items sent again.
func (c *Client) Retries() int64 { return c.retries.Load() }

// Ping asks a host who it is: "elasticsearch 8.19.0" or "opensearch 2.19.0".
func (c *Client) Ping(ctx context.Context) (string, error) {
	status, body, err := c.send(ctx, "GET", "/", nil)
	if err != nil {
		return "", err
	}
	if status != http.StatusOK {
		return "", fmt.Errorf("elasticsearch %s answers %d", c.cfg.Hosts[0], status)
	}
	var info struct {
		Version struct {
			Number       string `json:"number"`
			Distribution string `json:"distribution"`
		} `json:"version"`
	}
	if err := json.Unmarshal(body, &info); err != nil || info.Version.Number == "" {
		return "", fmt.Errorf("%s does not answer as Elasticsearch does", c.cfg.Hosts[0])
	}
	product := "elasticsearch " + info.Version.Number
	if info.Version.Distribution != "" {
		product = info.Version.Distribution + " " + info.Version.Number
	}
	c.product.Store(&product)
	return product, nil
}

// Write sends the batch and repeats what may heal until every document is answered for good, or ctx ends.
func (c *Client) Write(ctx context.Context, b bulk.Batch) ([]bulk.Rejected, error) {
	if err := c.prepare(ctx); err != nil {
		return nil, err
	}
	var rejected []bulk.Rejected
	todo := make([]int, len(b.Ops))
	for i := range todo {
		todo[i] = i
	}
	limit := c.cfg.BodyBytes
	for wait := c.cfg.RetryFirst; len(todo) > 0; {
		n, body, ours := c.encode(&b, todo, limit)
		again, refused, err := c.post(ctx, todo[:n], body, ours)
		var tooLarge *tooLargeError
		switch {
		case errors.As(err, &tooLarge) && n == 1:
			rejected = append(rejected, bulk.Rejected{Op: todo[0], Status: http.StatusRequestEntityTooLarge, Type: "content_too_long_exception", Reason: "the cluster does not take a document of this size"})
			todo = todo[1:]
			continue
		case errors.As(err, &tooLarge):
			limit = max(len(body)/2, 1)
			continue
		case err != nil && !retriable(err):
			return nil, err
		case err != nil:
			again = todo[:n]
		}
		rejected = append(rejected, refused...)
		rest := todo[n:]
		if len(again) == 0 {
			todo, wait = rest, c.cfg.RetryFirst
			continue
		}
		c.retries.Add(int64(len(again)))
		c.log.Warn("bulk is sent again", "documents", len(again), "pause", wait, "error", err)
		if err := c.cfg.pause(ctx, wait/2+rand.N(wait)); err != nil {
			return nil, err
		}
		wait = min(wait*2, c.cfg.RetryMost)
		todo = append(append(make([]int, 0, len(again)+len(rest)), again...), rest...)
	}
	sortRejected(rejected)
	return rejected, nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func sortRejected(r []bulk.Rejected) {
	for i := range r { // a handful: refused documents are rare
		for j := i; j > 0 && r[j].Op < r[j-1].Op; j-- {
			r[j], r[j-1] = r[j-1], r[j]
		}
	}
}

// encode renders operations until the body is full; it always takes at least one. ours tells which of them carry an id made here.
func (c *Client) encode(b *bulk.Batch, todo []int, limit int) (n int, body []byte, ours []bool) {
	for _, i := range todo {
		op := &b.Ops[i]
		size := len(op.Source) + len(op.Index) + len(op.ID) + 64
		if n > 0 && len(body)+size > limit {
			break
		}
		made := op.ID == "" && i < len(b.Origins) && !b.Origins[i].Range.IsZero()
		body = append(body, `{"`...)
		body = append(body, op.Action.String()...)
		body = append(body, `":{"_index":`...)
		body = appendJSON(body, op.Index)
		switch {
		case made:
			body = append(body, `,"_id":"`...)
			body = append(appendID(body, b.Origins[i]), '"')
		case op.ID != "":
			body = appendJSON(append(body, `,"_id":`...), op.ID)
		}
		if op.Routing != "" {
			body = appendJSON(append(body, `,"routing":`...), op.Routing)
		}
		body = appendExtra(body, op)
		body = append(body, "}}\n"...)
		if op.Action != bulk.Delete {
			body = append(append(body, op.Source...), '\n')
		}
		ours = append(ours, made && op.Action == bulk.Create)
		n++
	}
	return n, body, ours
}

func appendExtra(b []byte, op *bulk.Op) []byte {
	x := op.Extra
	if x == nil {
		return b
	}
	if x.Pipeline != "" {
		b = appendJSON(append(b, `,"pipeline":`...), x.Pipeline)
	}
	if x.VersionType != "" {
		b = appendJSON(append(strconv.AppendInt(append(b, `,"version":`...), x.Version, 10), `,"version_type":`...), x.VersionType)
	}
	if x.Retries > 0 && op.Action == bulk.Update {
		b = strconv.AppendInt(append(b, `,"retry_on_conflict":`...), int64(x.Retries), 10)
	}
	return b
}

func appendJSON(b []byte, s string) []byte {
	t, _ := json.Marshal(s)
	return append(b, t...)
}

// send makes one request to the host whose turn it is.
func (c *Client) send(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	host := c.cfg.Hosts[int(c.next.Add(1)-1)%len(c.cfg.Hosts)]
	var in io.Reader
	compressed := len(body) > 1<<10 && !c.cfg.NoCompression
	if compressed {
		var buf bytes.Buffer
		zw, _ := gzip.NewWriterLevel(&buf, c.cfg.Level)
		zw.Write(body)
		zw.Close()
		in = &buf
	} else if body != nil {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, host+path, in)
	if err != nil {
		return 0, nil, fmt.Errorf("elasticsearch request: %w", err)
	}
	switch {
	case strings.HasPrefix(path, "/_bulk"):
		req.Header.Set("Content-Type", "application/x-ndjson")
	case body != nil:
		req.Header.Set("Content-Type", "application/json")
	}
	if compressed {
		req.Header.Set("Content-Encoding", "gzip")
	}
	for k, v := range c.cfg.Headers {
		req.Header.Set(k, v)
	}
	switch {
	case c.cfg.APIKey != "":
		req.Header.Set("Authorization", "ApiKey "+c.cfg.APIKey)
	case c.cfg.Username != "":
		req.SetBasicAuth(c.cfg.Username, c.cfg.Password)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return 0, nil, ctx.Err()
		}
		return 0, nil, &unreachableError{err}
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, &unreachableError{err}
	}
	if len(answer) > maxAnswer {
		return 0, nil, fmt.Errorf("elasticsearch answers more than %d bytes", maxAnswer)
	}
	return resp.StatusCode, answer, nil
}
