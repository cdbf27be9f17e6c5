package web

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"embed"
	"encoding/base64"
	"fmt"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"
)

// dist is the built front end (web/ui), committed so that `go install` gives the whole product.
//
//go:embed all:dist
var dist embed.FS

// pageRoutes are the addresses that answer with index.html; the front end routes within them.
var pageRoutes = map[string]bool{"/": true, "/explore": true, "/dashboards": true, "/flow": true, "/pipelines": true, "/alerts": true, "/console": true,
	"/settings": true, "/start": true, "/e": true}

// pages serves the front end: hashed assets for ever, index.html never from a cache because it holds a nonce.
type pages struct {
	files fs.FS
	index []byte

	mu   sync.Mutex
	gzip map[string][]byte // compressed assets by name; as many as dist has files
}

func newPages() (*pages, error) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		return nil, err
	}
	index, err := fs.ReadFile(files, "index.html")
	if err != nil {
		return nil, fmt.Errorf("read the built front end: %w", err)
	}
	return &pages{files: files, index: index, gzip: map[string][]byte{}}, nil
}

func (p *pages) page(w http.ResponseWriter, r *http.Request) {
	if pageRoutes[r.URL.Path] || strings.HasPrefix(r.URL.Path, "/e/") || strings.HasPrefix(r.URL.Path, "/dashboards/") {
		p.serveIndex(w)
		return
	}
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	if strings.Contains(name, "/") { // only files beside index.html: favicon, manifest
		http.NotFound(w, r)
		return
	}
	b, err := fs.ReadFile(p.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", contentType(name))
	w.Header().Set("Cache-Control", "no-cache")
	w.Write(b)
}

// serveIndex fills in what is known only now: the nonce for styles made at run time.
func (p *pages) serveIndex(w http.ResponseWriter) {
	nonce := make([]byte, 16)
	rand.Read(nonce)
	n := base64.StdEncoding.EncodeToString(nonce)
	page := bytes.Replace(p.index, []byte(`<meta name="csp-nonce" content="">`), []byte(`<meta name="csp-nonce" content="`+n+`">`), 1)
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-"+n+"'; img-src 'self' data:; font-src 'self'; "+
		"connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'")
	w.Write(page)
}

func (p *pages) asset(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	b, err := fs.ReadFile(p.files, name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", contentType(name))
	h.Set("Cache-Control", "max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && !strings.HasSuffix(name, ".woff2") {
		h.Set("Content-Encoding", "gzip")
		b = p.compressed(name, b)
	}
	w.Write(b)
}

func (p *pages) compressed(name string, b []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if z := p.gzip[name]; z != nil {
		return z
	}
	var buf bytes.Buffer
	zw, _ := gzip.NewWriterLevel(&buf, gzip.BestCompression)
	zw.Write(b)
	zw.Close()
	p.gzip[name] = buf.Bytes()
	return p.gzip[name]
}

func contentType(name string) string {
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}
