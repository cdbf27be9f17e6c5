package input

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/weirlog/weir/agent/tree"
)

// JournaldConfig is a journald input: it reads what journalctl prints.
type JournaldConfig struct {
	// Paths are journal files or folders; none is the machine's own journal.
	Paths []string
	// Seek is where a first start begins: head, tail, since (Since before now). Later starts go on behind the last acknowledged entry.
	Seek  string
	Since time.Duration
	// Units, Identifiers, Transports and Facilities narrow what is read; each list is any of.
	Units, Identifiers, Transports, Facilities []string
	// Matches are FIELD=VALUE, all of which must hold; several of one field are any of.
	Matches []string
	// Backoff and MaxBackoff are the pauses before journalctl is started again.
	Backoff, MaxBackoff time.Duration
	// Journalctl is the program. Default: the one in PATH.
	Journalctl string
}

// DefaultJournald reads the machine's journal from its beginning.
func DefaultJournald() *JournaldConfig {
	return &JournaldConfig{Seek: "head", Backoff: time.Second, MaxBackoff: 20 * time.Second, Journalctl: "journalctl"}
}

// Validate names all faults.
func (c *JournaldConfig) Validate() []error {
	var errs []error
	if c.Seek != "head" && c.Seek != "tail" && c.Seek != "since" {
		errs = append(errs, fmt.Errorf("seek %q is none of head, tail, since", c.Seek))
	}
	if c.Seek == "since" && c.Since == 0 {
		errs = append(errs, errors.New("seek: since needs since"))
	}
	for _, m := range c.Matches {
		if !matchOK(m) {
			errs = append(errs, fmt.Errorf("match %q is not FIELD=VALUE", m))
		}
	}
	for _, f := range c.Facilities {
		if n, err := strconv.Atoi(f); err != nil || n < 0 || n > 23 {
			errs = append(errs, fmt.Errorf("facility %q is not 0 to 23", f))
		}
	}
	return errs
}

// matchOK reports whether m is FIELD=VALUE, and so no option of journalctl.
func matchOK(m string) bool {
	field, _, ok := strings.Cut(m, "=")
	if !ok || field == "" {
		return false
	}
	for _, c := range field {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// Open finds journalctl.
func (c *JournaldConfig) Open(log *slog.Logger) (Input, error) {
	prog, err := exec.LookPath(c.Journalctl)
	if err != nil {
		return nil, fmt.Errorf("journald: %w", err)
	}
	j := &journald{set: *c, prog: prog, log: log}
	paths := c.Paths
	if len(paths) == 0 {
		paths = []string{""}
	}
	j.paths = paths
	return j, nil
}

type journald struct {
	set   JournaldConfig
	prog  string
	paths []string
	log   *slog.Logger
}

// Run follows every journal.
func (j *journald) Run(ctx context.Context, sink Sink) error {
	ended := make(chan struct{}, len(j.paths))
	for _, p := range j.paths {
		go func() {
			defer func() { ended <- struct{}{} }()
			j.follow(ctx, sink, p)
		}()
	}
	for range j.paths {
		<-ended
	}
	return nil
}

// follow runs journalctl on a journal, and again when it ends.
func (j *journald) follow(ctx context.Context, sink Sink, path string) {
	wait := j.set.Backoff
	for {
		began := time.Now()
		err := j.once(ctx, sink, path)
		if ctx.Err() != nil || errors.Is(err, ErrStopped) {
			return
		}
		j.log.Warn("journalctl has ended, starting it again", "path", path, "err", err)
		if time.Since(began) > j.set.MaxBackoff {
			wait = j.set.Backoff
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return
		}
		wait = min(2*wait, j.set.MaxBackoff)
	}
}

// args of journalctl. Not its JSON: that turns long fields to null, and those that are no UTF-8 to lists of numbers.
func (j *journald) args(path, cursor string) []string {
	c := &j.set
	a := []string{"--utc", "--output=export", "--all", "--follow", "--quiet", "--no-pager"}
	switch {
	case path == "":
	case strings.HasSuffix(path, ".journal"):
		a = append(a, "--file="+path)
	default:
		a = append(a, "--directory="+path)
	}
	switch {
	case cursor != "":
		a = append(a, "--no-tail", "--after-cursor="+cursor)
	case c.Seek == "tail":
		a = append(a, "--lines=0")
	case c.Seek == "since":
		a = append(a, "--no-tail", "--since="+time.Now().Add(-c.Since.Abs()).UTC().Format("2006-01-02 15:04:05 UTC"))
	default:
		a = append(a, "--no-tail")
	}
	for _, u := range c.Units {
		a = append(a, "--unit="+u)
	}
	for _, id := range c.Identifiers {
		a = append(a, "--identifier="+id)
	}
	for _, f := range c.Facilities {
		a = append(a, "--facility="+f)
	}
	for _, t := range c.Transports {
		a = append(a, "_TRANSPORT="+t)
	}
	return append(a, c.Matches...)
}

// stopTime is how long journalctl may take to end.
const stopTime = 5 * time.Second

// once reads one journalctl to its end.
func (j *journald) once(ctx context.Context, sink Sink, path string) error {
	cmd := exec.CommandContext(ctx, j.prog, j.args(path, string(sink.Cursor(journalStream(path))))...)
	cmd.WaitDelay = stopTime
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var said tail
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		return err
	}
	err = j.read(lasting(ctx), out, sink, path)
	if err != nil {
		cmd.Process.Kill()
	}
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	if text := said.String(); err != nil && text != "" {
		return fmt.Errorf("%w: %s", err, text)
	}
	return err
}

func journalStream(path string) string { return "journald " + path }

// tail keeps the first few bytes that a program complains with.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p[:min(len(p), 512-len(t.b))]...)
	return len(p), nil
}

