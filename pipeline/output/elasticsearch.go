package output

import (
	"strings"

	"github.com/weirlog/weir/bulk"
	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/plugin"
)

const byCluster = "the client decides"

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
	{Name: "upsert", Doc: "JSON of the document an update makes when it is missing; may hold %{field}."},
	{Name: "script", Doc: "Script of updates; the event is params.event. May hold %{field}."},
	{Name: "script_type", Enum: []string{"inline", "indexed"}, Default: "inline", Doc: "Whether script is a text, or the id of a stored one."},
	{Name: "script_lang", Default: "painless", Doc: "Language of the script."},
	{Name: "script_var_name", Default: "event", Doc: "Name of the event among the script's params."},
	{Name: "scripted_upsert", Kind: plugin.Boolean, Default: "false", Doc: "Whether the script runs, too, when the document is missing."},
	{Name: "pipeline", Doc: "Ingest pipeline; may hold %{field}, which when empty is none."},
	{Name: "version", Doc: "Version of the document; may hold %{field}."},
	{Name: "version_type", Enum: []string{"internal", "external", "external_gt", "external_gte"}, Doc: "How the version is compared."},
	{Name: "retry_on_conflict", Kind: plugin.Number, Default: "1", Doc: "How often the cluster tries an update again that another one overtook."},
	{Name: "drop_error_types", Kind: plugin.Array, Doc: "Types of errors whose documents are dropped and counted instead of going to the dead letters."},
	{Name: "dlq_custom_codes", Kind: plugin.Array, Doc: "Statuses besides 400, 404 and 413 whose documents go to the dead letters instead of being tried again."},
	{Name: "user", Doc: "User."}, {Name: "password", Kind: plugin.Password, Doc: "Password."},
	{Name: "api_key", Kind: plugin.Password, Doc: "API key, id:key, or that in base64."},
	{Name: "cloud_id", Doc: "Elastic Cloud's id of the cluster, instead of hosts."}, {Name: "cloud_auth", Kind: plugin.Password, Doc: "user:password, with cloud_id."},
	{Name: "cacert", Kind: plugin.Path, Deprecated: "use ssl_certificate_authorities"},
	{Name: "ssl_certificate_authorities", Kind: plugin.Array, Doc: "PEM files of the authorities that signed the cluster's certificates."},
	{Name: "ca_trusted_fingerprint", Doc: "SHA-256 of an authority that is trusted, in hexadecimal."},
	{Name: "ssl_enabled", Kind: plugin.Boolean, Doc: "Whether hosts without a scheme are spoken to in TLS."}, {Name: "ssl", Kind: plugin.Boolean, Deprecated: "use ssl_enabled"},
	{Name: "ssl_verification_mode", Enum: []string{"full", "none"}, Default: "full", Doc: "Whether the cluster's certificate is checked."},
	{Name: "ssl_certificate_verification", Kind: plugin.Boolean, Deprecated: "use ssl_verification_mode"},
	{Name: "ssl_certificate", Kind: plugin.Path, Doc: "PEM file of our own certificate."}, {Name: "ssl_key", Kind: plugin.Path, Doc: "PEM file of its key."},
	{Name: "ssl_supported_protocols", Kind: plugin.Array, Doc: "TLSv1.2, TLSv1.3."}, {Name: "ssl_cipher_suites", Kind: plugin.Array, Doc: "Cipher suites of TLS 1.2."},
	{Name: "compression_level", Kind: plugin.Number, Default: "1", Doc: "Gzip level of requests, 0 to 9."}, {Name: "http_compression", Kind: plugin.Boolean, Deprecated: "use compression_level"},
	{Name: "retry_initial_interval", Kind: plugin.Number, Default: "2", Doc: "Seconds before the second try; doubled for each further one."},
	{Name: "retry_max_interval", Kind: plugin.Number, Default: "64", Doc: "Most seconds between tries."},
	{Name: "timeout", Kind: plugin.Number, Default: "60", Doc: "Seconds a request may take."},
	{Name: "path", Doc: "Path before the API's."}, {Name: "proxy", Doc: "Address of an HTTP proxy; without it the environment's."},
	{Name: "custom_headers", Kind: plugin.Hash, Doc: "Headers of every request."},
	{Name: "manage_template", Kind: plugin.Boolean, Default: "true", Doc: "Whether the template is put into the cluster before the first document."},
	{Name: "template", Kind: plugin.Path, Doc: "File of an index template; without it none is put, as the store has templates of its own."},
	{Name: "template_name", Doc: "Its name: logstash, or with ECS ecs-logstash, without it."},
	{Name: "template_overwrite", Kind: plugin.Boolean, Default: "false", Doc: "Whether it replaces one of the same name."},
	{Name: "template_api", Enum: []string{"auto", "legacy", "composable"}, Default: "auto", Doc: "Which kind of template: auto is composable."},
	{Name: "ilm_enabled", Enum: []string{"auto", "true", "false"}, Default: "auto", Doc: "Whether indices are rolled over by a policy: auto is yes when ilm_rollover_alias is set."},
	{Name: "ilm_rollover_alias", Doc: "Alias that is written; its first index and a template for the rest are made. index is not used then."},
	{Name: "ilm_pattern", Default: "{now/d}-000001", Doc: "What follows the alias in the first index's name."},
	{Name: "ilm_policy", Default: "logstash-policy", Doc: "Policy of the indices; logstash-policy is made when it is not there."},
	{Name: "pool_max", Kind: plugin.Number, Unread: byCluster}, {Name: "pool_max_per_route", Kind: plugin.Number, Unread: byCluster},
	{Name: "resurrect_delay", Kind: plugin.Number, Unread: byCluster}, {Name: "sniffing", Kind: plugin.Boolean, Unread: "the hosts that are written are used"},
	{Name: "sniffing_delay", Kind: plugin.Number, Unread: byCluster}, {Name: "sniffing_path", Unread: byCluster}, {Name: "validate_after_inactivity", Kind: plugin.Number, Unread: byCluster},
	{Name: "healthcheck_path", Unread: byCluster}, {Name: "bulk_path", Unread: "use path"},
	{Name: "silence_errors_in_log", Kind: plugin.Array, Unread: "refused documents are counted, not logged one by one"},
	{Name: "document_type", Unread: "indices have no types any more"},
	{Name: "failure_type_logging_whitelist", Kind: plugin.Array, Unread: "refused documents are counted, not logged one by one"},
	{Name: "keystore", Obsolete: pemOnly}, {Name: "keystore_password", Kind: plugin.Password, Obsolete: pemOnly},
	{Name: "ssl_keystore_path", Obsolete: pemOnly}, {Name: "ssl_keystore_password", Kind: plugin.Password, Obsolete: pemOnly}, {Name: "ssl_keystore_type", Obsolete: pemOnly},
	{Name: "truststore", Obsolete: caOnly}, {Name: "truststore_password", Kind: plugin.Password, Obsolete: caOnly}, {Name: "ssl_truststore_path", Obsolete: caOnly},
	{Name: "ssl_truststore_password", Kind: plugin.Password, Obsolete: caOnly}, {Name: "ssl_truststore_type", Obsolete: caOnly},
	{Name: "parameters", Kind: plugin.Hash, Obsolete: "parameters of requests cannot be added"},
	{Name: "parent", Obsolete: "use routing"}, {Name: "join_field", Obsolete: "set the join field by mutate, and use routing"},
}

