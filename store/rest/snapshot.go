package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/repository"
	"github.com/weirlog/weir/store/tasks"
)

// repo opens a repository by its definition.
func (s *Server) repo(name string) (*repository.Repository, error) {
	body, ok := s.store.Definition(store.SnapshotRepo, name)
	if !ok {
		return nil, &store.Error{Status: 404, Type: "repository_missing_exception", Reason: "[" + name + "] missing"}
	}
	s.repoMu.Lock()
	defer s.repoMu.Unlock()
	if r := s.repos[name]; r != nil && r.body == string(body) {
		return r.repo, nil
	}
	v, err := fastjson.ParseBytes(body)
	if err != nil {
		return nil, err
	}
	files, err := s.repoFiles(name, v)
	if err != nil {
		return nil, err
	}
	r := &openRepo{string(body), repository.New(name, files)}
	s.repos[name] = r
	return r.repo, nil
}

// openRepo is a repository in use, with the definition it was opened by.
type openRepo struct {
	body string
	repo *repository.Repository
}

// repoFiles opens what a definition {type, settings} names.
func (s *Server) repoFiles(name string, v *fastjson.Value) (repository.Files, error) {
	set := v.Get("settings")
	text := func(key string) string {
		if set == nil || set.Get(key) == nil {
			return ""
		}
		return scalarText(set.Get(key))
	}
	bad := func(format string, args ...any) error {
		return &store.Error{Status: 500, Type: "repository_exception", Reason: "[" + name + "] " + fmt.Sprintf(format, args...)}
	}
	switch typ := string(v.GetStringBytes("type")); typ {
	case "fs":
		dir, err := s.store.RepositoryDir(text("location"))
		if err != nil {
			return nil, bad("%v", err)
		}
		return repository.NewFolder(s.store.FS(), dir)
	case "s3":
		if text("bucket") == "" {
			return nil, bad("No bucket defined for s3 repository")
		}
		cfg := repository.S3Config{Endpoint: text("endpoint"), Bucket: text("bucket"), BasePath: text("base_path"), Region: text("region"), AccessKey: text("access_key"),
			SecretKey: text("secret_key"), PathStyle: text("path_style_access") == "true", Insecure: text("protocol") == "http"}
		if rest, ok := strings.CutPrefix(cfg.Endpoint, "http://"); ok {
			cfg.Endpoint, cfg.Insecure = rest, true
		}
		cfg.Endpoint = strings.TrimPrefix(cfg.Endpoint, "https://")
		if cfg.AccessKey == "" && os.Getenv("AWS_ACCESS_KEY_ID") == "" && cfg.Endpoint != "" && !strings.HasSuffix(cfg.Endpoint, "amazonaws.com") {
			return nil, bad("no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or access_key and secret_key")
		}
		return repository.NewS3(cfg)
	default:
		return nil, bad("repository type [%s] does not exist", typ)
	}
}

