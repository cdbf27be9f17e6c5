package mapping

import "strconv"

// JSON prints the mapping as the value of "mappings": root settings as given, then properties by name.
func (m *Mapping) JSON() []byte {
	b := []byte{'{'}
	for _, p := range m.opts.params {
		b = appendParam(b, p)
	}
	if len(m.root.children) > 0 {
		b = m.root.appendProperties(sep(b))
	}
	return append(b, '}')
}

// sep adds a comma unless b ends with an opening brace.
func sep(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

func appendParam(b []byte, p param) []byte {
	b = append(strconv.AppendQuote(sep(b), p.name), ':')
	return append(b, p.raw...)
}

func (n *Node) appendProperties(b []byte) []byte {
	b = append(b, `"properties":{`...)
	for _, k := range n.names() {
		c := n.children[k]
		b = append(AppendString(sep(b), k), ':')
		if c.field != nil {
			b = c.field.appendJSON(b)
			continue
		}
		b = append(b, '{')
		if c.node.Nested {
			b = append(b, `"type":"nested"`...)
		}
		for _, p := range c.node.params {
			b = appendParam(b, p)
		}
		if len(c.node.children) > 0 {
			b = c.node.appendProperties(sep(b))
		} else if !c.node.Nested {
			b = append(sep(b), `"type":"object"`...)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

// JSON prints the field's own mapping.
func (f *Field) JSON() []byte { return f.appendJSON(nil) }

func (f *Field) appendJSON(b []byte) []byte {
	b = append(b, `{"type":`...)
	b = AppendString(b, f.TypeName)
	for _, p := range f.params {
		b = appendParam(b, p)
	}
	if len(f.Multi) > 0 {
		b = append(b, `,"fields":{`...)
		for _, s := range f.Multi {
			b = append(AppendString(sep(b), s.Name()), ':')
			b = s.appendJSON(b)
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string in the form documents are printed in: only ", \ and control characters are escaped.
func AppendString[S string | []byte](dst []byte, s S) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(append(dst, s[from:i]...), '\\')
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, c)
		case '\n':
			dst = append(dst, 'n')
		case '\r':
			dst = append(dst, 'r')
		case '\t':
			dst = append(dst, 't')
		case '\b':
			dst = append(dst, 'b')
		case '\f':
			dst = append(dst, 'f')
		default:
			dst = append(dst, 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}
