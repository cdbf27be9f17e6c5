package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weirlog/weir/agent"
	"github.com/weirlog/weir/listen"
)

// Weir is what weir.yml says. Paths in it are relative to the file's folder.
type Weir struct {
	// Data is the folder of all durable data.
	Data string
	// Listen are the addresses of the four ports; port 0 picks a free one.
	Listen Listen
	// Queue is "embedded" or kafka://host:port,host:port.
	Queue string
	// QueueLogin is how the cluster of Queue is reached.
	QueueLogin QueueLogin
	// Store is "embedded" or http(s)://host:port.
	Store Store
	// Agent is what the agent reads; Inputs may be empty.
	Agent agent.Config
	// AgentMemory and the like are in Agent; Filebeat are filebeat.yml files whose inputs are added.
	Filebeat []string
	Broker   Broker
	// Output is the output section of a filebeat.yml that an agent runs alone; weir.yml has none.
	Output Output
	// Pipelines run in this process.
	Pipelines []Pipeline
	Log       Log
	// Plaintext is security.plaintext: types of inputs that may listen beyond loopback without TLS and login.
	Plaintext []string
	// Dir is the folder of the file.
	Dir string
	// Warnings are settings read without their usual effect.
	Warnings []Warning
}

// Listen holds one address per port.
type Listen struct {
	Kafka         string
	Elasticsearch string
	UI            string
	Monitor       string
}

// Store says where documents go.
type Store struct {
	// At is "embedded" or an address.
	At string
	// HeadMemory bounds the part of the index that is still in memory, in bytes.
	HeadMemory int64
	// RetentionAge and RetentionBytes delete the oldest log segments; 0: never.
	RetentionAge   time.Duration
	RetentionBytes int64
	// RetentionDisk is the share of the disk in percent above which the oldest log segments go; 0: never.
	RetentionDisk int
}

// Broker holds the settings of the embedded queue.
type Broker struct {
	// Partitions of topics that are made on first use.
	Partitions int
	// AutoCreate makes a topic on first use.
	AutoCreate bool
	// Advertise is the host:port clients are told, where it is not the one they connected to.
	Advertise string
	// RetentionAge and RetentionBytes are the defaults of new topics; bytes -1 is without bound.
	RetentionAge   time.Duration
	RetentionBytes int64
	// SegmentBytes is the size of an extent.
	SegmentBytes int64
	// Pins are groups whose unread records outlive retention, beside weir's own.
	Pins []string
	// DiskBudget and DiskFloor are bytes, 0 for what the disk's size suggests; WhenFull is refuse or drop-oldest.
	DiskBudget, DiskFloor int64
	WhenFull              string
	// TLS of the Kafka port; nil is plaintext.
	TLS *listen.TLS
	// Users may log in; none: nobody needs to. SuperUsers pass every access control list.
	Users         []BrokerUser
	SuperUsers    []string
	AllowUnlisted bool
	// Topics are made at the start.
	Topics []BrokerTopic
}

// Log is the log of weir itself.
type Log struct {
	Level  string // debug, info, warn, error
	Format string // text, json
}

// DefaultWeir is what holds without a file.
func DefaultWeir() Weir {
	w := Weir{
		Data:   "data",
		Listen: Listen{"127.0.0.1:9092", "127.0.0.1:9200", "127.0.0.1:5601", "127.0.0.1:9600"},
		Queue:  "embedded", QueueLogin: QueueLogin{Mechanism: "SCRAM-SHA-512"},
		Store:  Store{At: "embedded", HeadMemory: 256 << 20},
		Agent:  agent.DefaultConfig(),
		Broker: Broker{Partitions: 1, AutoCreate: true, RetentionAge: 7 * 24 * time.Hour, RetentionBytes: -1, SegmentBytes: 128 << 20, WhenFull: "refuse"},
		Log:    Log{Level: "info", Format: "text"},
		Dir:    ".",
	}
	return w
}

// ReadWeir reads a weir.yml and the filebeat.yml files it names. The error is Errors when the files can be opened.
func ReadWeir(path string) (Weir, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Weir{}, fmt.Errorf("read configuration: %w", err)
	}
	return ParseWeir(path, text, os.LookupEnv)
}

// ParseWeir reads the text of a weir.yml; env looks up variables.
func ParseWeir(path string, text []byte, env func(string) (string, bool)) (Weir, error) {
	return parseWeir(newFile(path, text, env), text)
}

