package output

import (
	"strings"
	"time"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

const (
	builtIn   = "templates and retention are set in weir.yml or by the cluster"
	byCluster = "the client decides"
)

var elasticsearchOptions = []plugin.Option{
	{Name: "hosts", Kind: plugin.Array, Doc: "Addresses of the cluster; without it weir's own store is written."},
	{Name: "index", Doc: "Index or alias; may hold %{field} and %{+yyyy.MM.dd}. Without it documents go to a data stream."},
	{Name: "data_stream", Enum: []string{"auto", "true", "false"}, Default: "auto", Doc: "Whether documents go to a data stream: auto is yes unless index is set."},
	{Name: "data_stream_type", Default: "logs", Doc: "First part of the data stream's name."},
	{Name: "data_stream_dataset", Default: "generic", Doc: "Second part."},
	{Name: "data_stream_namespace", Default: "default", Doc: "Third part."},
	{Name: "data_stream_auto_routing", Kind: plugin.Boolean, Default: "true", Doc: "Whether the fields [data_stream][...] of an event win over the options."},
	{Name: "data_stream_sync_fields", Kind: plugin.Boolean, Default: "true", Doc: "Whether the fields [data_stream][...] are set."},
	{Name: "action", Doc: "index, create, update or delete; may hold %{field}. Default index, create for data streams."},
	{Name: "document_id", Doc: "Id; may hold %{field}."},
	{Name: "routing", Doc: "Routing; may hold %{field}."},
	{Name: "doc_as_upsert", Kind: plugin.Boolean, Default: "false", Doc: "Whether an update makes the document when it is missing."},
	{Name: "user", Doc: "User."}, {Name: "password", Kind: plugin.Password, Doc: "Password."},
	{Name: "api_key", Kind: plugin.Password, Doc: "API key, id:key."},
	{Name: "cacert", Kind: plugin.Path, Doc: "File of the authority that signed the cluster's certificate."},
	{Name: "ssl_certificate_authorities", Kind: plugin.Array, Doc: "The same."},
	{Name: "ssl_enabled", Kind: plugin.Boolean, Doc: "Whether hosts without a scheme are spoken to in TLS."}, {Name: "ssl", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"},
	{Name: "ssl_verification_mode", Enum: []string{"full", "none"}, Default: "full", Doc: "Whether the cluster's certificate is checked."},
	{Name: "ssl_certificate_verification", Kind: plugin.Boolean, Deprecated: "use ssl_verification_mode"},
	{Name: "compression_level", Kind: plugin.Number, Default: "1", Doc: "Gzip level of requests, 0 to 9."}, {Name: "http_compression", Kind: plugin.Boolean, Deprecated: "use compression_level"},
	{Name: "retry_initial_interval", Kind: plugin.Number, Default: "2", Doc: "Seconds before the second try."},
	{Name: "retry_max_interval", Kind: plugin.Number, Default: "64", Doc: "Most seconds between tries."},
	{Name: "timeout", Kind: plugin.Number, Default: "60", Doc: "Seconds a request may take."},
	{Name: "path", Doc: "Path before the API's."}, {Name: "proxy", Doc: "Address of an HTTP proxy."},
	{Name: "template", Unread: builtIn}, {Name: "template_name", Unread: builtIn}, {Name: "template_overwrite", Kind: plugin.Boolean, Unread: builtIn},
	{Name: "template_api", Unread: builtIn}, {Name: "manage_template", Kind: plugin.Boolean, Unread: builtIn}, {Name: "ilm_enabled", Unread: builtIn},
	{Name: "ilm_pattern", Unread: builtIn}, {Name: "ilm_policy", Unread: builtIn}, {Name: "ilm_rollover_alias", Obsolete: "write index => \"alias\""},
	{Name: "pool_max", Kind: plugin.Number, Unread: byCluster}, {Name: "pool_max_per_route", Kind: plugin.Number, Unread: byCluster},
	{Name: "resurrect_delay", Kind: plugin.Number, Unread: byCluster}, {Name: "sniffing", Kind: plugin.Boolean, Unread: byCluster},
	{Name: "sniffing_delay", Kind: plugin.Number, Unread: byCluster}, {Name: "validate_after_inactivity", Kind: plugin.Number, Unread: byCluster},
	{Name: "healthcheck_path", Unread: byCluster}, {Name: "retry_on_conflict", Kind: plugin.Number, Unread: byCluster},
	{Name: "ssl_supported_protocols", Kind: plugin.Array, Unread: byCluster}, {Name: "silence_errors_in_log", Kind: plugin.Array, Unread: "refused documents are counted, not logged one by one"},
	{Name: "document_type", Unread: "indices have no types any more"},
	{Name: "failure_type_logging_whitelist", Kind: plugin.Array, Unread: "refused documents are counted, not logged one by one"},
	{Name: "keystore", Obsolete: "client certificates are not supported"}, {Name: "keystore_password", Kind: plugin.Password, Obsolete: "client certificates are not supported"},
	{Name: "ssl_keystore_path", Obsolete: "client certificates are not supported"}, {Name: "ssl_certificate", Obsolete: "client certificates are not supported"},
	{Name: "truststore", Obsolete: "write cacert"}, {Name: "ssl_truststore_path", Obsolete: "write cacert"},
	{Name: "pipeline", Obsolete: "ingest pipelines are not supported; use filters"},
	{Name: "version", Obsolete: "external versions are not supported"}, {Name: "version_type", Obsolete: "external versions are not supported"},
	{Name: "script", Obsolete: "scripted updates are not supported"}, {Name: "script_type", Obsolete: "scripted updates are not supported"},
	{Name: "scripted_upsert", Obsolete: "scripted updates are not supported"}, {Name: "upsert", Obsolete: "use doc_as_upsert"},
	{Name: "parent", Obsolete: "use routing"}, {Name: "cloud_id", Obsolete: "write hosts"}, {Name: "cloud_auth", Obsolete: "write user and password"},
	{Name: "dlq_custom_codes", Kind: plugin.Array, Obsolete: "refused documents always go to the dead letters"},
	{Name: "drop_error_types", Kind: plugin.Array, Obsolete: "refused documents always go to the dead letters"},
}

// ESOptions is what a writer of documents is made with. Outputs with equal options share one writer, so that all documents of a
// record are written together.
type ESOptions struct {
	Hosts        []string // empty: weir's own store
	User         string
	Password     string
	APIKey       string
	CACert       string // file
	Insecure     bool   // certificates are not checked
	TLS          bool   // for hosts without a scheme
	Path         string
	Proxy        string
	Compression  int
	RetryInitial time.Duration
	RetryMax     time.Duration
	Timeout      time.Duration
	Group        string // positions and ledger are kept under it
}

// Key tells writers apart.
func (o *ESOptions) Key() string {
	return strings.Join(append([]string{o.User, o.Password, o.APIKey, o.Path, o.Proxy, o.CACert}, o.Hosts...), "\x00")
}

// ReadESOptions reads the options of a writer.
func ReadESOptions(a *plugin.Args) ESOptions {
	o := ESOptions{Hosts: a.Strings("hosts"), User: a.String("user"), Password: a.String("password"), APIKey: a.String("api_key"),
		CACert: a.String("cacert"), Path: a.String("path"), Proxy: a.String("proxy"), Compression: a.Int("compression_level"),
		RetryInitial: a.Seconds("retry_initial_interval"), RetryMax: a.Seconds("retry_max_interval"), Timeout: a.Seconds("timeout")}
	if l := a.Strings("ssl_certificate_authorities"); len(l) > 0 {
		o.CACert = l[0]
	}
	o.TLS = a.Bool("ssl_enabled") || a.Bool("ssl")
	o.Insecure = a.String("ssl_verification_mode") == "none" || a.Has("ssl_certificate_verification") && !a.Bool("ssl_certificate_verification")
	if a.Has("http_compression") && !a.Bool("http_compression") {
		o.Compression = 0
	}
	return o
}

// elasticsearch renders documents.
type elasticsearch struct {
	index, id, routing, action *plugin.Template
	fixed                      bulk.Action // when action is nil
	upsert                     bool
	stream                     [3]string // type, dataset, namespace
	autoRoute, sync            bool
	last                       [3]string
	lastName                   string
}

var streamPaths = [3]*event.Path{event.MustPath("[data_stream][type]"), event.MustPath("[data_stream][dataset]"), event.MustPath("[data_stream][namespace]")}

func newElasticsearch(a *plugin.Args, env *Env, _ codec.Codec) Renderer {
	r := &elasticsearch{upsert: a.Bool("doc_as_upsert"), autoRoute: a.Bool("data_stream_auto_routing"), sync: a.Bool("data_stream_sync_fields")}
	template := func(option string) *plugin.Template {
		if !a.Has(option) {
			return nil
		}
		return a.Template(plugin.Text{Pos: a.At(option), Text: a.String(option)})
	}
	r.index, r.id, r.routing = template("index"), template("document_id"), template("routing")
	streams := a.String("data_stream")
	switch {
	case streams == "true" && r.index != nil:
		a.Fail("index", "remove index, or write data_stream => false", "a data stream's name is made of data_stream_type, _dataset and _namespace")
	case r.index == nil && streams == "false":
		name := "logstash-%{+yyyy.MM.dd}"
		if a.ECS(&env.Env) {
			name = "ecs-" + name
		}
		r.index = a.Template(plugin.Text{Pos: a.Pos, Text: name})
	case r.index == nil:
		for i, o := range []string{"data_stream_type", "data_stream_dataset", "data_stream_namespace"} {
			r.stream[i] = a.String(o)
		}
	}
	if r.index != nil && r.index.UsesClock() || r.id != nil && r.id.UsesClock() {
		a.Warn("index", "use %{+yyyy.MM.dd}, the time of the event", "the name depends on the moment of writing: a repeated write goes elsewhere")
	}
	r.setAction(a, template("action"))
	return r
}

func (r *elasticsearch) setAction(a *plugin.Args, t *plugin.Template) {
	r.fixed = bulk.Create
	if r.index != nil {
		r.fixed = bulk.Index
	}
	switch {
	case t == nil:
	case !t.Const():
		r.action = t
	default:
		act, ok := actions[t.String()]
		if !ok {
			a.Fail("action", "one of index, create, update, delete", "unknown action %q", t.String())
		} else if r.index == nil && act != bulk.Create {
			a.Fail("action", "remove action, or write index", "a data stream only takes create")
		}
		r.fixed = act
	}
	if r.id == nil && r.action == nil && (r.fixed == bulk.Update || r.fixed == bulk.Delete) {
		a.Fail("action", "write document_id", "%s needs document_id", r.fixed)
	}
}

var actions = map[string]bulk.Action{"index": bulk.Index, "create": bulk.Create, "update": bulk.Update, "delete": bulk.Delete}

// MaxDocument is the size of the largest document, in bytes; larger ones go to the dead letters.
const MaxDocument = 10 << 20

func (r *elasticsearch) Render(dst *Buf, e *event.Event) {
	it := Item{Action: r.fixed}
	if r.index != nil {
		it.Target = r.index.Render(e)
	} else {
		it.Target = r.streamOf(e)
	}
	if r.id != nil {
		it.ID = r.id.Render(e)
	}
	if r.routing != nil {
		it.Routing = r.routing.Render(e)
	}
	if r.action != nil {
		act, ok := actions[r.action.Render(e)]
		if !ok {
			it.Refused = "unknown action " + r.action.Render(e)
		}
		it.Action = act
	}
	put(dst, e, it, func(b []byte) []byte { return r.source(b, e, it.Action) })
	if last := &dst.Items[len(dst.Items)-1]; last.To-last.From > MaxDocument {
		last.Refused = "oversize"
		dst.Data = dst.Data[:last.From]
		last.To = last.From
	}
}

func (r *elasticsearch) source(b []byte, e *event.Event, act bulk.Action) []byte {
	switch act {
	case bulk.Delete:
		return b
	case bulk.Update:
		b = e.AppendJSON(append(b, `{"doc":`...))
		if r.upsert {
			b = append(b, `,"doc_as_upsert":true`...)
		}
		return append(b, '}')
	}
	return e.AppendJSON(b)
}

// streamOf is the data stream of an event, and sets its fields.
func (r *elasticsearch) streamOf(e *event.Event) string {
	parts := r.stream
	for i, p := range streamPaths {
		v, ok := e.Get(p)
		if ok && r.autoRoute && v.Kind() == event.StringKind && v.Str() != "" {
			parts[i] = v.Str()
		}
		if r.sync && (!ok || v.Str() != parts[i]) {
			e.Set(p, event.String(parts[i]))
		}
	}
	if parts != r.last {
		for i := range parts {
			r.last[i] = strings.Clone(parts[i])
		}
		r.lastName = strings.Join(r.last[:], "-")
	}
	return r.lastName
}
