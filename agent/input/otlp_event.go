package input

import (
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// attribute is a name and a value.
type attribute struct {
	key   string
	value any
}

// resource is what sent log records.
type resource struct{ attributes []attribute }

// scope is the part of it that did.
type scope struct{ name, version string }

// record is a log record, in either encoding.
type record struct {
	time, observed     uint64 // ns since 1970
	number             int    // severity, 1 to 24
	level, trace, span string
	name               string
	body               any
	attributes         []attribute
}

// ecsNames are the attributes that have a field in ECS under another name. Names that begin as own says are fields as they are.
func ecsName(key string) string {
	switch key {
	case "service.instance.id":
		return "service.node.name"
	case "deployment.environment", "deployment.environment.name":
		return "service.environment"
	case "host.arch":
		return "host.architecture"
	case "os.type":
		return "host.os.platform"
	case "os.description":
		return "host.os.full"
	case "os.name":
		return "host.os.name"
	case "os.version":
		return "host.os.version"
	case "container.image.tags", "container.image.tag":
		return "container.image.tag"
	case "process.executable.path":
		return "process.executable"
	case "k8s.namespace.name":
		return "kubernetes.namespace"
	case "k8s.cluster.name":
		return "orchestrator.cluster.name"
	case "exception.type":
		return "error.type"
	case "exception.message":
		return "error.message"
	case "exception.stacktrace":
		return "error.stack_trace"
	case "service.name", "service.version", "service.namespace", "host.name", "host.id", "host.type", "host.ip", "host.mac",
		"container.id", "container.name", "container.runtime", "container.image.name", "process.pid", "process.command_line",
		"cloud.provider", "cloud.region", "cloud.availability_zone", "cloud.account.id":
		return key
	}
	if rest, ok := strings.CutPrefix(key, "k8s."); ok && (strings.HasSuffix(key, ".name") || strings.HasSuffix(key, ".uid")) {
		return "kubernetes." + rest
	}
	return ""
}

// put puts attributes into t: those of ECS at their fields, others as they are named under rest.
func put(t map[string]any, l []attribute, rest string) {
	var others map[string]any
	for _, a := range l {
		if a.key == "" || a.value == nil {
			continue
		}
		if name := ecsName(a.key); name != "" {
			tree.Set(t, name, a.value)
			continue
		}
		if others == nil {
			others = map[string]any{}
		}
		others[a.key] = a.value
	}
	if others != nil {
		tree.Set(t, rest, others)
	}
}

// fields are what all records of a resource share.
func (r *resource) fields() map[string]any {
	t := map[string]any{}
	put(t, r.attributes, "resource.attributes")
	return t
}

// event is a record as an event; base is not changed.
func (r *record) event(base map[string]any, s scope, size int64) Event {
	e := Event{At: unixNano(r.time), Bytes: size, Fields: tree.Clone(base)}
	if e.At.IsZero() {
		e.At = unixNano(r.observed)
	}
	switch b := r.body.(type) {
	case string:
		e.Message = []byte(b)
	case nil:
	default:
		e.Fields["body"] = b
	}
	put(e.Fields, r.attributes, "attributes")
	log := map[string]any{}
	if r.level != "" {
		log["level"] = r.level
	} else if name := severityText(r.number); name != "" {
		log["level"] = name
	}
	if s.name != "" {
		log["logger"] = s.name
	}
	if len(log) > 0 {
		e.Fields["log"] = log
	}
	for name, v := range map[string]string{"trace.id": r.trace, "span.id": r.span, "event.name": r.name, "scope.version": s.version} {
		if v != "" {
			tree.Set(e.Fields, name, v)
		}
	}
	if r.number > 0 {
		tree.Set(e.Fields, "event.severity", r.number)
	}
	return e
}

// severityText is the short name of a severity's number.
func severityText(n int) string {
	if n < 1 || n > 24 {
		return ""
	}
	return [...]string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}[(n-1)/4]
}
