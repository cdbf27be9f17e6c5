package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/vfs"
)

// finding is one line of a doctor's report.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, warn, bad
	Detail string `json:"detail"`
	Mend   string `json:"mend,omitempty"`
}

func newDoctor() *cobra.Command {
	var cfgPath, data string
	var asJSON bool
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Look at ports, disk, limits and configuration, and say what to mend",
		Long:  "Exit code 0: fine; 1: warnings; 2: weir will not run.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			list := examine(cfgPath, data)
			if asJSON {
				json.NewEncoder(cmd.OutOrStdout()).Encode(list)
			} else {
				printFindings(cmd, list)
			}
			worst := 0
			for _, f := range list {
				worst = max(worst, map[string]int{"ok": 0, "warn": 1, "bad": 2}[f.State])
			}
			if worst > 0 {
				return &exitError{worst, nil}
			}
			return nil
		},
	}
	c.Flags().StringVarP(&cfgPath, "config", "c", "", "weir.yml (default: ./weir.yml when there is one)")
	c.Flags().StringVar(&data, "data", "", "data folder")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON list")
	return c
}

func printFindings(cmd *cobra.Command, list []finding) {
	marks := map[string]string{"ok": "✓", "warn": "!", "bad": "✗"}
	for _, f := range list {
		fmt.Fprintf(cmd.OutOrStdout(), "%s %-14s %s\n", marks[f.State], f.Check, f.Detail)
		if f.Mend != "" {
			fmt.Fprintf(cmd.OutOrStdout(), "    → %s\n", f.Mend)
		}
	}
}

func examine(cfgPath, data string) []finding {
	cfg, err := loadWeir(cfgPath)
	list := []finding{}
	var places config.Errors
	switch {
	case errors.As(err, &places):
		for _, e := range places {
			list = append(list, finding{"configuration", "bad", e.Error(), e.Hint})
		}
	case err != nil:
		list = append(list, finding{"configuration", "bad", err.Error(), ""})
	default:
		list = append(list, finding{"configuration", "ok", "reads without a mistake", ""})
		for _, w := range cfg.Warnings {
			list = append(list, finding{"configuration", "warn", w.String(), ""})
		}
	}
	if data != "" {
		cfg.Data = data
	}
	list = append(list, checkFolder(cfg.Data)...)
	for _, p := range []struct{ name, addr string }{{"kafka", cfg.Listen.Kafka}, {"elasticsearch", cfg.Listen.Elasticsearch}, {"ui", cfg.Listen.UI}, {"monitor", cfg.Listen.Monitor}} {
		list = append(list, checkPort(p.name, p.addr))
	}
	list = append(list, checkFiles())
	list = append(list, checkInotify()...)
	return append(list, checkInputs(cfg)...)
}

// checkFolder looks at the data folder: whether it can be written, how fast it syncs, how much room there is.
func checkFolder(dir string) []finding {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return []finding{{"data folder", "bad", err.Error(), "choose another with --data, or give this user the right to write"}}
	}
	latency, err := syncLatency(dir)
	if err != nil {
		return []finding{{"data folder", "bad", err.Error(), "choose another with --data, or give this user the right to write"}}
	}
	list := []finding{{"data folder", "ok", dir + " can be written", ""}}
	f := finding{"disk sync", "ok", fmt.Sprintf("a write is on disk after %s (median of 9)", latency.Round(10*time.Microsecond)), ""}
	if latency > 50*time.Millisecond {
		f.State, f.Mend = "warn", "every acknowledgement waits for this; put the data folder on a faster disk"
	}
	list = append(list, f)
	free, total, err := vfs.OS().Free(dir)
	if err != nil || total == 0 {
		return append(list, finding{"disk space", "warn", fmt.Sprintf("unknown: %v", err), ""})
	}
	f = finding{"disk space", "ok", fmt.Sprintf("%.1f GiB free of %.1f", float64(free)/(1<<30), float64(total)/(1<<30)), ""}
	if used := 1 - float64(free)/float64(total); used > 0.95 {
		f.State, f.Mend = "bad", "writes are refused on a disk this full: make room"
	} else if used > 0.85 {
		f.State, f.Mend = "warn", "make room, or set store.retention"
	}
	return append(list, f)
}

// syncLatency is the median of nine small synced writes, the way every journal does them.
func syncLatency(dir string) (time.Duration, error) {
	name := filepath.Join(dir, ".doctor")
	defer os.Remove(name)
	var times []time.Duration
	for range 9 {
		start := time.Now()
		if err := vfs.WriteFileAtomic(vfs.OS(), name, make([]byte, 4096)); err != nil {
			return 0, fmt.Errorf("write %s: %w", name, err)
		}
		times = append(times, time.Since(start))
	}
	for i := range times { // insertion sort of nine
		for j := i; j > 0 && times[j] < times[j-1]; j-- {
			times[j], times[j-1] = times[j-1], times[j]
		}
	}
	return times[len(times)/2], nil
}

func checkPort(name, addr string) finding {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return finding{"port " + name, "bad", fmt.Sprintf("%q is not host:port", addr), ""}
	}
	if !loopback(host) {
		return finding{"port " + name, "bad", addr + " can be reached from the network without login", "listen on 127.0.0.1"}
	}
	if port == "0" {
		return finding{"port " + name, "ok", "a free one is picked at the start", ""}
	}
	ln, err := net.Listen("tcp", addr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return finding{"port " + name, "warn", addr + " is taken (by a running weir?)", "stop that process, or choose another with --listen-" + name}
	}
	if err != nil {
		return finding{"port " + name, "bad", err.Error(), ""}
	}
	ln.Close()
	return finding{"port " + name, "ok", addr + " is free", ""}
}

func checkFiles() finding {
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		return finding{"open files", "warn", err.Error(), ""}
	}
	f := finding{"open files", "ok", fmt.Sprintf("up to %d", lim.Max), ""}
	if lim.Max < 4096 {
		f.State, f.Mend = "warn", "raise it: ulimit -n 65536, or LimitNOFILE= in the unit"
	}
	return f
}

// checkInotify reads the kernel's limits; beyond them the agent polls.
func checkInotify() []finding {
	if runtime.GOOS != "linux" {
		return []finding{{"file watching", "ok", "files are polled on this system", ""}}
	}
	var list []finding
	for key, least := range map[string]int{"max_user_watches": 8192, "max_user_instances": 16} {
		b, err := os.ReadFile("/proc/sys/fs/inotify/" + key)
		if err != nil {
			continue
		}
		n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
		f := finding{"inotify", "ok", fmt.Sprintf("%s is %d", key, n), ""}
		if n < least {
			f.State, f.Mend = "warn", fmt.Sprintf("sysctl fs.inotify.%s=%d; until then files beyond it are polled", key, least)
		}
		list = append(list, f)
	}
	return list
}

// checkInputs looks for files under each input's paths.
func checkInputs(cfg config.Weir) []finding {
	var list []finding
	for _, in := range cfg.Agent.Inputs {
		for _, p := range in.Paths {
			files, _ := filepath.Glob(p)
			f := finding{"input", "ok", fmt.Sprintf("%s: %d files", p, len(files)), ""}
			if len(files) == 0 && !strings.Contains(p, "**") {
				f.State, f.Mend = "warn", "files that appear later are read; if there should be some now, look at the path"
			}
			for _, name := range files {
				r, err := os.Open(name)
				if err != nil {
					f.State, f.Detail, f.Mend = "bad", err.Error(), "give this user the right to read it"
					break
				}
				r.Close()
			}
			list = append(list, f)
		}
	}
	return list
}
