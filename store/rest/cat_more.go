package rest

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
)

// columnsOf makes columns of "name|alias|text"; a name that begins with > is a number, one with - is shown only when asked for.
func columnsOf(specs ...string) []column {
	out := make([]column, len(specs))
	for i, s := range specs {
		p := strings.SplitN(s, "|", 3)
		for len(p) < 3 {
			p = append(p, "")
		}
		name := p[0]
		extra := strings.HasPrefix(name, "-")
		name = strings.TrimPrefix(name, "-")
		right := strings.HasPrefix(name, ">")
		out[i] = column{name: strings.TrimPrefix(name, ">"), alias: p[1], right: right, text: p[2], extra: extra}
	}
	return out
}

func handleCatAliases(c *call) error {
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	t := &table{columns: columnsOf("alias|a|alias name", "index|i,idx|index alias points to", "filter|f,fi|filter", "routing.index|ri,routingIndex|index routing",
		"routing.search|rs,routingSearch|search routing", "is_write_index|w,isWriteIndex|write index")}
	dash := func(s string) string {
		if s == "" {
			return "-"
		}
		return s
	}
	for _, i := range infos {
		for _, a := range sortedNames(i.Aliases) {
			if want := c.vars["alias"]; want != "" && !slices.ContainsFunc(strings.Split(want, ","), func(p string) bool { return glob(p, a) }) {
				continue
			}
			m := i.Aliases[a]
			filter, write := "-", "-"
			if len(m.Filter) > 0 {
				filter = "*"
			}
			if m.IsWriteIndex != nil {
				write = strconv.FormatBool(*m.IsWriteIndex)
			}
			t.rows = append(t.rows, []string{a, i.Name, filter, dash(m.IndexRouting), dash(m.SearchRouting), write})
		}
	}
	return c.table(t)
}

func handleCatShards(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	t := &table{columns: columnsOf("index|i,idx|index name", ">shard|s,sh|shard name", "prirep|p,pr,primaryOrReplica|primary or replica", "state|st|shard state", ">docs|d,dc|number of docs in shard",
		">store|sto|store size of shard", "ip|ip|ip of node where it lives", "node|n|name of node where it lives", "-unassigned.reason|ur|reason shard became unassigned")}
	ip := hostOf(c.r.Host)
	for _, i := range infos {
		for n := range i.Shards {
			docs, bytes := i.Docs/int64(i.Shards), i.Bytes/int64(i.Shards)
			if n == 0 {
				docs, bytes = i.Docs-docs*int64(i.Shards-1), i.Bytes-bytes*int64(i.Shards-1)
			}
			t.rows = append(t.rows, []string{i.Name, itoa(n), "p", "STARTED", strconv.FormatInt(docs, 10), c.size(bytes), ip, c.s.nodeName, ""})
			for range i.Replicas {
				t.rows = append(t.rows, []string{i.Name, itoa(n), "r", "UNASSIGNED", "", "", "", "", "INDEX_CREATED"})
			}
		}
	}
	return c.table(t)
}

func handleCatNodes(c *call) error {
	heap, _, limit := memory()
	free, size, err := c.s.store.FS().Free(c.s.store.Dir())
	if err != nil {
		free, size = 0, 0
	}
	used := "0.00"
	if size > 0 {
		used = fmt.Sprintf("%.2f", 100-100*float64(free)/float64(size))
	}
	ip := hostOf(c.r.Host)
	t := &table{columns: columnsOf("ip|i|ip address", ">heap.percent|hp,heapPercent|used heap ratio", ">ram.percent|rp,ramPercent|used machine memory ratio", ">cpu||recent cpu usage", ">load_1m|l|1m load avg",
		">load_5m|l|5m load avg", ">load_15m|l|15m load avg", "node.role|r,role,nodeRole|roles", "master|m|*:current master", "name|n|node name", "-id|nodeId|unique node id", "-version|v|es version",
		"->heap.current|hc,heapCurrent|used heap", "->heap.max|hm,heapMax|max configured heap", "->disk.total|dt|total disk space", "->disk.avail|d,da,disk,diskAvail|available disk space",
		"->disk.used_percent|dup|used disk space percentage", "-uptime|u|node uptime", "-http_address|http|bound http address")}
	l1, l5, l15 := loads()
	t.rows = [][]string{{ip, strconv.FormatUint(100*heap/max(limit, 1), 10), "", "", l1, l5, l15, "dim", "*", c.s.nodeName, c.s.nodeID(), apiVersion, c.size(int64(heap)), c.size(int64(limit)),
		c.size(int64(size)), c.size(int64(free)), used, shortAge(time.Since(c.s.began)), c.r.Host}}
	return c.table(t)
}

