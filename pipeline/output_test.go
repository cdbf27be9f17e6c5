package pipeline

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirlog/weir/queue"
)

func TestFileOutput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	in := `{"app":"a","m":1}` + "\n" + `{"app":"b","m":2}` + "\n" + `{"app":"a","m":3}` + "\n" + `{"app":"../../up","m":4}` + "\n"
	run(t, testConfig(`input { stdin { codec => json } } output { file { path => "`+dir+`/out/%{app}/log.txt" codec => line { format => "%{m}" } } }`, in, &bytes.Buffer{}))
	for name, want := range map[string]string{"out/a/log.txt": "1\n3\n", "out/b/log.txt": "2\n", "out/_filepath_failures": "4\n"} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestKafkaOutput(t *testing.T) {
	t.Parallel()
	q := newMemQueue()
	q.failNext = 1
	cfg := testConfig(`input { stdin { codec => json } } output { kafka { topic_id => "t-%{k}" message_key => "%{k}" codec => json } }`, `{"k":"x"}`+"\n"+`{"k":"y"}`+"\n", &bytes.Buffer{})
	cfg.Queue = func(addr string) (queue.Queue, error) { return q, nil }
	run(t, cfg)
	for _, k := range []string{"x", "y"} {
		recs := q.records("t-" + k)
		if len(recs) != 1 || string(recs[0].Key) != k || !strings.Contains(string(recs[0].Value), `"k":"`+k+`"`) {
			t.Errorf("topic t-%s holds %v", k, recs)
		}
	}
}

func TestElasticsearchActions(t *testing.T) {
	t.Parallel()
	w := newMemWriter()
	cfg := queueConfig(newMemQueue(), w)
	cfg.Text[0].Text = `input { stdin { codec => json } } output {
		elasticsearch { index => "i-%{+yyyy}" document_id => "%{id}" action => "%{[@metadata][action]}" routing => "r%{id}" doc_as_upsert => true } }`
	cfg.Stdin = strings.NewReader(`{"id":1,"@metadata":{"action":"update"}}` + "\n" + `{"id":2,"@metadata":{"action":"delete"}}` + "\n" + `{"id":3,"@metadata":{"action":"index"}}` + "\n" +
		`{"id":4,"@metadata":{"action":"zap"}}` + "\n")
	cfg.Workers = 1
	p := run(t, cfg)
	var got []string
	for _, d := range w.docs {
		got = append(got, d.op.Action.String()+" "+d.op.Index+" "+d.op.ID+" "+d.op.Routing+" "+string(d.op.Source))
	}
	want := []string{
		`update i-2026 1 r1 {"doc":{"@timestamp":"2026-11-22T23:50:00.000Z","@version":"1","id":1},"doc_as_upsert":true}`,
		`delete i-2026 2 r2 `,
		`index i-2026 3 r3 {"@timestamp":"2026-11-22T23:50:00.000Z","@version":"1","id":3}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if p.Stats().Dead.Lost != 1 {
		t.Errorf("an unknown action without a topic for dead letters: %+v", p.Stats().Dead)
	}
}

func TestElasticsearchFaults(t *testing.T) {
	t.Parallel()
	for conf, want := range map[string]string{
		`elasticsearch { index => "x" data_stream => true }`:  "a data stream's name is made of",
		`elasticsearch { action => "index" }`:                 "a data stream only takes create",
		`elasticsearch { index => "x" action => "upsert" }`:   `unknown action "upsert"`,
		`elasticsearch { index => "x" action => "update" }`:   "update needs document_id",
		`elasticsearch { index => "x" parent => "p" }`:        "use routing",
		`elasticsearch { data_stream => "maybe" }`:            `"maybe" is not known`,
		`elasticsearch { index => "x-%{+yyyy.qq}" }`:          "letter qq",
		`elasticsearch { index => "x-%{+yyyy}" host => "h" }`: "did you mean hosts?",
	} {
		cfg := queueConfig(newMemQueue(), newMemWriter())
		cfg.Text[0].Text = "input { stdin { } } output { " + conf + " }"
		if errs := Check(cfg).Faults(); len(errs) != 1 || !strings.Contains(errs.Error(), want) {
			t.Errorf("%s: %v, want %s", conf, errs, want)
		}
	}
}

func TestDataStreamRouting(t *testing.T) {
	t.Parallel()
	w := newMemWriter()
	cfg := queueConfig(newMemQueue(), w)
	cfg.Text[0].Text = `input { stdin { codec => json } } output { elasticsearch { data_stream_dataset => "d" } }`
	cfg.Stdin = strings.NewReader(`{"a":1}` + "\n" + `{"data_stream":{"type":"metrics","namespace":"n"}}` + "\n")
	cfg.Workers = 1
	run(t, cfg)
	if len(w.docs) != 2 || w.docs[0].op.Index != "logs-d-default" || w.docs[1].op.Index != "metrics-d-n" ||
		!strings.Contains(string(w.docs[1].op.Source), `"data_stream":{"type":"metrics","namespace":"n","dataset":"d"}`) {
		t.Errorf("documents %+v", w.docs)
	}
}
