package pipeline

import (
	"context"
	"io"
	"maps"
	"slices"

	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/queue"
)

// Replay runs a configuration once more over records of a topic: its inputs are replaced by the topic, its outputs by one index.
type Replay struct {
	Topic    string
	Group    string          // of the reader; it should be one nobody else uses
	From, To map[int32]int64 // offsets by partition; To is exclusive
	Index    string          // of the documents, "" keeps the outputs of the configuration
}

// inputKept are the options of a configuration's first input that a replay takes over.
var inputKept = []string{"codec", "decorate_events", "type", "tags", "add_field", "ecs_compatibility"}

// rewrite replaces inputs and outputs.
func (r *Replay) rewrite(f *conf.File) *conf.File {
	out := &conf.File{Tail: f.Tail}
	in := &conf.Plugin{Name: "kafka"}
	found := false
	for _, s := range f.Sections {
		switch {
		case s.Kind == "input":
			s.Plugins(func(p *conf.Plugin) {
				if found {
					return
				}
				found, in.Pos = true, p.Pos
				for _, a := range p.Attrs {
					if slices.Contains(inputKept, a.Name) {
						in.Attrs = append(in.Attrs, a)
					}
				}
			})
		case s.Kind == "output" && r.Index != "":
		default:
			out.Sections = append(out.Sections, s)
		}
	}
	in.Attrs = append(in.Attrs, textAttr(in.Pos, "topics", r.Topic), textAttr(in.Pos, "group_id", r.Group))
	out.Sections = append([]*conf.Section{{Kind: "input", Pos: in.Pos, Body: []conf.Stmt{in}}}, out.Sections...)
	if r.Index != "" {
		es := &conf.Plugin{Name: "elasticsearch", Pos: in.Pos}
		es.Attrs = []*conf.Attr{textAttr(in.Pos, "index", r.Index), textAttr(in.Pos, "data_stream", "false")}
		out.Sections = append(out.Sections, &conf.Section{Kind: "output", Pos: in.Pos, Body: []conf.Stmt{es}})
	}
	return out
}

func textAttr(pos conf.Pos, name, text string) *conf.Attr {
	return &conf.Attr{Pos: pos, Name: name, Value: &conf.String{Pos: pos, Text: text}}
}

// queue is q as far as the replay reads it.
func (r *Replay) queue(q queue.Queue) queue.Queue { return replayQueue{q, r} }

type replayQueue struct {
	queue.Queue
	r *Replay
}

func (q replayQueue) Join(ctx context.Context, group string, topics ...string) (queue.Member, error) {
	m, err := q.Queue.Join(ctx, group, topics...)
	if err != nil {
		return nil, err
	}
	rm := &replayMember{Member: m, r: q.r, left: make(map[int32]bool)}
	var pos []queue.Position
	for p, to := range q.r.To {
		if q.r.From[p] < to {
			rm.left[p] = true
			pos = append(pos, queue.Position{Topic: q.r.Topic, Partition: p, Offset: q.r.From[p]})
		}
	}
	if err := m.Seek(ctx, pos); err != nil {
		m.Close()
		return nil, err
	}
	return rm, nil
}

// replayMember ends with io.EOF when every partition was read to its end.
type replayMember struct {
	queue.Member
	r    *Replay
	left map[int32]bool // partitions that are not at their end
}

func (m *replayMember) Poll(ctx context.Context) ([]queue.Record, error) {
	if len(m.left) == 0 {
		return nil, io.EOF
	}
	recs, err := m.Member.Poll(ctx)
	if g, ok := err.(*queue.Gap); ok && g.To >= m.r.To[g.Partition] {
		delete(m.left, g.Partition)
	}
	kept := recs[:0]
	for i := range recs {
		p := recs[i].Partition
		if recs[i].Offset >= m.r.To[p]-1 {
			delete(m.left, p)
		}
		if recs[i].Offset >= m.r.From[p] && recs[i].Offset < m.r.To[p] {
			kept = append(kept, recs[i])
		}
	}
	return kept, err
}

// Records is how many offsets a replay goes over.
func (r *Replay) Records() int64 {
	n := int64(0)
	for p := range maps.Keys(r.To) {
		n += max(0, r.To[p]-r.From[p])
	}
	return n
}