const caOnly = "give the authorities as PEM files: ssl_certificate_authorities"

// elasticsearch renders documents.
type elasticsearch struct {
	index, id, routing, action *plugin.Template
	fixed                      bulk.Action // when action is nil
	update                     *update
	extra                      *extra
	rules                      *Rules
	stream                     [3]string // type, dataset, namespace
	autoRoute, sync            bool
	last                       [3]string
	lastName                   string
}

var streamPaths = [3]*event.Path{event.MustPath("[data_stream][type]"), event.MustPath("[data_stream][dataset]"), event.MustPath("[data_stream][namespace]")}

func newElasticsearch(a *plugin.Args, env *Env, _ codec.Codec) Renderer {
	r := &elasticsearch{autoRoute: a.Bool("data_stream_auto_routing"), sync: a.Bool("data_stream_sync_fields")}
	template := func(option string) *plugin.Template {
		if !a.Has(option) {
			return nil
		}
		return a.Template(plugin.Text{Pos: a.At(option), Text: a.String(option)})
	}
	r.index, r.id, r.routing = template("index"), template("document_id"), template("routing")
	r.update, r.extra = newUpdate(a), newExtra(a)
	if l := a.Strings("drop_error_types"); len(l) > 0 {
		r.rules = &Rules{Drop: l}
	}
	if alias := rolloverAlias(a); alias != "" {
		r.index = a.Template(plugin.Text{Pos: a.At("ilm_rollover_alias"), Text: alias})
	}
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
	it := Item{Action: r.fixed, Rules: r.rules}
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
	if r.extra != nil {
		it.Extra = r.extra.of(e, it.Action)
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
		return r.update.source(b, e)
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