// handlePutRepo answers PUT /_snapshot/{repo}.
func handlePutRepo(c *call) error {
	v, err := c.jsonBody()
	if err != nil {
		return err
	}
	if v.GetStringBytes("type") == nil {
		return validation([]string{"type is missing"})
	}
	name := c.vars["repo"]
	if strings.ContainsAny(name, "#*,/ ") {
		return badRequest("repository_exception", "[%s] Invalid repository name", name)
	}
	files, err := c.s.repoFiles(name, v)
	if err != nil {
		return err
	}
	verify, err := c.params.boolean("verify", true)
	if err != nil {
		return err
	}
	if verify {
		if err := repository.New(name, files).Verify(c.r.Context()); err != nil {
			return err
		}
	}
	if err := c.s.store.PutDefinition(store.SnapshotRepo, name, v.MarshalTo(nil)); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleGetRepo answers GET /_snapshot[/{repo}]; keys are not shown.
func handleGetRepo(c *call) error {
	list, missing := c.s.store.Definitions(store.SnapshotRepo, c.vars["repo"])
	if len(missing) > 0 {
		return &store.Error{Status: 404, Type: "repository_missing_exception", Reason: "[" + missing[0] + "] missing"}
	}
	o := newObject()
	for _, t := range list {
		v, err := fastjson.ParseBytes(t.Body)
		if err != nil {
			return err
		}
		if set := v.GetObject("settings"); set != nil {
			set.Del("access_key")
			set.Del("secret_key")
		}
		o.raw(t.Name, v.MarshalTo(nil))
	}
	return c.reply(http.StatusOK, o.bytes())
}

// handleDeleteRepo answers DELETE /_snapshot/{repo}: the definition goes, the files stay.
func handleDeleteRepo(c *call) error {
	list, missing := c.s.store.Definitions(store.SnapshotRepo, c.vars["repo"])
	if len(missing) > 0 {
		return &store.Error{Status: 404, Type: "repository_missing_exception", Reason: "[" + missing[0] + "] missing"}
	}
	for _, t := range list {
		if err := c.s.store.DeleteDefinitions(store.SnapshotRepo, t.Name); err != nil {
			return err
		}
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleVerifyRepo answers POST /_snapshot/{repo}/_verify.
func handleVerifyRepo(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	if err := r.Verify(c.r.Context()); err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("nodes", newObject().set(c.s.nodeID(), newObject().set("name", c.s.nodeName))).bytes())
}

// handleCleanupRepo answers POST /_snapshot/{repo}/_cleanup.
func handleCleanupRepo(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	n, err := r.Cleanup(c.r.Context())
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newObject().set("results", newObject().set("deleted_bytes", 0).set("deleted_blobs", n)).bytes())
}

// snapshotName refuses what cannot name a snapshot.
var snapshotName = regexp.MustCompile(`^[^\s,"*\\<>|?/#A-Z_][^\s,"*\\<>|?/#A-Z]*$`)

// snapshotBody is what PUT /_snapshot/{repo}/{snap} takes.
type snapshotBody struct {
	Indices    json.RawMessage
	Global     *bool           `json:"include_global_state"`
	Ignore     bool            `json:"ignore_unavailable"`
	Partial    bool            `json:"partial"`
	Expand     json.RawMessage `json:"expand_wildcards"`
	Features   []string        `json:"feature_states"`
	Metadata   json.RawMessage `json:"metadata"`
	RenamePat  string          `json:"rename_pattern"`
	RenameRepl string          `json:"rename_replacement"`
	Aliases    *bool           `json:"include_aliases"`
	Settings   json.RawMessage `json:"index_settings"`
	IgnoreSet  json.RawMessage `json:"ignore_index_settings"`
}

// readSnapshotBody reads a body; keys it does not know are refused.
func (c *call) readSnapshotBody() (b snapshotBody, err error) {
	body, err := c.body()
	if err != nil || len(strings.TrimSpace(string(body))) == 0 {
		return b, err
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		return b, illegal("%v", err)
	}
	return b, nil
}

// expression is a text or a list as one comma list.
func expression(raw json.RawMessage) string {
	if len(raw) == 0 {
		return ""
	}
	v, err := fastjson.ParseBytes(raw)
	if err != nil {
		return ""
	}
	return strings.Join(textsOf(v), ",")
}

// handleCreateSnapshot answers PUT and POST /_snapshot/{repo}/{snapshot}.
func handleCreateSnapshot(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	name := c.vars["snapshot"]
	if !snapshotName.MatchString(name) {
		return badRequest("invalid_snapshot_name_exception", "[%s:%s] Invalid snapshot name [%s], must be lowercase and hold no white space or any of , \" * \\ < > | ? / #", r.Name, name, name)
	}
	b, err := c.readSnapshotBody()
	if err != nil {
		return err
	}
	refs, err := c.s.store.Resolve(expression(b.Indices), store.ResolveOptions{IgnoreUnavailable: b.Ignore, Hidden: true})
	if err != nil {
		return err
	}
	req := repository.Request{Name: name, Global: b.Global == nil || *b.Global, Metadata: b.Metadata}
	for _, x := range refs {
		req.Indices = append(req.Indices, x.Name)
	}
	wait, err := c.params.boolean("wait_for_completion", false)
	if err != nil {
		return err
	}
	info := c.taskInfo("cluster:admin/snapshot/create", "snapshot ["+r.Name+":"+name+"]")
	info.Private = true
	run := func(ctx context.Context) ([]byte, error) {
		snap, err := r.Create(ctx, c.s.store, req)
		if err != nil {
			return nil, err
		}
		return newObject().set("snapshot", snapshotJSON(r.Name, snap, true)).bytes(), nil
	}
	t, err := c.s.tasks.Go(info, func(ctx context.Context, _ *tasks.Task) ([]byte, error) {
		b, err := run(ctx)
		if err != nil {
			c.s.log.Error("a snapshot failed", "repository", r.Name, "snapshot", name, "error", err)
		}
		return b, err
	})
	if err != nil {
		return busy(err)
	}
	if !wait {
		return c.reply(http.StatusOK, []byte(`{"accepted":true}`))
	}
	<-t.Done()
	out, err := t.Result()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

// snapshotJSON prints what the list tells of a snapshot.
func snapshotJSON(repo string, s repository.Snapshot, verbose bool) *object {
	streams := s.Streams
	if streams == nil {
		streams = []string{}
	}
	indices := s.Indices
	if indices == nil {
		indices = []string{}
	}
	o := newObject().set("snapshot", s.Name).set("uuid", s.UUID).set("repository", repo)
	if !verbose {
		return o.set("indices", indices).set("data_streams", streams).set("state", s.State)
	}
	o.set("version_id", 8536000).set("version", apiVersion).set("indices", indices).set("data_streams", streams).set("include_global_state", s.Global)
	if s.Metadata != nil {
		o.raw("metadata", s.Metadata)
	}
	return o.set("state", s.State).set("start_time", isoMillis(s.Start)).set("start_time_in_millis", s.Start).set("end_time", isoMillis(s.End)).set("end_time_in_millis", s.End).
		set("duration_in_millis", s.End-s.Start).set("failures", []any{}).set("shards", newObject().set("total", s.Shards).set("failed", 0).set("successful", s.Shards)).set("feature_states", []any{})
}

// named are the snapshots of a repository that a comma list of patterns names; _current is none, as each is made at once.
func (c *call) named(r *repository.Repository, patterns string) ([]repository.Snapshot, error) {
	list, err := r.Snapshots(c.r.Context())
	if err != nil {
		return nil, err
	}
	var out []repository.Snapshot
	for _, p := range strings.Split(patterns, ",") {
		if p == "_all" {
			p = "*"
		}
		if p == "_current" {
			continue
		}
		n := len(out)
		for _, s := range list {
			if glob(p, s.Name) && !slices.ContainsFunc(out, func(x repository.Snapshot) bool { return x.UUID == s.UUID }) {
				out = append(out, s)
			}
		}
		if len(out) == n && !strings.Contains(p, "*") && c.params.str("ignore_unavailable", "false") != "true" {
			return nil, r.Missing(p)
		}
	}
	return out, nil
}

// handleGetSnapshot answers GET /_snapshot/{repo}/{snapshot}.
func handleGetSnapshot(c *call) error {
	repos, missing := c.s.store.Definitions(store.SnapshotRepo, c.vars["repo"])
	if len(missing) > 0 {
		return &store.Error{Status: 404, Type: "repository_missing_exception", Reason: "[" + missing[0] + "] missing"}
	}
	verbose, err := c.params.boolean("verbose", true)
	if err != nil {
		return err
	}
	out := []any{}
	for _, d := range repos {
		r, err := c.s.repo(d.Name)
		if err != nil {
			return err
		}
		list, err := c.named(r, c.vars["snapshot"])
		if err != nil {
			return err
		}
		for _, s := range list {
			out = append(out, snapshotJSON(r.Name, s, verbose))
		}
	}
	return c.reply(http.StatusOK, newObject().set("snapshots", out).set("total", len(out)).set("remaining", 0).bytes())
}

// handleSnapshotStatus answers GET /_snapshot/_status and /_snapshot/{repo}[/{snapshot}]/_status.
func handleSnapshotStatus(c *call) error {
	if c.vars["snapshot"] == "" {
		return c.reply(http.StatusOK, []byte(`{"snapshots":[]}`))
	}
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	out := []any{}
	for _, name := range strings.Split(c.vars["snapshot"], ",") {
		s, indices, err := r.Status(c.r.Context(), name)
		if err != nil {
			return err
		}
		done := newObject().set("initializing", 0).set("started", 0).set("finalizing", 0).set("done", s.Shards).set("failed", 0).set("total", s.Shards)
		per := newObject()
		for _, i := range indices {
			stats := newObject().set("total", newObject().set("file_count", i.Files).set("size_in_bytes", i.Bytes)).set("start_time_in_millis", s.Start).set("time_in_millis", s.End-s.Start)
			per.set(i.Name, newObject().set("shards_stats", newObject().set("initializing", 0).set("started", 0).set("finalizing", 0).set("done", 1).set("failed", 0).set("total", 1)).
				set("stats", stats).set("shards", newObject().set("0", newObject().set("stage", "DONE").set("stats", stats))))
		}
		out = append(out, newObject().set("snapshot", s.Name).set("repository", r.Name).set("uuid", s.UUID).set("state", s.State).set("include_global_state", s.Global).
			set("shards_stats", done).set("stats", newObject().set("incremental", newObject().set("file_count", s.NewFiles).set("size_in_bytes", s.NewBytes)).
			set("total", newObject().set("file_count", s.Files).set("size_in_bytes", s.Bytes)).set("start_time_in_millis", s.Start).set("time_in_millis", s.End-s.Start)).set("indices", per))
	}
	return c.reply(http.StatusOK, newObject().set("snapshots", out).bytes())
}

// handleDeleteSnapshot answers DELETE /_snapshot/{repo}/{snapshot}.
func handleDeleteSnapshot(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	list, err := c.named(r, c.vars["snapshot"])
	if err != nil {
		return err
	}
	var names []string
	for _, s := range list {
		names = append(names, s.Name)
	}
	if err := r.Delete(c.r.Context(), names...); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// keeper tells which indices an expression of a snapshot's own names chooses.
func keeper(expr string) func(string) bool {
	if expr == "" || expr == "_all" {
		expr = "*"
	}
	parts := strings.Split(expr, ",")
	return func(name string) bool {
		in := false
		for _, p := range parts {
			if not, ok := strings.CutPrefix(p, "-"); ok {
				in = in && !glob(not, name)
			} else {
				in = in || glob(p, name) || glob(".ds-"+p+"-*", name)
			}
		}
		return in
	}
}

// handleCloneSnapshot answers PUT /_snapshot/{repo}/{snapshot}/_clone/{target}.
func handleCloneSnapshot(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	b, err := c.readSnapshotBody()
	if err != nil {
		return err
	}
	if len(b.Indices) == 0 {
		return validation([]string{"indices list is missing"})
	}
	if err := r.Clone(c.r.Context(), c.vars["snapshot"], c.vars["target"], keeper(expression(b.Indices))); err != nil {
		return err
	}
	return c.reply(http.StatusOK, acknowledged)
}

// handleRestore answers POST /_snapshot/{repo}/{snapshot}/_restore.
func handleRestore(c *call) error {
	r, err := c.s.repo(c.vars["repo"])
	if err != nil {
		return err
	}
	b, err := c.readSnapshotBody()
	if err != nil {
		return err
	}
	req := repository.RestoreRequest{Keep: keeper(expression(b.Indices)), Rename: func(n string) string { return n }, Aliases: b.Aliases == nil || *b.Aliases,
		Global: b.Global != nil && *b.Global, Settings: b.Settings}
	if s := expression(b.IgnoreSet); s != "" {
		req.Ignore = strings.Split(s, ",")
	}
	if b.RenamePat != "" {
		re, err := regexp.Compile(b.RenamePat)
		if err != nil {
			return illegal("Invalid rename_pattern: %v", err)
		}
		repl := javaReplacement(b.RenameRepl)
		req.Rename = func(n string) string { return re.ReplaceAllString(n, repl) }
	}
	if _, _, err := r.Status(c.r.Context(), c.vars["snapshot"]); err != nil {
		return err
	}
	wait, err := c.params.boolean("wait_for_completion", false)
	if err != nil {
		return err
	}
	info := c.taskInfo("cluster:admin/snapshot/restore", "restore ["+r.Name+":"+c.vars["snapshot"]+"]")
	info.Private = true
	t, err := c.s.tasks.Go(info, func(ctx context.Context, _ *tasks.Task) ([]byte, error) {
		names, err := r.Restore(ctx, c.s.store, c.vars["snapshot"], req)
		if err != nil {
			c.s.log.Error("a restore failed", "repository", r.Name, "snapshot", c.vars["snapshot"], "error", err)
			return nil, err
		}
		if names == nil {
			names = []string{}
		}
		return newObject().set("snapshot", newObject().set("snapshot", c.vars["snapshot"]).set("indices", names).
			set("shards", newObject().set("total", len(names)).set("failed", 0).set("successful", len(names)))).bytes(), nil
	})
	if err != nil {
		return busy(err)
	}
	if !wait {
		select { // what is wrong with the request shows at once
		case <-t.Done():
			if _, err := t.Result(); err != nil {
				return err
			}
		case <-time.After(restoreGrace):
		}
		return c.reply(http.StatusOK, []byte(`{"accepted":true}`))
	}
	<-t.Done()
	out, err := t.Result()
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, out)
}

// restoreGrace is how long a restore in the background is watched for a fault before it is accepted.
const restoreGrace = 100 * time.Millisecond

var groupRef = regexp.MustCompile(`\$(\d+)`)

// javaReplacement is $1 as Go spells it.
func javaReplacement(s string) string { return groupRef.ReplaceAllString(s, `$${$1}`) }