func handleCatTemplates(c *call) error {
	t := &table{columns: columnsOf("name|n|template name", "index_patterns|t|template index patterns", ">order|o,p|template application order/priority number", "version|v|version", "composed_of|c|component templates comprising index template")}
	for _, kind := range []string{store.LegacyTemplate, store.IndexTemplate} {
		list, err := c.s.store.Templates(kind, "")
		if err != nil {
			return err
		}
		for _, x := range list {
			if want := c.vars["name"]; want != "" && !glob(want, x.Name) {
				continue
			}
			v, err := fastjson.ParseBytes(x.Body)
			if err != nil {
				return err
			}
			version := ""
			if v.Get("version") != nil {
				version = scalarText(v.Get("version"))
			}
			order, composed := strconv.Itoa(v.GetInt("order")), ""
			if kind == store.IndexTemplate {
				order, composed = strconv.Itoa(v.GetInt("priority")), quoteList(textsOf(v.Get("composed_of")))
			}
			t.rows = append(t.rows, []string{x.Name, quoteList(textsOf(v.Get("index_patterns"))), order, version, composed})
		}
	}
	return c.table(t)
}

func handleCatComponents(c *call) error {
	t := &table{columns: columnsOf("name|n|component template name", "version|v|version", ">alias_count|a|aliases", ">mapping_count|m|mappings", ">settings_count|s|settings", ">metadata_count|me|metadata", "included_in|i|included in")}
	list, err := c.s.store.Templates(store.ComponentTemplate, "")
	if err != nil {
		return err
	}
	count := func(v *fastjson.Value, keys ...string) string {
		o := v.GetObject(keys...)
		if o == nil {
			return "0"
		}
		return itoa(o.Len())
	}
	for _, x := range list {
		if want := c.vars["name"]; want != "" && !glob(want, x.Name) {
			continue
		}
		v, err := fastjson.ParseBytes(x.Body)
		if err != nil {
			return err
		}
		version := ""
		if v.Get("version") != nil {
			version = scalarText(v.Get("version"))
		}
		t.rows = append(t.rows, []string{x.Name, version, count(v, "template", "aliases"), count(v, "template", "mappings", "properties"), count(v, "template", "settings"), count(v, "_meta"), quoteList(c.composedWith(x.Name))})
	}
	return c.table(t)
}

// composedWith are the composable templates that name a component.
func (c *call) composedWith(component string) []string {
	var out []string
	list, err := c.s.store.Templates(store.IndexTemplate, "")
	if err != nil {
		return nil
	}
	for _, x := range list {
		if v, err := fastjson.ParseBytes(x.Body); err == nil && slices.Contains(textsOf(v.Get("composed_of")), component) {
			out = append(out, x.Name)
		}
	}
	return out
}

func handleCatAllocation(c *call) error {
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	shards, unassigned := 0, 0
	var bytes int64
	for _, i := range infos {
		shards += i.Shards
		unassigned += i.Shards * i.Replicas
		bytes += i.Bytes
	}
	free, size, err := c.s.store.FS().Free(c.s.store.Dir())
	if err != nil {
		free, size = 0, 0
	}
	percent := "0"
	if size > 0 {
		percent = strconv.FormatUint(100-free*100/size, 10)
	}
	t := &table{columns: columnsOf(">shards|s|number of shards on node", ">disk.indices|di,diskIndices|disk used by ES indices", ">disk.used|du,diskUsed|disk used (total, not just ES)", ">disk.avail|da,diskAvail|disk available",
		">disk.total|dt,diskTotal|total capacity of all volumes", ">disk.percent|dp,diskPercent|percent disk used", "host|h|host of node", "ip||ip of node", "node|n|name of node", "node.role|r,role|roles")}
	t.rows = [][]string{{itoa(shards), c.size(bytes), c.size(int64(size - free)), c.size(int64(free)), c.size(int64(size)), percent, hostOf(c.r.Host), hostOf(c.r.Host), c.s.nodeName, "dim"}}
	if unassigned > 0 {
		t.rows = append(t.rows, []string{itoa(unassigned), "", "", "", "", "", "", "", "UNASSIGNED", ""})
	}
	return c.table(t)
}

