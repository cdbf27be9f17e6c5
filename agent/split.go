package agent

import (
	"github.com/valyala/fastjson"

	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/ledger"
	"github.com/weirlog/weir/lines"
	"github.com/weirlog/weir/queue"
)

// partMargin is what a record's envelope may grow by when its message is split: log.flags, log.part, and the record's own framing.
const partMargin = 512

// divide replaces the records that are over the queue's limit by several, each with a part of the message, cut between characters. The
// parts share the record's range in proportion, so that their ranges touch. A record whose message is not what makes it large loses
// its message's share only as far as the limit needs; one that cannot be made to fit keeps the last part empty.
func (l *lane) divide(recs []queue.Record, large *queue.TooLargeError) []queue.Record {
	limit := large.Limit
	overhead := large.Size - len(recs[large.Index].Value) // framing, key and headers, as the queue counts them
	out := make([]queue.Record, 0, len(recs)+8)
	for i := range recs {
		if len(recs[i].Value)+max(overhead, 0) <= limit && i != large.Index {
			out = append(out, recs[i])
			continue
		}
		parts := splitRecord(&recs[i], limit-max(overhead, 0))
		if parts == nil {
			l.a.tooLarge(&recs[i], limit)
			l.lost = append(l.lost, recs[i].Origin)
			continue
		}
		l.a.stats.splits.Add(1)
		out = append(out, parts...)
	}
	return out
}

// splitRecord cuts a record to values of at most limit bytes, nil when its message is not what makes it large.
func splitRecord(r *queue.Record, limit int) []queue.Record {
	var parser fastjson.Parser
	v, err := parser.ParseBytes(r.Value)
	if err != nil {
		return nil
	}
	event, ok := lines.ToGo(v).(map[string]any)
	if !ok {
		return nil
	}
	message, _ := event["message"].(string)
	escaped, _ := tree.AppendText(nil, []byte(message))
	room := limit - (len(r.Value) - len(escaped)) - partMargin
	if room < partMargin || message == "" {
		return nil
	}
	texts := cutEscaped([]byte(message), room)
	out := make([]queue.Record, len(texts))
	for i, text := range texts {
		out[i] = *r
		out[i].Value = partValue(event, string(text), i, len(texts))
		out[i].Origin = share(r.Origin, i, len(texts))
	}
	return out
}

// cutEscaped cuts text between characters into pieces of at most room bytes as JSON.
func cutEscaped(text []byte, room int) [][]byte {
	var out [][]byte
	for len(text) > 0 {
		n := min(len(text), room)
		for {
			piece := lines.CutText(text, n)
			if escaped, _ := tree.AppendText(nil, piece); len(escaped) <= room || n <= 1 {
				out = append(out, piece)
				text = text[len(piece):]
				break
			}
			n = n * 3 / 4
		}
	}
	return out
}

func partValue(event map[string]any, text string, index, count int) []byte {
	part := tree.Clone(event)
	log, ok := part["log"].(map[string]any)
	if !ok {
		log = map[string]any{}
		part["log"] = log
	}
	flags, _ := log["flags"].([]any)
	log["flags"] = append(flags[:len(flags):len(flags)], "split")
	log["part"] = map[string]any{"index": index, "count": count}
	b := append([]byte(nil), `{"@timestamp":`...)
	b = tree.AppendValue(b, part["@timestamp"])
	b = append(b, `,"@metadata":`...)
	b = tree.AppendValue(b, part["@metadata"])
	b = append(b, `,"message":`...)
	b = tree.AppendQuoted(b, text)
	return append(tree.AppendMembers(b, tree.Without(part), true), '}')
}

// share is the i-th of n touching parts of a range.
func share(r ledger.Range, i, n int) ledger.Range {
	if r.IsZero() {
		return r
	}
	length := r.Len()
	return ledger.Range{Source: r.Source, From: r.From + length*int64(i)/int64(n), To: r.From + length*int64(i+1)/int64(n)}
}
