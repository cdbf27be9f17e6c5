package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var catParams = append([]string{"v", "h", "s", "help", "bytes", "time", "ts", "health", "pri", "include_unloaded_segments"}, indexParams...)

// column of a _cat table.
type column struct {
	name  string
	alias string
	right bool // numbers stand right
	text  string
	extra bool // only when asked for with h
}

// table is a _cat answer before it is printed.
type table struct {
	columns []column
	rows    [][]string
}

// handleCatIndices answers /_cat/indices[/{index}].
func handleCatIndices(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	t := &table{columns: []column{
		{name: "health", alias: "h", text: "current health status"}, {name: "status", alias: "s", text: "open/close status"},
		{name: "index", alias: "i,idx", text: "index name"}, {name: "uuid", alias: "id", text: "index uuid"},
		{name: "pri", alias: "p,shards.primary", right: true, text: "number of primary shards"}, {name: "rep", alias: "r,shards.replica", right: true, text: "number of replica shards"},
		{name: "docs.count", alias: "dc,docsCount", right: true, text: "available docs"}, {name: "docs.deleted", alias: "dd,docsDeleted", right: true, text: "deleted docs"},
		{name: "store.size", alias: "ss,storeSize", right: true, text: "store size of primaries & replicas"}, {name: "pri.store.size", right: true, text: "store size of primaries"},
		{name: "dataset.size", right: true, text: "total size of dataset"},
		{name: "creation.date", alias: "cd", right: true, text: "index creation date (millisecond value)", extra: true}, {name: "creation.date.string", alias: "cds", text: "index creation date (as string)", extra: true}}}
	for _, i := range infos {
		size := c.size(i.Bytes)
		if want := c.params.str("health", ""); want != "" && want != healthOf(i.Replicas) {
			continue
		}
		if i.Closed {
			t.rows = append(t.rows, []string{healthOf(i.Replicas), "close", i.Name, i.UUID, "", "", "", "", "", "", "", strconv.FormatInt(i.Created, 10), time.UnixMilli(i.Created).UTC().Format("2006-01-02T15:04:05.000Z")})
			continue
		}
		t.rows = append(t.rows, []string{healthOf(i.Replicas), "open", i.Name, i.UUID, strconv.Itoa(i.Shards), strconv.Itoa(i.Replicas),
			strconv.FormatInt(i.Docs, 10), strconv.FormatInt(i.Deleted, 10), size, size, size,
			strconv.FormatInt(i.Created, 10), time.UnixMilli(i.Created).UTC().Format("2006-01-02T15:04:05.000Z")})
	}
	return c.table(t)
}

// handleCatHealth answers /_cat/health.
func handleCatHealth(c *call) error {
	infos, err := c.indices("")
	if err != nil {
		return err
	}
	shards, missing := 0, 0
	for _, i := range infos {
		shards += i.Shards
		missing += i.Shards * i.Replicas
	}
	now := time.Now().UTC()
	t := &table{columns: []column{
		{name: "epoch", alias: "t,time", right: true, text: "seconds since 1970-01-01 00:00:00"}, {name: "timestamp", alias: "ts,hms,hhmmss", text: "time in HH:MM:SS"},
		{name: "cluster", alias: "cl", text: "cluster name"}, {name: "status", alias: "st", text: "health status"},
		{name: "node.total", alias: "nt,nodeTotal", right: true, text: "total number of nodes"}, {name: "node.data", alias: "nd,nodeData", right: true, text: "number of nodes that can store data"},
		{name: "shards", alias: "t,sh,shards.total,shardsTotal", right: true, text: "total number of shards"}, {name: "pri", alias: "p,shards.primary,shardsPrimary", right: true, text: "number of primary shards"},
		{name: "relo", right: true, text: "number of relocating nodes"}, {name: "init", right: true, text: "number of initializing nodes"},
		{name: "unassign", alias: "u,shards.unassigned,shardsUnassigned", right: true, text: "number of unassigned shards"}, {name: "pending_tasks", alias: "pt,pendingTasks", right: true, text: "number of pending tasks"},
		{name: "max_task_wait_time", text: "wait time of longest task pending"}, {name: "active_shards_percent", alias: "asp,activeShardsPercent", right: true, text: "active number of shards in percent"}}}
	status := "green"
	if missing > 0 {
		status = "yellow"
	}
	percent := 100.0
	if shards+missing > 0 {
		percent = 100 * float64(shards) / float64(shards+missing)
	}
	t.rows = [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), c.s.store.ClusterName(), status, "1", "1",
		strconv.Itoa(shards), strconv.Itoa(shards), "0", "0", strconv.Itoa(missing), "0", "-", fmt.Sprintf("%.1f%%", percent)}}
	return c.table(t)
}

