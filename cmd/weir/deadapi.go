package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirlog/weir/pipeline"
	"github.com/weirlog/weir/queue/kafka"
)

// deadTime bounds one request about dead letters.
const deadTime = 30 * time.Second

// deadAPI answers GET /weir/dead and POST /weir/dead/replay: the records that pipelines could not process, and putting them back.
type deadAPI struct{ n *node }

func (a deadAPI) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /weir/dead", func(w http.ResponseWriter, r *http.Request) {
		v, err := a.list(r)
		respond(w, v, err)
	})
	mux.HandleFunc("POST /weir/dead/replay", func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxPipelineBody)
		v, err := a.replay(r)
		respond(w, v, err)
	})
	return mux
}

// shownLetter is a dead letter as the page lists it.
type shownLetter struct {
	letter
	Place string `json:"place"` // PARTITION@OFFSET
}

func (a deadAPI) list(r *http.Request) (any, error) {
	admin, err := a.n.queueAdmin()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadTime)
	defer cancel()
	f := deadFlags{reason: r.FormValue("reason"), pipeline: r.FormValue("pipeline"), contains: r.FormValue("contains"), from: orElse(r.FormValue("from"), "oldest"), n: maxSample}
	l, err := f.letters(ctx, admin)
	if err != nil {
		return nil, err
	}
	list := make([]shownLetter, len(l))
	for i, x := range l {
		x.Value = clip(x.Value, 16<<10)
		list[len(l)-1-i] = shownLetter{x, fmt.Sprintf("%d@%d", x.Partition, x.Offset)} // newest first
	}
	return map[string]any{"letters": list, "cut": len(l) == maxSample}, nil
}

func orElse(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// replay puts the named letters back into the topics they came from, or into another one.
func (a deadAPI) replay(r *http.Request) (any, error) {
	var in struct {
		Places []string `json:"places"`
		Topic  string   `json:"topic"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		return nil, err
	}
	if len(in.Places) == 0 || len(in.Places) > maxSample {
		return nil, fmt.Errorf("places names from 1 to %d dead letters", maxSample)
	}
	admin, err := a.n.queueAdmin()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), deadTime)
	defer cancel()
	byTopic := map[string][]kafka.NewMessage{}
	for _, place := range in.Places {
		x, err := oneLetter(ctx, admin, place)
		if err != nil {
			return nil, err
		}
		topic := orElse(in.Topic, x.Dead.Topic)
		if topic == "" || strings.HasPrefix(topic, "spool/") {
			return nil, fmt.Errorf("dead letter %s came from no topic: name one to put it into", place)
		}
		byTopic[topic] = append(byTopic[topic], x.again())
	}
	put := map[string]int{}
	for topic, l := range byTopic {
		if err := admin.ProduceAll(ctx, topic, l); err != nil {
			return nil, err
		}
		put[topic] = len(l)
	}
	return map[string]any{"put": put}, nil
}

// oneLetter reads the dead letter at PARTITION@OFFSET.
func oneLetter(ctx context.Context, admin *kafka.Admin, place string) (letter, error) {
	partition, offset, err := placeFlag(place)
	if err != nil {
		return letter{}, err
	}
	page, err := admin.Browse(ctx, kafka.Browse{Topic: pipeline.DeadLettersTopic, Partitions: []int32{partition}, At: map[int32]int64{partition: offset}, Limit: 1, ValueBytes: maxPipelineBody})
	if err != nil {
		return letter{}, err
	}
	if len(page.Messages) == 0 || page.Messages[0].Offset != offset {
		return letter{}, fmt.Errorf("there is no dead letter at %s", place)
	}
	return letterOf(page.Messages[0])
}

// again is the record as it was, marked as put back.
func (x letter) again() kafka.NewMessage {
	value := string(x.rec.Value)
	m := kafka.NewMessage{Value: &value, Headers: map[string]string{"weir-replay": fmt.Sprintf("%d@%d", x.Partition, x.Offset)}}
	if key := string(x.rec.Key); key != "" {
		m.Key = &key
	}
	return m
}

// keptPlaces says why a group cannot be moved through the queue.
func (n *node) keptPlaces(group string) string {
	if n.store == nil || !n.groups.own(group) {
		return ""
	}
	return fmt.Sprintf("the places of %s are kept by the store with its documents and cannot be moved here; `weir pipeline replay` runs records again", group)
}
