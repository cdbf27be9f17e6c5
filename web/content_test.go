package web

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/weirlog/weir/web/object/objecttest"
)

// keeping is a server over the fake store that also keeps objects.
func keeping(t *testing.T, next http.Handler) string {
	t.Helper()
	s, err := New(Config{Store: objecttest.New(next), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	return srv.URL
}

func do(t *testing.T, method, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(b)
}

func TestDashboardsAPI(t *testing.T) {
	t.Parallel()
	api := keeping(t, fakeStore{t}) + "/api/dashboards"
	status, out := do(t, "POST", api, `{"title":"One","panels":[],"x_unknown":{"kept":1.0}}`)
	var made struct {
		ID   string
		Data json.RawMessage
		Meta struct{ Version string }
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || status != 201 || made.ID == "" {
		t.Fatalf("created: %d %s", status, out)
	}
	put := "{\"title\":\"Two\",  \"panels\":[ {\"a\":1.50} ]}"
	if status, out := do(t, "PUT", api+"/"+made.ID, put, "If-Match", made.Meta.Version); status != 200 {
		t.Fatalf("replaced: %d %s", status, out)
	}
	for _, c := range []struct {
		method, path, body string
		header             []string
		status             int
		want               string
	}{
		{"GET", "/" + made.ID, "", nil, 200, `{"title":"Two","panels":[{"a":1.50}]}`},
		{"GET", "", "", nil, 200, `"title":"Two"`},
		{"GET", "?query=two", "", nil, 200, `"total":1`},
		{"GET", "?query=weir&per_page=2", "", nil, 200, `"per_page":2`},
		{"GET", "/weir-itself", "", nil, 200, `"managed":true`},
		{"PUT", "/weir-itself", `{"title":"x"}`, nil, 403, "managed"},
		{"POST", "", `{"id":"x","title":"y"}`, nil, 400, "body.id"},
		{"PUT", "/x", `{"spaces":[],"title":"y"}`, nil, 400, "body.spaces"},
		{"PUT", "/x", `{"panels":[]}`, nil, 400, "title"},
		{"PUT", "/x", `[`, nil, 400, "body"},
		{"PUT", "/" + made.ID, `{"title":"late"}`, []string{"If-Match", made.Meta.Version}, 409, "somebody else"},
		{"GET", "/nowhere", "", nil, 404, "nowhere"},
		{"GET", "", "", []string{"Elastic-Api-Version", "2020-01-01"}, 400, "2020-01-01"},
		{"GET", "", "", []string{"Elastic-Api-Version", "2023-10-31"}, 200, "Two"},
		{"DELETE", "/" + made.ID, "", nil, 204, ""},
		{"DELETE", "/" + made.ID, "", nil, 404, ""},
	} {
		status, out := do(t, c.method, api+c.path, c.body, c.header...)
		if status != c.status || !strings.Contains(strings.ReplaceAll(out, " ", ""), strings.ReplaceAll(c.want, " ", "")) {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, status, out, c.status, c.want)
		}
	}
	if status, out := do(t, "GET", strings.Replace(api, "/api", "/s/default/api", 1), ""); status != 200 {
		t.Errorf("the default space: %d %s", status, out)
	}
	if status, out := do(t, "GET", strings.Replace(api, "/api/dashboards", "/api/status", 1), ""); status != 200 || !strings.Contains(out, `"level":"available"`) {
		t.Errorf("status: %d %s", status, out)
	}
}

func TestObjects(t *testing.T) {
	t.Parallel()
	at := keeping(t, fakeStore{t}) + "/weir/objects/search"
	if status, out := do(t, "PUT", at+"/a", `{"title":"A","body":{"q":1}}`, "If-Match", "create"); status != 200 || !strings.Contains(out, `"version":"1.1"`) {
		t.Fatalf("put: %d %s", status, out)
	}
	for _, c := range []struct {
		method, path string
		header       []string
		status       int
	}{
		{"GET", "/a", nil, 200}, {"GET", "", nil, 200}, {"PUT", "/a", []string{"If-Match", "create"}, 409}, {"POST", "/a", nil, 405},
		{"DELETE", "/a", []string{"If-Match", "9.9"}, 409}, {"DELETE", "/a", nil, 200}, {"GET", "/a", nil, 404},
	} {
		if status, out := do(t, c.method, at+c.path, `{"title":"B","body":{}}`, c.header...); status != c.status {
			t.Errorf("%s %s: %d %s, want %d", c.method, c.path, status, out, c.status)
		}
	}
	if status, _ := do(t, "GET", strings.Replace(at, "search", "secret", 1), ""); status != 404 {
		t.Errorf("an unknown type: %d", status)
	}
}

func TestPanels(t *testing.T) {
	t.Parallel()
	url := keeping(t, fakeStore{t}) + "/weir/panels"
	status, out := post(t, url, `{"panels":[{"id":"m","type":"vis","config":{"type":"metric","metrics":[{"operation":"count"}]}},
		{"id":"s","type":"discover_session","config":{"columns":["a"]}},{"id":"v","type":"vis","config":{"type":"vega"}},
		{"id":"r","type":"vis","config":{"ref_id":"gone"}},{"id":"b","type":"vis","config":{"type":"metric","data_source":{"index_pattern":"broken"},"metrics":[]}}]}`)
	for _, want := range []string{`"id":"m","layers":[{"kind":"metric"`, `"rows":[[3]]`, `"id":"s"`, `"message":"hello"`, `"unsupported":"a panel of type \"vega\""`, `no visualization with id`, `parsing_exception`, `"done"`} {
		if status != 200 || !strings.Contains(out, want) {
			t.Errorf("%d, frames lack %s:\n%s", status, want, out)
		}
	}
}

func importFile(t *testing.T, url, lines string) string {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, _ := form.CreateFormFile("file", "export.ndjson")
	io.WriteString(part, lines)
	form.Close()
	resp, err := http.Post(url, form.FormDataContentType(), &body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.StatusCode, " ", string(b))
}

func TestImportExport(t *testing.T) {
	t.Parallel()
	base := keeping(t, fakeStore{t})
	lines := `{"type":"index-pattern","id":"v","attributes":{"title":"logs-*"}}
{"type":"lens","id":"l","attributes":{"title":"L","visualizationType":"lnsVega","state":{}}}
{"type":"dashboard","id":"d","attributes":{"title":"D","panelsJSON":"[]"},"references":[]}
{"type":"canvas","id":"c","attributes":{}}
not json

{"exportedCount":4,"missingRefCount":0}`
	out := importFile(t, base+"/api/saved_objects/_import", lines)
	for _, want := range []string{`200 {"success":false,"successCount":3`, `"type":"unsupported_type"`, `line 5`, `"status":"placeholder"`} {
		if !strings.Contains(out, want) {
			t.Errorf("import answers %s, lacks %s", out, want)
		}
	}
	if out := importFile(t, base+"/api/saved_objects/_import", lines); !strings.Contains(out, `"type":"conflict"`) {
		t.Errorf("a second import: %s", out)
	}
	if out := importFile(t, base+"/api/saved_objects/_import?overwrite=true", lines); strings.Contains(out, "conflict") {
		t.Errorf("an import over: %s", out)
	}
	if out := importFile(t, base+"/api/saved_objects/_import?overwrite=true&createNewCopies=true", lines); !strings.HasPrefix(out, "400") {
		t.Errorf("both at once: %s", out)
	}
	_, ours := do(t, "POST", base+"/api/saved_objects/_export", `{"type":["dashboard","lens"]}`)
	if !strings.Contains(ours, `"exportedCount":2`) {
		t.Fatalf("export: %s", ours)
	}
	if out := importFile(t, base+"/api/saved_objects/_import?overwrite=true", ours); !strings.Contains(out, `"success":true`) {
		t.Errorf("what was exported comes back in: %s", out)
	}
}

func TestExport(t *testing.T) {
	t.Parallel()
	url := keeping(t, fakeStore{t}) + "/weir/export?"
	resp, out := get(t, url+"format=csv&cols=log.file.path")
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(rows) != 2 || strings.Join(rows[0], " ") != "@timestamp log.file.path message" || rows[1][1] != "/a.log" {
		t.Errorf("%v %q", err, out)
	}
	if !strings.Contains(resp.Header.Get("Content-Disposition"), ".csv") {
		t.Errorf("headers = %v", resp.Header)
	}
	if _, out := get(t, url+"format=ndjson"); !strings.Contains(out, `"message":"hello"`) || strings.Count(out, "\n") != 1 {
		t.Errorf("ndjson: %q", out)
	}
	if _, out := get(t, url+"format=text"); out != "hello\n" {
		t.Errorf("text: %q", out)
	}
	for query, want := range map[string]string{"format=xls": "xls", "query=bad:": "bad_query", "filters=[": "filters", "index=broken": "parsing_exception"} {
		if resp, out := get(t, url+query); resp.StatusCode != 400 || !strings.Contains(out, want) {
			t.Errorf("%s: %d %s", query, resp.StatusCode, out)
		}
	}
}

func TestGuarded(t *testing.T) {
	t.Parallel()
	got := guarded([]string{"=1+1", "+x", "-x", "@x", "\tx", "\rx", "x=", "", "결제"})
	if want := "'=1+1|'+x|'-x|'@x|'\tx|'\rx|x=||결제"; strings.Join(got, "|") != want {
		t.Errorf("guarded = %q", got)
	}
}