func parseWeir(f *file, text []byte) (Weir, error) {
	w := DefaultWeir()
	w.Dir = filepath.Dir(f.name)
	root := f.parse(text)
	if root == nil {
		return w, f.errs
	}
	b := f.bind(root, "")
	b.str("data", &w.Data)
	w.bindListen(b.sub("listen"))
	w.bindQueueAndStore(b)
	w.bindAgent(b.sub("agent"))
	w.bindBroker(b.sub("broker"))
	for i, n := range b.list("pipelines") {
		w.Pipelines = append(w.Pipelines, bindPipeline(f, n, i, Pipeline{ECS: "v8"}, &w.Warnings))
	}
	sec := b.sub("security")
	sec.strs("plaintext", &w.Plaintext)
	sec.done()
	log := b.sub("log")
	log.oneOf("level", &w.Log.Level, "debug", "info", "warn", "error")
	log.oneOf("format", &w.Log.Format, "text", "json")
	log.done()
	b.done()
	for _, name := range w.Filebeat {
		w.addFilebeat(f, name)
	}
	w.Data = w.path(w.Data)
	if len(f.errs) > 0 {
		return w, f.errs
	}
	return w, nil
}

// path is p relative to the file's folder.
func (w *Weir) path(p string) string {
	if p == "" || filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(w.Dir, p)
}

func (w *Weir) bindListen(b *binder) {
	for key, to := range map[string]*string{"kafka": &w.Listen.Kafka, "elasticsearch": &w.Listen.Elasticsearch, "ui": &w.Listen.UI, "monitor": &w.Listen.Monitor} {
		b.str(key, to)
		if _, _, err := net.SplitHostPort(*to); err != nil {
			b.f.fail(b.get(key).Pos, len(*to), "write it as 127.0.0.1:9200", "%s: %q is not host:port", b.name(key), *to)
		}
	}
	b.done()
}

func (w *Weir) bindQueueAndStore(b *binder) {
	w.bindQueue(b)
	n := b.get("store")
	if n != nil && n.Kind == Scalar {
		w.Store.At = n.Text
	} else {
		s := b.sub("store")
		s.str("at", &w.Store.At)
		head := s.sub("head")
		head.size("memory", &w.Store.HeadMemory)
		head.done()
		r := s.sub("retention")
		r.duration("max_age", &w.Store.RetentionAge)
		r.size("max_bytes", &w.Store.RetentionBytes)
		r.integer("disk_percent", &w.Store.RetentionDisk)
		r.done()
		s.done()
	}
	if w.Store.At != "embedded" && !strings.HasPrefix(w.Store.At, "http://") && !strings.HasPrefix(w.Store.At, "https://") {
		b.f.fail(n.Pos, 1, "embedded, or http://host:9200", "store: %q is not known", w.Store.At)
	}
}

func (w *Weir) bindAgent(b *binder) {
	b.strs("filebeat", &w.Filebeat)
	b.size("memory", &w.Agent.Memory)
	b.integer("compat", &w.Agent.Compat)
	b.str("topic", &w.Agent.Topic)
	b.str("name", &w.Agent.Name)
	b.plain("fields", &w.Agent.Fields)
	b.boolean("fields_under_root", &w.Agent.FieldsUnderRoot)
	b.strs("tags", &w.Agent.Tags)
	for i, n := range b.list("inputs") {
		in := bindInput(b.f, n, fmt.Sprintf("agent.inputs[%d]", i), weirMessageMax, &w.Warnings)
		if in == nil {
			continue
		}
		for j := range in.Paths {
			in.Paths[j] = w.path(in.Paths[j])
		}
		w.Agent.Inputs = append(w.Agent.Inputs, *in)
	}
	b.done()
}

// weirMessageMax is the default size of a message for inputs of weir.yml: what fits a topic everywhere.
const weirMessageMax = 1 << 20

// addFilebeat reads one filebeat.yml named by agent.filebeat; its output section is not used, as one process has one queue.
func (w *Weir) addFilebeat(f *file, name string) {
	path := w.path(name)
	text, err := os.ReadFile(path)
	if err != nil {
		f.fail(Pos{File: f.name}, 1, "", "agent.filebeat: %v", err)
		return
	}
	fb, err := ParseFilebeat(path, text, f.env)
	if errs, ok := err.(Errors); ok {
		f.errs = append(f.errs, errs...)
		return
	}
	w.Agent.Inputs = append(w.Agent.Inputs, fb.Agent.Inputs...)
	w.Agent.Processors = append(w.Agent.Processors, fb.Agent.Processors...)
	w.Warnings = append(w.Warnings, fb.Warnings...)
	w.Warnings = append(w.Warnings, Warning{Pos{File: path}, "output", "not used: weir.yml says where records go"})
}
