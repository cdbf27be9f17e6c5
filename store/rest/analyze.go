package rest

import (
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/analysis"
	"github.com/weirlog/weir/store/mapping"
)

// maxTokens is what one _analyze answers at most, as index.analyze.max_token_count.
const maxTokens = 10_000

// handleAnalyze answers [/{index}]/_analyze.
func handleAnalyze(c *call) error {
	body, err := c.body()
	if err != nil {
		return err
	}
	req := analyzeRequest{analyzer: c.params.str("analyzer", ""), field: c.params.str("field", ""), text: c.params.list("text")}
	if len(strings.TrimSpace(string(body))) > 0 {
		if err := req.read(body); err != nil {
			return err
		}
	}
	if len(req.text) == 0 {
		return validation([]string{"text is missing"})
	}
	name, set, err := c.analyzerOf(&req)
	if err != nil {
		return err
	}
	tokens := []any{}
	pos, offset := 0, 0
	for _, t := range req.text {
		n, next, err := analyzed(set, name, req.normalizer, t, pos, offset)
		if err != nil {
			return err
		}
		if tokens = append(tokens, n...); len(tokens) > maxTokens {
			return illegal("The number of tokens produced by calling _analyze has exceeded the allowed maximum of [%d]. This limit can be set by changing the [index.analyze.max_token_count] index level setting.", maxTokens)
		}
		pos, offset = next+100, offset+utf16Len(t)+1
	}
	if !req.explain {
		return c.reply(http.StatusOK, newObject().set("tokens", tokens).bytes())
	}
	return c.reply(http.StatusOK, newObject().set("detail", newObject().set("custom_analyzer", false).set("analyzer", newObject().set("name", name).set("tokens", tokens))).bytes())
}

// analyzeRequest is a body of _analyze.
type analyzeRequest struct {
	analyzer, normalizer, field string
	text                        []string
	explain                     bool
}

func (r *analyzeRequest) read(body []byte) error {
	v, err := fastjson.ParseBytes(body)
	if err != nil || v.Type() != fastjson.TypeObject {
		return badRequest("parse_exception", "request body is not a JSON object")
	}
	var bad error
	v.GetObject().Visit(func(k []byte, e *fastjson.Value) {
		switch string(k) {
		case "analyzer":
			r.analyzer = string(e.GetStringBytes())
		case "normalizer":
			r.normalizer = string(e.GetStringBytes())
		case "field":
			r.field = string(e.GetStringBytes())
		case "text":
			r.text = textsOf(e)
		case "explain":
			r.explain = e.GetBool()
		case "tokenizer", "filter", "char_filter", "attributes":
			bad = illegal("[%s] of _analyze is not supported: name an analyzer, a normalizer or a field", k)
		default:
			bad = badRequest("x_content_parse_exception", "[1:1] [analyze_request] unknown field [%s]", k)
		}
	})
	return bad
}

// analyzerOf names the analyzer of a request: its own, that of its field, or the index's default. set is the analyzers of the index.
func (c *call) analyzerOf(r *analyzeRequest) (name string, set *analysis.Set, err error) {
	if r.normalizer != "" {
		if _, ok := analysis.LookupNormalizer(r.normalizer); !ok {
			return "", nil, illegal("failed to find normalizer under [%s]", r.normalizer)
		}
		return r.normalizer, nil, nil
	}
	name = r.analyzer
	index := c.vars["index"]
	if index == "" && r.field != "" {
		return "", nil, illegal("analysis based on a specific field requires an index")
	}
	var info store.IndexInfo
	if index != "" {
		names, err := c.names(index)
		if err != nil {
			return "", nil, err
		}
		if len(names) == 0 {
			return "", nil, &store.Error{Status: 404, Type: "index_not_found_exception", Reason: "no such index [" + index + "]", Index: index}
		}
		info, _ = c.s.store.Info(names[0])
		if set, err = info.Settings.Analyzers(); err != nil {
			return "", nil, err
		}
	}
	if r.field != "" {
		switch f := info.Mapping.Field(r.field); {
		case f == nil:
			name = ""
		case f.Type.IsText():
			name = f.Analyzer
		case f.Type == mapping.Keyword || f.Type == mapping.Wildcard:
			name = "keyword"
		default:
			return "", nil, illegal("Can't process field [%s], Analysis requests are only supported on tokenized fields", r.field)
		}
	}
	a, ok := set.Lookup(name)
	if !ok {
		return "", nil, illegal("failed to find global analyzer [%s]", name)
	}
	if name == "" {
		if name = "default"; a.Name() == "standard" {
			name = "standard"
		}
	}
	return name, set, nil
}

// analyzed cuts a text; offsets count UTF-16 units, as Elasticsearch's do.
func analyzed(set *analysis.Set, name, normalizer, text string, pos, offset int) (tokens []any, next int, err error) {
	if normalizer != "" {
		n, _ := analysis.LookupNormalizer(normalizer)
		return []any{tokenOfText(string(n(nil, []byte(text))), offset, offset+utf16Len(text), "word", pos)}, pos, nil
	}
	a, _ := set.Lookup(name)
	next = pos
	at, units := 0, 0 // bytes and units up to the last token's start
	count := func(to int) int {
		if to < at {
			at, units = 0, 0
		}
		units += utf16Len(text[at:to])
		at = to
		return units
	}
	a.Tokens([]byte(text), func(t analysis.Token) {
		start := count(t.Start)
		end := start + utf16Len(text[t.Start:t.End])
		next = pos + t.Pos
		tokens = append(tokens, tokenOfText(string(t.Term), offset+start, offset+end, tokenType(name, string(t.Term)), next))
	})
	return tokens, next, nil
}

func tokenOfText(term string, start, end int, typ string, pos int) *object {
	return newObject().set("token", term).set("start_offset", start).set("end_offset", end).set("type", typ).set("position", pos)
}

// tokenType names a token as the tokenizer of an analyzer does.
func tokenType(analyzer, term string) string {
	if !slices.Contains([]string{"standard", "english", "cjk"}, analyzer) {
		return "word"
	}
	r, _ := utf8.DecodeRuneInString(term)
	switch {
	case strings.Trim(term, "0123456789.,") == "":
		return "<NUM>"
	case r >= 0xAC00 && r <= 0xD7A3:
		if analyzer == "cjk" {
			return "<DOUBLE>"
		}
		return "<HANGUL>"
	case r >= 0x4E00 && r <= 0x9FFF:
		if analyzer == "cjk" && utf8.RuneCountInString(term) == 2 {
			return "<DOUBLE>"
		}
		return "<IDEOGRAPHIC>"
	case r >= 0x3040 && r <= 0x309F:
		return "<HIRAGANA>"
	case r >= 0x30A0 && r <= 0x30FF:
		return "<KATAKANA>"
	}
	return "<ALPHANUM>"
}

func utf16Len(s string) int {
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}
