package filter

import (
	"errors"
	"fmt"
	"strings"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var csvOptions = []plugin.Option{
	{Name: "source", Kind: plugin.Field, Default: "message", Doc: "Field with the line."},
	{Name: "target", Kind: plugin.Field, Doc: "Field to put the columns below."},
	{Name: "columns", Kind: plugin.Array, Doc: "Names of the columns."},
	{Name: "separator", Default: ",", Doc: "What stands between columns."},
	{Name: "quote_char", Default: `"`, Doc: "What encloses values that hold separators."},
	{Name: "autogenerate_column_names", Kind: plugin.Boolean, Default: "true", Doc: "Whether columns without a name become column1, column2 ..."},
	{Name: "autodetect_column_names", Kind: plugin.Boolean, Default: "false", Doc: "Whether the first line has the names. Needs one worker."},
	{Name: "skip_header", Kind: plugin.Boolean, Default: "false", Doc: "Whether a line equal to the names is dropped."},
	{Name: "skip_empty_columns", Kind: plugin.Boolean, Default: "false", Doc: "Whether empty columns become no field."},
	{Name: "skip_empty_rows", Kind: plugin.Boolean, Default: "false", Doc: "Whether empty lines are only tagged."},
	{Name: "convert", Kind: plugin.Hash, Doc: "Column => integer, float, date, date_time or boolean."},
}

type csvFilter struct {
	source, target           *event.Path
	separator, quote         string
	columns                  []string
	paths                    []*event.Path
	auto, detect, skipHeader bool
	skipColumns, skipRows    bool
	convert                  map[string]conversion
	row                      []string
}

func newCSV(a *plugin.Args, _ *plugin.Env) Filter {
	f := &csvFilter{source: a.Field("source"), target: a.Field("target"), separator: a.String("separator"), quote: a.String("quote_char"),
		columns: a.Strings("columns"), auto: a.Bool("autogenerate_column_names"), detect: a.Bool("autodetect_column_names"),
		skipHeader: a.Bool("skip_header"), skipColumns: a.Bool("skip_empty_columns"), skipRows: a.Bool("skip_empty_rows")}
	if f.separator == `\t` {
		f.separator = "\t"
	}
	if f.separator == "" || len(f.quote) > 1 {
		a.Fail("separator", "", "separator must not be empty, quote_char is one character")
	}
	if f.detect && len(f.columns) == 0 {
		a.Fail("autodetect_column_names", "write columns", "column names cannot be learned from the first line: workers read different lines first")
	}
	f.convert = make(map[string]conversion)
	for _, p := range a.Pairs("convert") {
		for _, v := range p.Values {
			f.addConversion(a, p.Key.Text, v)
		}
	}
	return f
}

func (f *csvFilter) addConversion(a *plugin.Args, column string, typ plugin.Text) {
	switch typ.Text {
	case "date", "date_time":
		f.convert[column] = func(_ *event.Batch, v event.Value) (event.Value, bool) {
			s := v.Str()
			if len(s) == 10 {
				s += "T00:00"
			}
			ns, ok := event.ParseISO(s)
			return event.Time(ns), ok
		}
	case "integer", "float", "boolean":
		f.convert[column] = conversions[typ.Text]
	default:
		a.FailAt(typ.Pos, "integer, float, date, date_time or boolean", "cannot convert to %q", typ.Text)
	}
}

func (f *csvFilter) Filter(e *event.Event) Result {
	v, ok := e.Get(f.source)
	if !ok || v.IsNil() {
		return None
	}
	line := e.Batch().Text(v)
	if strings.TrimRight(line, "\r\n") == "" {
		if f.skipRows {
			e.Tag("_csvskippedemptyfield")
			return None
		}
		return fail(e, []string{"_csvparsefailure"})
	}
	row, err := parseCSV(f.row[:0], line, f.separator, f.quote)
	f.row = row
	if err != nil {
		return fail(e, []string{"_csvparsefailure"})
	}
	if f.skipHeader && len(f.columns) > 0 && strings.Join(row, "\x00") == strings.Join(f.columns, "\x00") {
		e.Cancel()
		return None
	}
	return f.put(e, row)
}

func (f *csvFilter) put(e *event.Event, row []string) Result {
	b := e.Batch()
	for i, s := range row {
		if f.skipColumns && s == "" {
			continue
		}
		p := f.path(i)
		if p == nil {
			continue
		}
		v := event.String(b.KeepString(s))
		if c, ok := f.convert[f.name(i)]; ok {
			if conv, ok := c(b, v); ok {
				v = conv
			}
		}
		if e.Set(p, v) != nil {
			return fail(e, []string{"_csvparsefailure"})
		}
	}
	return Matched
}

func (f *csvFilter) name(i int) string {
	if i < len(f.columns) {
		return f.columns[i]
	}
	return fmt.Sprintf("column%d", i+1)
}

// path is where column i goes, nil when it is left out.
func (f *csvFilter) path(i int) *event.Path {
	if i >= len(f.columns) && !f.auto {
		return nil
	}
	for len(f.paths) <= i {
		p, err := event.ParsePath(f.name(len(f.paths)))
		if err != nil {
			p = event.Field(f.name(len(f.paths)))
		}
		if f.target != nil {
			p = below(f.target, p)
		}
		f.paths = append(f.paths, p)
	}
	return f.paths[i]
}

var errCSV = errors.New("quotes do not fit")

// parseCSV appends the values of a line to row.
func parseCSV(row []string, s, sep, quote string) ([]string, error) {
	for {
		if quote != "" && strings.HasPrefix(s, quote) {
			value, rest, err := quotedCSV(s[len(quote):], quote)
			if err != nil {
				return row, err
			}
			row = append(row, value)
			if rest = strings.TrimRight(rest, "\r\n"); rest == "" {
				return row, nil
			}
			if !strings.HasPrefix(rest, sep) {
				return row, errCSV
			}
			s = rest[len(sep):]
			continue
		}
		value, rest, more := strings.Cut(s, sep)
		if !more {
			value = strings.TrimRight(value, "\r\n")
		}
		if quote != "" && strings.Contains(value, quote) {
			return row, errCSV
		}
		row = append(row, value)
		if !more {
			return row, nil
		}
		s = rest
	}
}

// quotedCSV reads up to the closing quote; two quotes are one.
func quotedCSV(s, quote string) (value, rest string, err error) {
	doubled := false
	for i := 0; ; {
		n := strings.Index(s[i:], quote)
		if n < 0 {
			return "", "", errCSV
		}
		i += n
		if strings.HasPrefix(s[i+len(quote):], quote) {
			doubled = true
			i += 2 * len(quote)
			continue
		}
		value = s[:i]
		if doubled {
			value = strings.ReplaceAll(value, quote+quote, quote)
		}
		return value, s[i+len(quote):], nil
	}
}
