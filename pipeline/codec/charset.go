package codec

import (
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var charsetOption = plugin.Option{Name: "charset", Default: "UTF-8", Doc: "Encoding of the bytes."}

// charset converts bytes to UTF-8. The zero charset leaves them alone.
type charset struct{ enc encoding.Encoding }

func newCharset(a *plugin.Args) charset {
	name := a.String("charset")
	switch strings.ToUpper(name) {
	case "UTF-8", "UTF8", "BINARY", "ASCII-8BIT", "US-ASCII", "ASCII", "":
		return charset{}
	case "CP1252":
		name = "windows-1252"
	case "CP949":
		name = "euc-kr"
	}
	enc, err := htmlindex.Get(name)
	if err != nil {
		a.Fail("charset", "", "unknown charset %q", name)
		return charset{}
	}
	return charset{enc}
}

// decode returns data as UTF-8; it lives as long as the batch.
func (c charset) decode(b *event.Batch, data string) string {
	if c.enc == nil {
		return data
	}
	out, err := c.enc.NewDecoder().String(data)
	if err != nil {
		return data
	}
	return out
}
