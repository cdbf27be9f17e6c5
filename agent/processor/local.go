package processor

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/agent/input"
	"github.com/weirlog/weir/agent/tree"
	"github.com/weirlog/weir/syslog"
)

// compileAddLocale is add_locale: the machine's time zone, as an offset or by its abbreviation.
func compileAddLocale(args arguments) (run, error) {
	format, err := args.text("format", "offset")
	if err != nil {
		return nil, err
	}
	layout := map[string]string{"offset": "-07:00", "abbreviation": "MST"}[format]
	if layout == "" {
		return nil, fmt.Errorf("format: %q is not offset or abbreviation", format)
	}
	return func(ev *tree.Event) error {
		put(ev, "event.timezone", time.Now().Format(layout))
		return nil
	}, nil
}

// processInfo is what /proc says of a process; ok is false when it is not there.
func processInfo(root string, pid int) (info map[string]any, ok bool) {
	dir := filepath.Join(root, "proc", strconv.Itoa(pid))
	comm, err := os.ReadFile(filepath.Join(dir, "comm"))
	if err != nil {
		return nil, false
	}
	info = map[string]any{"pid": pid, "name": strings.TrimSpace(string(comm))}
	if line, err := os.ReadFile(filepath.Join(dir, "cmdline")); err == nil && len(line) > 0 {
		var words []any
		for w := range bytes.SplitSeq(bytes.TrimRight(line, "\x00"), []byte{0}) {
			words = append(words, string(w))
		}
		info["args"] = words
		info["title"] = strings.ReplaceAll(strings.TrimRight(string(line), "\x00"), "\x00", " ")
	}
	if exe, err := os.Readlink(filepath.Join(dir, "exe")); err == nil {
		info["executable"] = exe
	}
	status, err := os.ReadFile(filepath.Join(dir, "status"))
	if err != nil {
		return info, true
	}
	for line := range strings.SplitSeq(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		switch key {
		case "PPid":
			if n, err := strconv.Atoi(fields[0]); err == nil {
				info["parent"] = map[string]any{"pid": n}
			}
		case "Uid":
			owner := map[string]any{"id": fields[0]}
			if u, err := user.LookupId(fields[0]); err == nil {
				owner["name"] = u.Username
			}
			info["owner"] = owner
		}
	}
	return info, true
}

// compileProcessMetadata is add_process_metadata: what /proc says of the process whose id the event has.
func compileProcessMetadata(args arguments) (run, error) {
	pids, err1 := args.list("match_pids")
	target, err2 := args.text("target", "")
	overwrite, err3 := args.flag("overwrite_keys", false)
	_, err4 := args.flag("ignore_missing", true)
	root, err5 := args.text("host_path", "/")
	_, err6 := args.flag("restricted_fields", false)
	include := []string{"process"}
	var err7 error
	if _, ok := args.get("include_fields"); ok {
		include, err7 = args.list("include_fields")
	}
	for _, key := range [...]string{"cgroup_prefixes", "cgroup_regex", "cgroup_cache_expire_time"} {
		args.get(key)
	}
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		for _, f := range pids {
			v, ok := ev.Get(f)
			n, isNumber := number(v)
			if !ok || !isNumber || n < 1 {
				continue
			}
			info, ok := processInfo(root, int(n))
			if !ok {
				continue
			}
			wanted := map[string]any{}
			all := map[string]any{"process": info}
			for _, name := range include {
				if v, ok := tree.Get(all, name); ok {
					tree.Set(wanted, name, v)
				}
			}
			if target != "" {
				nested := map[string]any{}
				tree.Set(nested, target, wanted)
				wanted = nested
			}
			tree.Merge(ev.Fields, wanted, overwrite)
			return nil
		}
		return nil
	}, nil
}

// compileObserverMetadata is add_observer_metadata: this machine as the observer of others.
func compileObserverMetadata(args arguments) (run, error) {
	netinfo, err := args.flag("netinfo.enabled", true)
	if err != nil {
		return nil, err
	}
	for _, key := range [...]string{"cache.ttl", "cache"} {
		args.get(key)
	}
	if m, ok := args.get("netinfo"); ok {
		if m, ok := m.(map[string]any); ok && m["enabled"] == false {
			netinfo = false
		}
	}
	observer := map[string]any{"type": "filebeat", "vendor": "elastic"}
	if name, err := os.Hostname(); err == nil {
		observer["hostname"] = name
	}
	if netinfo {
		observer["ip"], observer["mac"] = addresses()
	}
	if geo, ok := args.get("geo"); ok {
		observer["geo"] = geo
	}
	fields := map[string]any{"observer": observer}
	return func(ev *tree.Event) error { tree.Merge(ev.Fields, fields, false); return nil }, nil
}

// parseZone reads the timezone of syslog: Local, a name, or an offset as +09:00.
func parseZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return time.Local, nil
	}
	for _, layout := range [...]string{"-07:00", "-0700", "-07"} {
		if t, err := time.Parse(layout, name); err == nil {
			_, offset := t.Zone()
			return time.FixedZone(name, offset), nil
		}
	}
	return time.LoadLocation(name)
}

// compileSyslog is the processor syslog: a field that holds a message of RFC 3164 or 5424.
func compileSyslog(args arguments) (run, error) {
	field, err1 := args.text("field", "message")
	format, err2 := args.text("format", "auto")
	zone, err3 := args.text("timezone", "Local")
	overwrite, err4 := args.flag("overwrite_keys", true)
	missingOK, err5 := args.flag("ignore_missing", false)
	lax, err6 := args.flag("ignore_failure", false)
	_, err7 := args.text("tag", "")
	f, err8 := syslog.FindFormat(format)
	loc, err9 := parseZone(zone)
	if err := errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9); err != nil {
		return nil, err
	}
	return func(ev *tree.Event) error {
		s, done, err := textField(ev, field, missingOK || lax)
		if done {
			if err == nil || lax {
				return nil
			}
			return fail(ev, "syslog: %w", err)
		}
		var m syslog.Message
		if err := syslog.Parse(&m, []byte(s), syslog.Options{Format: f, Zone: loc, Now: time.Now()}); err != nil {
			if lax {
				return nil
			}
			return fail(ev, "syslog: %w", err)
		}
		PutSyslog(ev, &m, field, overwrite)
		return nil
	}, nil
}

// PutSyslog puts a parsed message into an event: log.syslog, the time, and the text in place of what was parsed.
func PutSyslog(ev *tree.Event, m *syslog.Message, field string, overwrite bool) {
	tree.Merge(ev.Fields, map[string]any{"log": map[string]any{"syslog": input.ECS(m)}}, overwrite)
	if !m.Time.IsZero() {
		ev.At = m.Time
	}
	put(ev, field, strings.ToValidUTF8(string(m.Text), "\uFFFD"))
}