func (t *tail) String() string { return strings.TrimSpace(string(t.b)) }

// read pushes entries, those that are there together.
func (j *journald) read(ctx context.Context, out io.Reader, sink Sink, path string) error {
	r := bufio.NewReaderSize(out, 64<<10)
	b := &Batch{Stream: journalStream(path)}
	size := 0
	for {
		e, cursor, err := readEntry(r)
		if err == nil {
			b.Events = append(b.Events, e)
			b.Cursor = append(b.Cursor[:0], cursor...)
			size += int(e.Bytes)
		}
		if len(b.Events) > 0 && (err != nil || r.Buffered() == 0 || size >= MaxBatch || len(b.Events) >= gatherEvents) {
			if perr := sink.Push(ctx, b, nil); perr != nil {
				return perr
			}
			b, size = &Batch{Stream: b.Stream}, 0
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

const (
	maxField  = 16 << 20 // bytes of a field's value; journald's own limit is 768 MiB
	maxFields = 1024     // of an entry, as journald's
	maxName   = 256      // bytes of a field's name and its line's beginning
)

var errExport = errors.New("journald: what journalctl prints is no export format")

// readEntry reads an entry of the export format: lines FIELD=VALUE, or FIELD and, behind the line's end, 8 bytes of length (little
// endian), the value and a line feed. An empty line ends it.
func readEntry(r *bufio.Reader) (e Event, cursor []byte, err error) {
	f := map[string]string{}
	for n := 0; ; n++ {
		name, value, size, err := readField(r)
		if err != nil {
			if errors.Is(err, io.EOF) && len(f) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return e, nil, err
		}
		e.Bytes += int64(size)
		if name == "" {
			if len(f) == 0 {
				continue
			}
			shapeJournal(&e, f)
			return e, []byte(f["__CURSOR"]), nil
		}
		if n >= 2*maxFields {
			return e, nil, errExport
		}
		if old, twice := f[name]; twice && name != "MESSAGE" {
			value = old + "," + value
		}
		f[name] = value
	}
}

// readField reads one; an empty name is the end of the entry.
func readField(r *bufio.Reader) (name, value string, size int, err error) {
	line, err := readLine(r)
	size = len(line)
	if err != nil || len(line) == 1 {
		return "", "", size, err
	}
	text := string(line[:len(line)-1])
	if name, value, ok := strings.Cut(text, "="); ok {
		return name, value, size, nil
	}
	var l [8]byte
	if _, err := io.ReadFull(r, l[:]); err != nil {
		return "", "", size, noEnd(err)
	}
	n := binary.LittleEndian.Uint64(l[:])
	if n > maxField {
		return "", "", size, errExport
	}
	var b strings.Builder
	if _, err := io.CopyN(&b, r, int64(n)); err != nil {
		return "", "", size, noEnd(err)
	}
	if c, err := r.ReadByte(); err != nil || c != '\n' {
		return "", "", size, errExport
	}
	return text, b.String(), size + 9 + int(n), nil
}

func noEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// readLine reads a line with its end; valid until the next read when it fits the buffer.
func readLine(r *bufio.Reader) ([]byte, error) {
	var long []byte
	for {
		part, err := r.ReadSlice('\n')
		if err == nil && long == nil {
			return part, nil
		}
		long = append(long, part...)
		switch {
		case err == nil:
			return long, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if errors.Is(err, io.EOF) && len(long) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		case len(long) > maxField+maxName:
			return nil, errExport
		}
	}
}

// journalNames are the fields of an entry that have one of their own; a second one follows behind a blank.
func journalNames() map[string]string {
	return map[string]string{
		"_PID": "journald.pid process.pid", "_UID": "journald.uid", "_GID": "journald.gid",
		"_COMM": "journald.process.name process.name", "_EXE": "journald.process.executable process.executable",
		"_CMDLINE": "journald.process.command_line process.command_line", "_CAP_EFFECTIVE": "journald.process.capabilities",
		"_AUDIT_SESSION": "journald.audit.session", "_AUDIT_LOGINUID": "journald.audit.login_uid",
		"_SYSTEMD_CGROUP": "systemd.cgroup", "_SYSTEMD_SLICE": "systemd.slice", "_SYSTEMD_UNIT": "systemd.unit", "_SYSTEMD_USER_UNIT": "systemd.user_unit",
		"_SYSTEMD_USER_SLICE": "systemd.user_slice", "_SYSTEMD_SESSION": "systemd.session", "_SYSTEMD_OWNER_UID": "systemd.owner_uid",
		"_SYSTEMD_INVOCATION_ID": "systemd.invocation_id", "_TRANSPORT": "systemd.transport",
		"_BOOT_ID": "journald.host.boot_id", "_MACHINE_ID": "host.id", "_HOSTNAME": "host.hostname",
		"_KERNEL_DEVICE": "journald.kernel.device", "_KERNEL_SUBSYSTEM": "journald.kernel.subsystem",
		"_UDEV_SYSNAME": "journald.kernel.device_name", "_UDEV_DEVNODE": "journald.kernel.device_node_path", "_UDEV_DEVLINK": "journald.kernel.device_symlinks",
		"CODE_FILE": "journald.code.file", "CODE_LINE": "journald.code.line", "CODE_FUNC": "journald.code.func",
		"OBJECT_PID": "journald.object.pid", "OBJECT_UID": "journald.object.uid", "OBJECT_GID": "journald.object.gid", "COREDUMP_UNIT": "journald.coredump.unit",
		"MESSAGE_ID": "message_id", "PRIORITY": "syslog.priority log.syslog.priority",
		"SYSLOG_FACILITY": "syslog.facility log.syslog.facility.code", "SYSLOG_IDENTIFIER": "syslog.identifier log.syslog.appname", "SYSLOG_PID": "syslog.pid log.syslog.procid",
		"CONTAINER_ID": "container.id_truncated", "CONTAINER_ID_FULL": "container.id", "CONTAINER_NAME": "container.name", "CONTAINER_TAG": "container.log.tag",
		"IMAGE_NAME": "container.image.name",
	}
}

// numeric are the fields that are numbers.
func numeric(name string) bool {
	switch name {
	case "_PID", "_UID", "_GID", "_AUDIT_SESSION", "_AUDIT_LOGINUID", "_SYSTEMD_OWNER_UID", "CODE_LINE", "OBJECT_PID", "OBJECT_UID", "OBJECT_GID", "PRIORITY", "SYSLOG_FACILITY", "SYSLOG_PID":
		return true
	}
	return false
}

// shapeJournal makes the event of an entry.
func shapeJournal(e *Event, f map[string]string) {
	e.Fields = map[string]any{"event": map[string]any{"kind": "event"}}
	stamp := f["__REALTIME_TIMESTAMP"]
	if us, err := strconv.ParseInt(stamp, 10, 64); err == nil {
		e.At = time.UnixMicro(us)
	}
	names := journalNames()
	for name, value := range f {
		switch {
		case name == "MESSAGE":
			e.Message = []byte(value)
		case strings.HasPrefix(name, "__"):
		case names[name] != "":
			first, second, _ := strings.Cut(names[name], " ")
			var v any = value
			if n, err := strconv.ParseInt(value, 10, 64); err == nil && numeric(name) {
				v = n
			}
			tree.Set(e.Fields, first, v)
			if second != "" {
				tree.Set(e.Fields, second, v)
			}
		case name != "_SOURCE_REALTIME_TIMESTAMP" && name != "_SOURCE_MONOTONIC_TIMESTAMP":
			tree.Set(e.Fields, "journald.custom", custom(e.Fields, name, value))
		}
	}
}

// custom adds a field that has no name of its own, as a member of journald.custom that no dot divides.
func custom(fields map[string]any, name, value string) map[string]any {
	m := map[string]any{}
	if old, ok := tree.Get(fields, "journald.custom"); ok {
		m, _ = old.(map[string]any)
	}
	m[strings.ToLower(strings.Trim(name, "_"))] = value
	return m
}
