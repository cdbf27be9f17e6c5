package codec

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var csvOptions = []plugin.Option{
	charsetOption,
	{Name: "columns", Kind: plugin.Array, Doc: "Names of the columns."},
	{Name: "separator", Default: ",", Doc: "What stands between columns."},
	{Name: "quote_char", Default: `"`, Doc: "What encloses values that hold separators."},
	{Name: "autogenerate_column_names", Kind: plugin.Boolean, Default: "true", Doc: "Whether columns without a name become column1, column2 ...; otherwise they are left out."},
	{Name: "autodetect_column_names", Kind: plugin.Boolean, Default: "false", Obsolete: "write columns: workers read different lines first"},
	{Name: "skip_empty_columns", Kind: plugin.Boolean, Default: "false", Doc: "Whether empty columns become no field."},
	{Name: "convert", Kind: plugin.Hash, Doc: "Column => integer, float, date, date_time or boolean."},
	{Name: "include_headers", Kind: plugin.Boolean, Default: "false", Obsolete: "a header cannot be written: outputs may begin anew at any time"},
	{Name: "spreadsheet_safe", Kind: plugin.Boolean, Default: "true", Doc: "Whether written values that a spreadsheet takes for formulas begin with a quote."},
}

// csvCodec reads a row as an event, and writes the columns of one.
type csvCodec struct {
	charset          charset
	columns          []string
	paths            []*event.Path
	separator, quote string
	auto, skip, safe bool
	convert          map[string]string
	row              []string
}

func newCSV(a *plugin.Args, _ *plugin.Env) Codec {
	c := &csvCodec{charset: newCharset(a), columns: a.Strings("columns"), separator: a.String("separator"), quote: a.String("quote_char"),
		auto: a.Bool("autogenerate_column_names"), skip: a.Bool("skip_empty_columns"), safe: a.Bool("spreadsheet_safe"), convert: map[string]string{}}
	if c.separator == `\t` {
		c.separator = "\t"
	}
	if c.separator == "" || len(c.quote) > 1 {
		a.Fail("separator", "", "separator must not be empty, quote_char is one character")
	}
	for _, t := range a.Texts("columns") {
		c.paths = append(c.paths, a.Path(t))
	}
	for _, p := range a.Pairs("convert") {
		for _, v := range p.Values {
			if !slices.Contains([]string{"integer", "float", "boolean", "date", "date_time"}, v.Text) {
				a.FailAt(v.Pos, "integer, float, date, date_time or boolean", "cannot convert to %q", v.Text)
			}
			c.convert[p.Key.Text] = v.Text
		}
	}
	return c
}

func (c *csvCodec) Decode(b *event.Batch, ref uint32, data string) {
	data = c.charset.decode(b, data)
	line := strings.TrimRight(data, "\r\n")
	row, ok := splitCSV(c.row[:0], line, c.separator, c.quote)
	c.row = row
	if !ok || line == "" {
		message(b, ref, data, "_csvparsefailure")
		return
	}
	e := b.New(ref)
	for i, s := range row {
		if c.skip && s == "" {
			continue
		}
		name := "column" + strconv.Itoa(i+1)
		if i < len(c.columns) {
			name = c.columns[i]
		} else if !c.auto {
			continue
		}
		v := convertCSV(event.String(b.KeepString(s)), c.convert[name])
		if i < len(c.paths) {
			if c.paths[i] == nil || e.Set(c.paths[i], v) != nil {
				e.Tag("_csvparsefailure")
			}
			continue
		}
		e.Set(event.Field(name), v)
	}
}

// splitCSV appends the fields of a row; quotes are doubled inside of quotes. false: a quote is not closed, or text stands behind one.
func splitCSV(row []string, line, separator, quote string) ([]string, bool) {
	for {
		if quote == "" || !strings.HasPrefix(line, quote) {
			field, rest, more := strings.Cut(line, separator)
			row = append(row, field)
			if !more {
				return row, true
			}
			line = rest
			continue
		}
		var field strings.Builder
		line = line[1:]
		for {
			i := strings.Index(line, quote)
			if i < 0 {
				return row, false
			}
			field.WriteString(line[:i])
			line = line[i+1:]
			if !strings.HasPrefix(line, quote) {
				break
			}
			field.WriteString(quote)
			line = line[1:]
		}
		row = append(row, field.String())
		if line == "" {
			return row, true
		}
		if !strings.HasPrefix(line, separator) {
			return row, false
		}
		line = line[len(separator):]
	}
}

// convertCSV makes a text a value of a type; what cannot be converted stays a text.
func convertCSV(v event.Value, kind string) event.Value {
	s := v.Str()
	switch kind {
	case "integer":
		if n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64); err == nil {
			return event.Int(n)
		}
	case "float":
		if f, err := strconv.ParseFloat(strings.TrimSpace(s), 64); err == nil {
			return event.Float(f)
		}
	case "boolean":
		switch strings.ToLower(s) {
		case "true", "1", "yes", "t", "y":
			return event.Bool(true)
		case "false", "0", "no", "f", "n":
			return event.Bool(false)
		}
	case "date", "date_time":
		if len(s) == len("2006-01-02") {
			s += "T00:00"
		}
		if ns, ok := event.ParseISO(s); ok {
			return event.Time(ns)
		}
	}
	return v
}

// Encode writes the columns, or without names all fields in order.
func (c *csvCodec) Encode(dst []byte, e *event.Event) []byte {
	first := true
	put := func(v event.Value) {
		if !first {
			dst = append(dst, c.separator...)
		}
		first = false
		dst = c.appendField(dst, e.Batch().Text(v))
	}
	for _, p := range c.paths {
		v, ok := e.Get(p)
		if !ok || v.IsNil() {
			v = event.String("")
		}
		put(v)
	}
	if len(c.paths) == 0 {
		e.Fields(func(_ string, v event.Value) bool { put(v); return true })
	}
	return append(dst, '\n')
}

func (c *csvCodec) appendField(dst []byte, s string) []byte {
	if c.safe && s != "" && strings.IndexByte("=+-@", s[0]) >= 0 {
		s = "'" + s
	}
	if c.quote == "" || !strings.Contains(s, c.separator) && !strings.Contains(s, c.quote) && !strings.ContainsAny(s, "\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, c.quote...)
	dst = append(dst, strings.ReplaceAll(s, c.quote, c.quote+c.quote)...)
	return append(dst, c.quote...)
}
