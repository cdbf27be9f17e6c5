package output

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// readES reads the options of an elasticsearch output.
func readES(t *testing.T, text string) (*plugin.Args, conf.Errors) {
	t.Helper()
	f, errs := conf.Parse("t.conf", "output { elasticsearch { "+text+" } }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	a := plugin.Read(f.Sections[0].Body[0].(*conf.Plugin), append(append([]plugin.Option{}, elasticsearchOptions...), plugin.OutputOptions...), &errs)
	return a, errs
}

func TestESOptions(t *testing.T) {
	t.Parallel()
	a, _ := readES(t, `cloud_id => "my:dXMtZWFzdC0xLmF3cy5mb3VuZC5pbyRhYmNkJGtpYg==" cloud_auth => "me:secret:x" api_key => "id:key" custom_headers => { "X-A" => "b" }
		dlq_custom_codes => [422, "503"] retry_initial_interval => 1 retry_max_interval => 8 timeout => 5 compression_level => 6
		ilm_rollover_alias => "web" ssl_verification_mode => none`)
	o := ReadESOptions(a)
	if len(*a.Errs) > 0 {
		t.Fatal(*a.Errs)
	}
	if len(o.Hosts) != 1 || o.Hosts[0] != "https://abcd.us-east-1.aws.found.io:443" || o.User != "me" || o.Password != "secret:x" || o.APIKey != "aWQ6a2V5" {
		t.Errorf("login %+v", o)
	}
	if o.Headers["X-A"] != "b" || len(o.Refuse) != 2 || o.RetryInitial != time.Second || o.RetryMax != 8*time.Second || o.Timeout != 5*time.Second || o.Compression != 6 || o.TLS.Verify != "none" {
		t.Errorf("options %+v", o)
	}
	if o.Rollover == nil || o.Rollover.Alias != "web" || o.Rollover.Policy != "logstash-policy" || o.Rollover.Pattern != "{now/d}-000001" {
		t.Errorf("rollover %+v", o.Rollover)
	}
	b, _ := readES(t, `hosts => ["a", "b"] ilm_enabled => false ilm_rollover_alias => "web"`)
	p := ReadESOptions(b)
	if p.Rollover != nil || p.Key() == o.Key() {
		t.Errorf("options %+v", p)
	}
}

func TestESOptionFaults(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`cloud_id => "x:y"`:                               "cloud_id cannot be read",
		`cloud_auth => "a:b"`:                             "cloud_auth goes with cloud_id",
		`dlq_custom_codes => [409]`:                       "no status of an error",
		`compression_level => 12`:                         "0 to 9",
		`ssl_certificate_authorities => "/no/such/pem"`:   "/no/such/pem",
		`template => "/no/such/file"`:                     "/no/such/file",
		`upsert => "{" action => update document_id => 1`: "upsert is no JSON",
		`scripted_upsert => true`:                         "needs a script",
		`version_type => external`:                        "needs a version",
		`parameters => { "a" => "b" }`:                    "parameters of requests cannot be added",
		`ilm_rollover_alias => "%{x}"`:                    "cannot depend on the event",
	} {
		a, _ := readES(t, text)
		ReadESOptions(a)
		newElasticsearch(a, &Env{}, nil)
		if !strings.Contains(a.Errs.Error(), want) {
			t.Errorf("%s: %v, want %s", text, a.Errs, want)
		}
	}
}

func TestESBodies(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		options, body, index string
		extra                *bulk.Extra
	}{
		{`index => "x" action => update document_id => "%{id}" doc_as_upsert => true`, `{"doc":{"id":"7"},"doc_as_upsert":true}`, "x", &bulk.Extra{Retries: 1}},
		{`index => "x" action => update document_id => "%{id}" upsert => '{"n": "%{id}"}' retry_on_conflict => 0`, `{"doc":{"id":"7"},"upsert":{"n": "7"}}`, "x", &bulk.Extra{}},
		{`index => "x" action => update document_id => 1 script => "ctx._source.n += params.e.id" script_var_name => "e" scripted_upsert => true`,
			`{"script":{"lang":"painless","source":"ctx._source.n += params.e.id","params":{"e":{"id":"7"}}},"scripted_upsert":true,"upsert":{}}`, "x", &bulk.Extra{Retries: 1}},
		{`index => "x" action => update document_id => 1 script => "s-%{id}" script_type => indexed`, `{"script":{"id":"s-7","params":{"event":{"id":"7"}}}}`, "x", &bulk.Extra{Retries: 1}},
		{`index => "x" pipeline => "clean"`, `{"id":"7"}`, "x", &bulk.Extra{Pipeline: "clean"}},
		{`index => "x" pipeline => "%{id}" version => "%{id}" version_type => external_gt`, `{"id":"7"}`, "x", &bulk.Extra{Pipeline: "7", Version: 7, VersionType: "external"}},
		{`ilm_rollover_alias => "web"`, `{"id":"7"}`, "web", nil},
		{`index => "plain"`, `{"id":"7"}`, "plain", nil},
	} {
		a, errs := readES(t, tt.options)
		r := newElasticsearch(a, &Env{Env: plugin.Env{ECS: true, Log: slog.New(slog.DiscardHandler)}}, nil)
		if len(errs)+len(*a.Errs) > 0 {
			t.Errorf("%s: %v", tt.options, a.Errs)
			continue
		}
		b := event.NewBatch(false)
		e := b.New(0)
		e.AddField("id", event.String("7"))
		var buf Buf
		r.Render(&buf, e)
		it := &buf.Items[0]
		if got := string(buf.Bytes(it)); got != tt.body || it.Target != tt.index {
			t.Errorf("%s: %s into %s\nwant %s into %s", tt.options, got, it.Target, tt.body, tt.index)
		}
		if (it.Extra == nil) != (tt.extra == nil) || it.Extra != nil && *it.Extra != *tt.extra {
			t.Errorf("%s: extra %+v, want %+v", tt.options, it.Extra, tt.extra)
		}
	}
}