func handleCatSegments(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	t := &table{columns: columnsOf("index|i,idx|index name", ">shard|s,sh|shard name", "prirep|p,pr|primary or replica", "ip||ip of node where it lives", "segment|seg|segment name", ">generation|g,gen|segment generation",
		">docs.count|dc,docsCount|number of docs in segment", ">docs.deleted|dd,docsDeleted|number of deleted docs in segment", ">size|si|segment size in bytes", ">size.memory|sm,sizeMemory|segment memory in bytes",
		"committed|ic,isCommitted|is segment committed", "searchable|is,isSearchable|is segment searched", "version|v,ver|version", "compound|ico,isCompound|is segment compound")}
	for _, i := range infos {
		for n, s := range c.s.store.Segments(i.Name) {
			t.rows = append(t.rows, []string{i.Name, "0", "p", hostOf(c.r.Host), "_" + itoa(n), strconv.FormatUint(s.ID, 10), itoa(s.Rows - s.Deleted), itoa(s.Deleted), c.size(s.Bytes), "0", "true", "true", "9.12.2", "true"})
		}
	}
	return c.table(t)
}

func handleCatMaster(c *call) error {
	t := &table{columns: columnsOf("id||node id", "host|h|host name", "ip||ip address", "node|n|node name")}
	t.rows = [][]string{{c.s.nodeID(), hostOf(c.r.Host), hostOf(c.r.Host), c.s.nodeName}}
	return c.table(t)
}

// emptyTables are those that have no rows on one node without plugins.
func emptyTables(path string) []column {
	switch path {
	case "/_cat/plugins":
		return columnsOf("name|n|node name", "component|c|component", "version|v|component version")
	case "/_cat/nodeattrs":
		return columnsOf("node|name|node name", "host|h|host name", "ip|i|ip address", "attr|attr.name|attribute description", "value|attr.value|attribute value")
	case "/_cat/pending_tasks":
		return columnsOf(">insertOrder|o|task insertion order", ">timeInQueue|t|how long task has been in queue", "priority|p|task priority", "source|s|task source")
	case "/_cat/ml/anomaly_detectors":
		return columnsOf("id||the job_id", "state|s|the job state")
	}
	return columnsOf("id||node id", "host|h|host name", "ip||ip address", "node|n|node name", "field|f|field name", ">size|s|field data usage")
}

func handleCatEmpty(c *call) error { return c.table(&table{columns: emptyTables(c.r.URL.Path)}) }

func handleCatTasks(c *call) error {
	t := &table{columns: columnsOf("action|ac|task action", "task_id|ti|unique task id", "parent_task_id|pti|parent task id", "type|ty|task type", ">start_time|start|start time in ms", "timestamp|ts,hms,hhmmss|start time in HH:MM:SS",
		">running_time|time|running time", "ip|i|ip address", "node|n|node name", "-description|desc|task action")}
	for _, k := range c.s.tasks.Running() {
		parent := "-"
		if k.Parent != 0 {
			parent = c.s.taskName(k.Parent)
		}
		t.rows = append(t.rows, []string{k.Action, c.s.taskName(k.ID), parent, k.Type, strconv.FormatInt(k.Start.UnixMilli(), 10), k.Start.UTC().Format("15:04:05"), shortAge(k.Running()), hostOf(c.r.Host), c.s.nodeName, k.Description})
	}
	return c.table(t)
}

