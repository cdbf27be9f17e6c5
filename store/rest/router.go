package rest

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
)

// maxBody bounds a request's body after decompression.
const maxBody = 100 << 20

// route is one row of the table: a method, a path and what answers it.
type route struct {
	methods string   // "GET,POST"
	path    string   // "/{index}/_search"
	params  []string // beyond commonParams
	handle  func(*call) error
}

// call is one request being answered.
type call struct {
	s      *Server
	r      *http.Request
	w      http.ResponseWriter
	vars   map[string]string
	params params
}

// segments of a route's path.
func segments(path string) []string {
	return strings.Split(strings.Trim(path, "/"), "/")
}

// match finds the route of a path: among routes of equal length the one whose literals come first. allowed lists the methods when
// only the method is wrong.
func (s *Server) match(method string, parts []string) (best *route, vars map[string]string, allowed []string) {
	bestScore := -1
	for i := range s.table {
		rt := &s.table[i]
		v, score, ok := bindPath(segments(rt.path), parts)
		if !ok {
			continue
		}
		if !rt.accepts(method) {
			allowed = append(allowed, strings.Split(rt.methods, ",")...)
			continue
		}
		if score > bestScore {
			best, vars, bestScore = rt, v, score
		}
	}
	return best, vars, allowed
}

func (rt *route) accepts(method string) bool {
	methods := strings.Split(rt.methods, ",")
	return slices.Contains(methods, method) || method == "HEAD" && slices.Contains(methods, "GET")
}

// bindPath matches path segments with a pattern's. A name for indices does not begin with _, but for _all; score ranks literals.
func bindPath(pattern, parts []string) (vars map[string]string, score int, ok bool) {
	if len(pattern) != len(parts) {
		return nil, 0, false
	}
	vars = map[string]string{}
	for i, p := range pattern {
		score *= 2
		if !strings.HasPrefix(p, "{") {
			if p != parts[i] {
				return nil, 0, false
			}
			score++
			continue
		}
		name := p[1 : len(p)-1]
		if parts[i] == "" || name == "index" && strings.HasPrefix(parts[i], "_") && parts[i] != "_all" {
			return nil, 0, false
		}
		vars[name] = parts[i]
	}
	return vars, score, true
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.counts.requests.Add(1)
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	w.Header().Set("Content-Type", s.contentType(r))
	if id := r.Header.Get("X-Opaque-Id"); id != "" {
		w.Header().Set("X-Opaque-Id", id)
	}
	parts := strings.Split(strings.Trim(r.URL.EscapedPath(), "/"), "/")
	for i, p := range parts {
		text, err := url.PathUnescape(p)
		if err != nil {
			writeError(w, illegal("invalid path [%s]: %v", r.URL.EscapedPath(), err))
			return
		}
		parts[i] = text
	}
	rt, vars, allowed := s.match(r.Method, parts)
	if rt == nil {
		s.noRoute(w, r, allowed)
		return
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		writeError(w, illegal("invalid query string: %v", err))
		return
	}
	c := &call{s: s, r: r, w: w, vars: vars, params: params{values}}
	if err := c.params.check(r.URL.Path, rt.params); err == nil {
		err = c.checkType()
		if err == nil {
			err = rt.handle(c)
		}
		if err != nil {
			writeError(w, err)
		}
	} else {
		writeError(w, err)
	}
}

func (s *Server) noRoute(w http.ResponseWriter, r *http.Request, allowed []string) {
	if len(allowed) == 0 {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"error":"no handler found for uri [%s] and method [%s]"}`, jsonText(r.URL.RequestURI()), r.Method)
		return
	}
	slices.Sort(allowed)
	allowed = slices.Compact(allowed)
	w.Header().Set("Allow", strings.Join(allowed, ","))
	w.WriteHeader(http.StatusMethodNotAllowed)
	fmt.Fprintf(w, `{"error":"Incorrect HTTP method for uri [%s] and method [%s], allowed: %s","status":405}`, jsonText(r.URL.RequestURI()), r.Method, quoteList(allowed))
}

// jsonText is s as it stands between quotes in JSON.
func jsonText(s string) string {
	b := fastjson.MustParse(`""`)
	var a fastjson.Arena
	b = a.NewString(s)
	out := b.MarshalTo(nil)
	return string(out[1 : len(out)-1])
}

// contentType echoes the client's media type where it names a compatible version.
func (s *Server) contentType(r *http.Request) string {
	accept := r.Header.Get("Accept")
	if strings.HasPrefix(accept, "application/vnd.elasticsearch+json") && strings.Contains(accept, "compatible-with=") {
		return accept
	}
	return "application/json"
}

// bodyTypes are the media types of bodies.
var bodyTypes = []string{"application/json", "application/x-ndjson", "application/vnd.elasticsearch+json", "application/vnd.elasticsearch+x-ndjson", "text/plain"}

// checkType refuses a body of another media type.
func (c *call) checkType() error {
	ct := c.r.Header.Get("Content-Type")
	if ct == "" || c.r.ContentLength == 0 {
		return nil
	}
	base, _, _ := strings.Cut(ct, ";")
	if slices.Contains(bodyTypes, strings.ToLower(strings.TrimSpace(base))) {
		return nil
	}
	return &store.Error{Status: http.StatusNotAcceptable, Type: "media_type_header_exception", Reason: "Content-Type header [" + ct + "] is not supported"}
}

// body reads the request's body, decompressed and bounded; a "source" parameter stands in for an empty one.
func (c *call) body() ([]byte, error) {
	if src := c.params.str("source", ""); src != "" && c.r.ContentLength <= 0 {
		return []byte(src), nil
	}
	var in io.Reader = c.r.Body
	switch enc := c.r.Header.Get("Content-Encoding"); enc {
	case "", "identity":
	case "gzip":
		zr, err := gzip.NewReader(c.r.Body)
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, badRequest("parse_exception", "body is not gzip: %v", err)
		}
		in = zr
	default:
		return nil, illegal("Content-Encoding [%s] is not supported", enc)
	}
	size := 512
	if c.r.ContentLength > 0 && c.r.ContentLength <= maxBody {
		size += int(c.r.ContentLength)
	}
	buf := make([]byte, 0, size)
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := in.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if len(buf) > maxBody {
			return nil, &store.Error{Status: http.StatusRequestEntityTooLarge, Type: "content_too_long_exception", Reason: fmt.Sprintf("entity content is too long for the configured buffer limit [%d]", maxBody)}
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return nil, badRequest("parse_exception", "read body: %v", err)
		}
	}
}

// reply writes a JSON answer, with filter_path and pretty applied.
func (c *call) reply(status int, body []byte) error {
	pretty, err := c.params.boolean("pretty", false)
	if err != nil {
		return err
	}
	if fp := c.params.str("filter_path", ""); fp != "" || pretty {
		v, err := fastjson.ParseBytes(body)
		if err != nil {
			return fmt.Errorf("own answer is not JSON: %w", err)
		}
		if fp != "" {
			v = filterPath(v, fp)
		}
		body = v.MarshalTo(nil)
		if pretty {
			body = indent(body)
		}
	}
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		c.w.Write(body) // an error here is the client leaving
	}
	return nil
}