// handleCatCount answers /_cat/count[/{index}].
func handleCatCount(c *call) error {
	infos, err := c.indices(c.vars["index"])
	if err != nil {
		return err
	}
	var docs int64
	for _, i := range infos {
		docs += i.Docs
	}
	now := time.Now().UTC()
	t := &table{columns: []column{{name: "epoch", alias: "t,time", right: true, text: "seconds since 1970-01-01 00:00:00"}, {name: "timestamp", alias: "ts,hms,hhmmss", text: "time in HH:MM:SS"},
		{name: "count", alias: "dc,docs.count,docsCount", right: true, text: "the document count"}}}
	t.rows = [][]string{{strconv.FormatInt(now.Unix(), 10), now.Format("15:04:05"), strconv.FormatInt(docs, 10)}}
	return c.table(t)
}

// size prints bytes as the bytes parameter asks: a unit, or like 1.2mb.
func (c *call) size(n int64) string {
	units := []string{"b", "kb", "mb", "gb", "tb", "pb"}
	if u := c.params.str("bytes", ""); u != "" {
		if i := slices.Index(units, u); i >= 0 {
			return strconv.FormatInt(n>>(10*i), 10)
		}
	}
	f, i := float64(n), 0
	for f >= 1024 && i < len(units)-1 {
		f, i = f/1024, i+1
	}
	s := strconv.FormatFloat(f, 'f', 1, 64)
	return strings.TrimSuffix(s, ".0") + units[i]
}

// table prints t as text, or as JSON with format=json.
func (c *call) table(t *table) error {
	if help, err := c.params.boolean("help", false); err != nil || help {
		if err != nil {
			return err
		}
		c.w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
		for _, col := range t.columns {
			fmt.Fprintf(c.w, "%-25s | %-32s | %s\n", col.name, col.alias, col.text)
		}
		return nil
	}
	shown, err := t.choose(c.params.list("h"))
	if err != nil {
		return err
	}
	if err := t.sort(c.params.list("s")); err != nil {
		return err
	}
	if c.params.str("format", "") == "json" || strings.HasPrefix(c.r.Header.Get("Accept"), "application/json") && c.params.str("format", "") == "" {
		return c.reply(http.StatusOK, t.json(shown))
	}
	header, err := c.params.boolean("v", false)
	if err != nil {
		return err
	}
	c.w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	c.w.Write(t.text(shown, header))
	return nil
}

func (t *table) find(name string) int {
	return slices.IndexFunc(t.columns, func(col column) bool {
		return col.name == name || slices.Contains(strings.Split(col.alias, ","), name)
	})
}

// choose gives the columns to show, by name or alias; "*" is all.
func (t *table) choose(names []string) ([]int, error) {
	var shown []int
	if len(names) == 0 {
		for i, col := range t.columns {
			if !col.extra {
				shown = append(shown, i)
			}
		}
		return shown, nil
	}
	for _, n := range names {
		if strings.Contains(n, "*") {
			for i, col := range t.columns {
				if glob(n, col.name) {
					shown = append(shown, i)
				}
			}
			continue
		}
		if i := t.find(n); i >= 0 {
			shown = append(shown, i)
		}
	}
	return shown, nil
}

func (t *table) sort(keys []string) error {
	for _, k := range slices.Backward(keys) {
		name, desc := strings.CutSuffix(k, ":desc")
		name = strings.TrimSuffix(name, ":asc")
		i := t.find(name)
		if i < 0 {
			return badRequest("unsupported_operation_exception", "Unable to sort by unknown sort key `%s`", name)
		}
		slices.SortStableFunc(t.rows, func(a, b []string) int {
			d := compareCell(a[i], b[i])
			if desc {
				return -d
			}
			return d
		})
	}
	return nil
}

func compareCell(a, b string) int {
	x, err1 := strconv.ParseFloat(a, 64)
	y, err2 := strconv.ParseFloat(b, 64)
	if err1 == nil && err2 == nil {
		return cmp.Compare(x, y)
	}
	return cmp.Compare(a, b)
}

func (t *table) text(shown []int, header bool) []byte {
	rows := t.rows
	if header {
		head := make([]string, len(t.columns))
		for i, col := range t.columns {
			head[i] = col.name
		}
		rows = append([][]string{head}, rows...)
	}
	width := make([]int, len(t.columns))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, r := range rows {
		for n, i := range shown {
			if n > 0 {
				b.WriteByte(' ')
			}
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(r[i]))
			switch {
			case t.columns[i].right:
				b.WriteString(pad + r[i])
			case n == len(shown)-1:
				b.WriteString(r[i])
			default:
				b.WriteString(r[i] + pad)
			}
		}
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

func (t *table) json(shown []int) []byte {
	out := []byte{'['}
	for n, r := range t.rows {
		if n > 0 {
			out = append(out, ',')
		}
		o := newObject()
		for _, i := range shown {
			o.set(t.columns[i].name, r[i])
		}
		out = append(out, o.bytes()...)
	}
	return append(out, ']')
}