func handleCatRepositories(c *call) error {
	t := &table{columns: columnsOf("id|repoId|unique repository id", "type|t|repository type")}
	list, _ := c.s.store.Definitions(store.SnapshotRepo, "")
	for _, x := range list {
		t.rows = append(t.rows, []string{x.Name, string(fastjson.MustParseBytes(x.Body).GetStringBytes("type"))})
	}
	return c.table(t)
}

func handleCatSnapshots(c *call) error {
	t := &table{columns: columnsOf("id|snapshot|unique snapshot", "repository|re,repo|repository name", "status|s|snapshot name", ">start_epoch|ste|start time in seconds", "start_time|sti|start time in HH:MM:SS",
		">end_epoch|ete|end time in seconds", "end_time|eti|end time in HH:MM:SS", ">duration|dur|duration", ">indices|i|number of indices", ">successful_shards|ss|number of successful shards",
		">failed_shards|fs|number of failed shards", ">total_shards|ts|number of total shards")}
	list, _ := c.s.store.Definitions(store.SnapshotRepo, c.vars["repo"])
	for _, d := range list {
		r, err := c.s.repo(d.Name)
		if err != nil {
			return err
		}
		snaps, err := r.Snapshots(c.r.Context())
		if err != nil {
			return err
		}
		for _, s := range snaps {
			b, e := time.UnixMilli(s.Start).UTC(), time.UnixMilli(s.End).UTC()
			t.rows = append(t.rows, []string{s.Name, r.Name, s.State, strconv.FormatInt(b.Unix(), 10), b.Format("15:04:05"), strconv.FormatInt(e.Unix(), 10), e.Format("15:04:05"), shortAge(e.Sub(b)),
				itoa(len(s.Indices)), itoa(s.Shards), "0", itoa(s.Shards)})
		}
	}
	return c.table(t)
}

func handleCatThreadPool(c *call) error {
	t := &table{columns: columnsOf("node_name|nn|node name", "name|n|thread pool name", ">active|a|number of active threads", ">queue|q|number of tasks currently in queue", ">rejected|r|number of rejected tasks")}
	searches := 0
	for _, k := range c.s.tasks.Running() {
		if strings.HasPrefix(k.Action, "indices:data/read/") {
			searches++
		}
	}
	t.rows = [][]string{{c.s.nodeName, "search", itoa(searches), "0", "0"}, {c.s.nodeName, "write", "0", "0", strconv.FormatInt(c.s.store.Stats().Rejected, 10)}}
	return c.table(t)
}

func handleCatRecovery(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	t := &table{columns: columnsOf("index|i,idx|index name", ">shard|s,sh|shard name", "time|t,ti|recovery time", "type|ty|recovery type", "stage|st|recovery stage", "target_host|thost|target host", "target_node|tnode|target node name",
		">files|f|number of files to recover", "files_percent|fp|percent of files recovered", ">bytes|b|number of bytes to recover", "bytes_percent|bp|percent of bytes recovered")}
	for _, i := range infos {
		kind := "existing_store"
		if i.Created >= c.s.began.UnixMilli() {
			kind = "empty_store"
		}
		for n := range i.Shards {
			t.rows = append(t.rows, []string{i.Name, itoa(n), "0ms", kind, "done", hostOf(c.r.Host), c.s.nodeName, itoa(i.Segments), "100.0%", strconv.FormatInt(i.Bytes, 10), "100.0%"})
		}
	}
	return c.table(t)
}

// loads are the machine's load averages, empty where they cannot be told.
func loads() (one, five, fifteen string) {
	if runtime.GOOS != "linux" {
		return "", "", ""
	}
	f := strings.Fields(readSmall("/proc/loadavg"))
	if len(f) < 3 {
		return "", "", ""
	}
	return f[0], f[1], f[2]
}

// handleCat lists the tables there are.
func handleCat(c *call) error {
	c.w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	paths := []string{}
	for _, r := range c.s.table {
		if strings.HasPrefix(r.path, "/_cat/") {
			paths = append(paths, r.path)
		}
	}
	slices.Sort(paths)
	fmt.Fprint(c.w, "=^.^=\n"+strings.Join(paths, "\n")+"\n")
	return nil
}
