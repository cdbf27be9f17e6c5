package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/valyala/fastjson"
)

// journeyTimeout bounds reading a record again and running it through the pipelines.
const journeyTimeout = 10 * time.Second

// station is one place an event passed, as its document tells.
type station struct {
	Name  string            `json:"name"` // file, agent, queue, pipeline, index
	Time  string            `json:"time,omitempty"`
	Facts map[string]string `json:"facts"`
}

// journey answers the way of one event: where it stood in its file, its place in the queue, when it was stored; and, where the queue can
// be read, the record itself and what each filter does to it when it is run again.
func (s *Server) journey(w http.ResponseWriter, r *http.Request) {
	hit, err := s.hit(r.Context(), r, r.FormValue("index"), r.FormValue("id"))
	if err != nil {
		failWith(w, err)
		return
	}
	src := hit.Get("_source")
	answer := map[string]any{"stations": stations(hit, src)}
	topic, partition, offset, ok := recordOf(src)
	switch {
	case !ok:
		answer["why"] = "no_record" // the event did not come through a queue, or does not say where
	case s.cfg.Journey == nil:
		answer["why"] = "no_queue"
	default:
		ctx, cancel := context.WithTimeout(r.Context(), journeyTimeout)
		defer cancel()
		again, err := s.cfg.Journey(ctx, topic, partition, offset)
		if err != nil {
			answer["why"], answer["reason"] = "unreadable", err.Error()
		} else {
			answer["again"] = again
		}
	}
	reply(w, answer)
}

func recordOf(src *fastjson.Value) (topic string, partition int32, offset int64, ok bool) {
	topic = valueText(fieldOf(src, "kafka.topic"))
	p, err1 := strconv.ParseInt(valueText(fieldOf(src, "kafka.partition")), 10, 32)
	o, err2 := strconv.ParseInt(valueText(fieldOf(src, "kafka.offset")), 10, 64)
	return topic, int32(p), o, topic != "" && err1 == nil && err2 == nil
}

// stations are the parts an event passed, with what the document keeps of each.
func stations(hit, src *fastjson.Value) []station {
	list := []station{}
	add := func(name, at string, fields ...string) {
		st := station{Name: name, Facts: map[string]string{}}
		if at != "" {
			st.Time = valueText(fieldOf(src, at))
		}
		for _, f := range fields {
			if v := valueText(fieldOf(src, f)); v != "" {
				st.Facts[f] = v
			}
		}
		if len(st.Facts) > 0 || st.Time != "" {
			list = append(list, st)
		}
	}
	add("file", "@timestamp", "log.file.path", "log.offset", "weir.source")
	add("agent", "event.created", "host.name", "agent.id", "agent.version", "agent.type")
	add("queue", "", "kafka.topic", "kafka.partition", "kafka.offset")
	add("pipeline", "event.ingested", "tags")
	return append(list, station{Name: "index", Facts: map[string]string{
		"_index": string(hit.GetStringBytes("_index")), "_id": string(hit.GetStringBytes("_id"))}})
}
