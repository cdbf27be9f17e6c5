package filter

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var elasticsearchOptions = append([]plugin.Option{
	{Name: "hosts", Kind: plugin.Array, Default: "localhost:9200", Doc: "Addresses of the cluster, or of weir's own REST port."},
	{Name: "index", Default: "", Doc: "Index to ask; may hold %{field}. Default is all."},
	{Name: "query", Doc: "Query in Lucene's language; may hold %{field}."},
	{Name: "query_template", Kind: plugin.Path, Doc: "File with the body of a search; may hold %{field}."},
	{Name: "fields", Kind: plugin.Hash, Doc: "Field of the document found => field of the event."},
	{Name: "docinfo_fields", Kind: plugin.Hash, Doc: "_index, _id and the like => field of the event."},
	{Name: "aggregation_fields", Kind: plugin.Hash, Doc: "Aggregation => field of the event."},
	{Name: "result_size", Kind: plugin.Number, Default: "1", Doc: "Documents asked for; with several, fields become lists."},
	{Name: "enable_sort", Kind: plugin.Boolean, Default: "true", Doc: "Whether sort is sent."},
	{Name: "sort", Default: "@timestamp:desc", Doc: "Order of the documents."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the findings below."},
	{Name: "api_key", Kind: plugin.Password, Doc: "Key to log in with, id:key."},
	{Name: "ssl_enabled", Kind: plugin.Boolean, Doc: "Whether hosts without a scheme are asked over https."},
	{Name: "ssl", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"},
	{Name: "ca_file", Kind: plugin.Path, Deprecated: "use ssl_certificate_authorities"},
	{Name: "tag_on_failure", Kind: plugin.Array, Default: "_elasticsearch_lookup_failure", Doc: "Tags of events the search failed for."},
	{Name: "retry_on_failure", Kind: plugin.Number, Default: "0", Doc: "Further tries of a search that failed."},
	{Name: "retry_on_status", Kind: plugin.Array, Doc: "Statuses that are tried again; default 500, 502, 503 and 504."},
	{Name: "custom_headers", Kind: plugin.Hash, Doc: "Headers to send."},
	{Name: "query_type", Enum: []string{"dsl"}, Default: "dsl", Doc: "Language of the query; ES|QL is not known."},
	{Name: "cloud_id", Refused: "write the address in hosts"},
	{Name: "cloud_auth", Refused: "use user and password"},
	{Name: "ca_trusted_fingerprint", Refused: "use ssl_certificate_authorities"},
	{Name: "query_params", Refused: "ES|QL is not known"},
}, httpOptions...)

// elasticsearch copies fields of documents found by a search.
type elasticsearch struct {
	*caller
	hosts        []string
	next         int
	index        *plugin.Template
	query, body  *plugin.Template
	sort         string
	size         int
	fields, info []fieldPair
	aggs         []fieldPair
	headers      []textPair
	key          string
	onFailure    []string
	retryOn      []string
	again        int
}

type fieldPair struct {
	from []string
	to   *event.Path
}

func newElasticsearch(a *plugin.Args, env *plugin.Env) Filter {
	f := &elasticsearch{caller: newCaller(a, env), size: a.Int("result_size"), key: a.String("api_key"), onFailure: tags(a, "tag_on_failure"), again: a.Int("retry_on_failure"),
		headers: textPairs(a, "custom_headers"), retryOn: a.Strings("retry_on_status")}
	if len(f.retryOn) == 0 {
		f.retryOn = []string{"500", "502", "503", "504"}
	}
	f.index = a.Template(plugin.Text{Pos: a.At("index"), Text: a.String("index")})
	if a.Has("query") == a.Has("query_template") {
		a.Fail("query", "", "elasticsearch needs either query or query_template")
	}
	if a.Has("query_template") {
		text, err := os.ReadFile(a.String("query_template"))
		if err != nil {
			a.Fail("query_template", "", "%v", err)
		}
		f.body = a.Template(plugin.Text{Pos: a.At("query_template"), Text: string(text)})
	} else {
		f.query = a.Template(plugin.Text{Pos: a.At("query"), Text: a.String("query")})
	}
	if a.Bool("enable_sort") {
		f.sort = a.String("sort")
	}
	f.addresses(a)
	f.fields, f.info, f.aggs = fieldPairs(a, "fields"), fieldPairs(a, "docinfo_fields"), fieldPairs(a, "aggregation_fields")
	return f
}

func (f *elasticsearch) addresses(a *plugin.Args) {
	scheme := "http://"
	if a.Bool("ssl_enabled") || a.Bool("ssl") {
		scheme = "https://"
	}
	for _, t := range a.Texts("hosts") {
		h := t.Text
		if !strings.Contains(h, "://") {
			h = scheme + h
		}
		u, err := url.Parse(h)
		if err != nil || u.Host == "" {
			a.FailAt(t.Pos, "", "%q is no address", t.Text)
			continue
		}
		if u.Port() == "" {
			u.Host += ":9200"
		}
		f.hosts = append(f.hosts, strings.TrimSuffix(u.String(), "/"))
	}
}

// fieldPairs reads source => destination; a source is a path of names in a document.
func fieldPairs(a *plugin.Args, option string) []fieldPair {
	target := a.Field("target")
	var out []fieldPair
	for _, p := range a.Pairs(option) {
		from, err := event.ParsePath(p.Key.Text)
		if err != nil {
			a.FailAt(p.Key.Pos, "", "%v", err)
			continue
		}
		for _, v := range p.Values {
			if to := a.Path(v); to != nil {
				if target != nil {
					to = below(target, to)
				}
				out = append(out, fieldPair{from.Names(), to})
			}
		}
	}
	return out
}

func (f *elasticsearch) Filter(e *event.Event) Result {
	b := e.Batch()
	res, err := f.search(e)
	if err != nil || res.status >= 400 {
		return fail(e, f.onFailure)
	}
	v, err := b.ParseJSON(b.KeepBytes(res.body))
	if err != nil {
		return fail(e, f.onFailure)
	}
	found := false
	for _, p := range f.aggs {
		if x, ok := follow(b, v, append([]string{"aggregations"}, p.from...)); ok {
			e.Set(p.to, b.Copy(x))
			found = true
		}
	}
	hits, _ := follow(b, v, []string{"hits", "hits"})
	elems := b.Elems(hits)
	if f.copy(e, elems) || found || len(f.fields)+len(f.info) == 0 && len(elems) > 0 {
		return Matched
	}
	return None
}

// copy sets the fields of the documents found; of several documents they become lists.
func (f *elasticsearch) copy(e *event.Event, hits []event.Value) (found bool) {
	b := e.Batch()
	for i, set := range [][]fieldPair{f.fields, f.info} {
		for _, p := range set {
			path := p.from
			if i == 0 {
				path = append([]string{"_source"}, path...)
			}
			var vals []event.Value
			for _, h := range hits {
				if x, ok := follow(b, h, path); ok {
					vals = append(vals, b.Copy(x))
				}
			}
			switch {
			case len(vals) == 0:
				continue
			case len(hits) == 1:
				e.Set(p.to, vals[0])
			default:
				e.Set(p.to, b.ListOf(vals...))
			}
			found = true
		}
	}
	return found
}

func follow(b *event.Batch, v event.Value, path []string) (event.Value, bool) {
	for _, n := range path {
		next, ok := b.Field(v, n)
		if !ok {
			return event.Value{}, false
		}
		v = next
	}
	return v, true
}

// search asks one host after the other.
func (f *elasticsearch) search(e *event.Event) (res *answer, err error) {
	for range f.again + 1 {
		for range f.hosts {
			host := f.hosts[f.next%len(f.hosts)]
			res, err = f.do(func() (*http.Request, error) { return f.request(e, host) })
			if err == nil && !slices.Contains(f.retryOn, strconv.Itoa(res.status)) {
				return res, nil
			}
			f.next++
		}
	}
	if res == nil && err == nil {
		err = fmt.Errorf("no host")
	}
	return res, err
}

// encodeKey is an API key as it is sent: id:key in base64; one that is encoded already stays.
func encodeKey(key string) string {
	if !strings.Contains(key, ":") {
		return key
	}
	return base64.StdEncoding.EncodeToString([]byte(key))
}

func (f *elasticsearch) request(e *event.Event, host string) (*http.Request, error) {
	addr := host
	if index := f.index.Render(e); index != "" {
		addr += "/" + url.PathEscape(index)
	}
	addr += "/_search?ignore_unavailable=true"
	var body []byte
	if f.body != nil {
		body = f.body.Append(nil, e)
	} else {
		q := url.Values{"q": {f.query.Render(e)}, "size": {strconv.Itoa(f.size)}}
		if f.sort != "" {
			q.Set("sort", f.sort)
		}
		addr += "&" + q.Encode()
	}
	req, err := http.NewRequest(http.MethodGet, addr, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if len(body) > 0 {
		req.Header.Set("Content-Type", "application/json")
	}
	if f.key != "" {
		req.Header.Set("Authorization", "ApiKey "+encodeKey(f.key))
	}
	for _, p := range f.headers {
		req.Header.Set(p.key.Render(e), p.value.Render(e))
	}
	return req, nil
}
