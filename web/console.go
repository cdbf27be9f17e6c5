package web

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/weirlog/weir/web/es"
)

// maxConsoleAnswer bounds an answer of the console, in bytes; what is longer is cut.
const maxConsoleAnswer = 8 << 20

// consoleRequest is one request as a person typed it.
type consoleRequest struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Body   string `json:"body"`
}

// consoleAnswer is what came back, as it came.
type consoleAnswer struct {
	Status      int    `json:"status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Cut         bool   `json:"cut,omitempty"`
	TookMs      int64  `json:"took_ms"`
}

// consoleMethods are what may be sent. The console itself is asked by POST only, which the guard refuses from other sites: a link
// elsewhere can therefore not make a browser send any of them.
var consoleMethods = map[string]bool{"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true}

// console sends a request to the store as the user who typed it.
func (s *Server) console(w http.ResponseWriter, r *http.Request) {
	var in consoleRequest
	if !readJSON(w, r, &in) {
		return
	}
	if !consoleMethods[in.Method] {
		fail(w, http.StatusBadRequest, "bad_method", "the method is one of GET, HEAD, POST, PUT, DELETE")
		return
	}
	path := "/" + strings.TrimLeft(in.Path, "/")
	at, err := url.Parse(path)
	if err != nil || at.Host != "" || at.Scheme != "" {
		fail(w, http.StatusBadRequest, "bad_path", "the path cannot be read: "+in.Path)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), in.Method, at.String(), strings.NewReader(in.Body))
	if err != nil {
		failWith(w, es.Refuse(http.StatusBadRequest, "bad_request", err.Error()))
		return
	}
	req.Header.Set("Content-Type", "application/json")
	if strings.HasSuffix(at.Path, "/_bulk") || strings.HasSuffix(at.Path, "/_msearch") {
		req.Header.Set("Content-Type", "application/x-ndjson")
	}
	for _, k := range []string{"Authorization", "Cookie"} {
		if v := r.Header.Get(k); v != "" {
			req.Header.Set(k, v)
		}
	}
	req.Host, req.RemoteAddr, req.RequestURI = r.Host, r.RemoteAddr, at.String()
	start := time.Now()
	out := &cutter{header: http.Header{}, status: http.StatusOK}
	s.cfg.Store.ServeHTTP(out, req)
	if r.Context().Err() != nil {
		return
	}
	reply(w, consoleAnswer{Status: out.status, ContentType: out.header.Get("Content-Type"), Body: strings.ToValidUTF8(out.body.String(), "�"), Cut: out.cut,
		TookMs: time.Since(start).Milliseconds()})
}

// cutter keeps the beginning of an answer.
type cutter struct {
	header http.Header
	status int
	body   bytes.Buffer
	cut    bool
}

func (c *cutter) Header() http.Header { return c.header }

func (c *cutter) WriteHeader(status int) { c.status = status }

func (c *cutter) Write(b []byte) (int, error) {
	room := maxConsoleAnswer - c.body.Len()
	if len(b) > room {
		c.cut = true
		c.body.Write(b[:room])
		return len(b), nil
	}
	return c.body.Write(b)
}
