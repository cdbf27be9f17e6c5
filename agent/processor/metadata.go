package processor

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// compileHostMetadata is add_host_metadata: what this machine is, read once.
func compileHostMetadata(args arguments) (run, error) {
	for _, key := range [...]string{"cache.ttl", "cache", "geo", "replace_fields", "netinfo.enabled"} {
		args.get(key)
	}
	netinfo, err := args.flag("netinfo.enabled", true)
	if err != nil {
		return nil, err
	}
	if m, ok := args.get("netinfo"); ok {
		if m, ok := m.(map[string]any); ok && m["enabled"] == false {
			netinfo = false
		}
	}
	fields := map[string]any{"host": hostFields(netinfo)}
	if geo, ok := args.get("geo"); ok {
		tree.Merge(fields, map[string]any{"host": map[string]any{"geo": geo}}, true)
	}
	return func(ev *tree.Event) error { tree.Merge(ev.Fields, fields, true); return nil }, nil
}

// hostFields describe the machine; what cannot be read is left out.
func hostFields(netinfo bool) map[string]any {
	host := map[string]any{"architecture": machineName()}
	if name, err := os.Hostname(); err == nil {
		host["hostname"] = name
		host["name"] = strings.ToLower(name)
	}
	if id := firstLine("/etc/machine-id"); id != "" {
		host["id"] = id
	}
	_, err := os.Stat("/.dockerenv")
	host["containerized"] = err == nil
	host["os"] = osFields()
	if netinfo {
		host["ip"], host["mac"] = addresses()
	}
	return host
}

// machineName is what uname calls the processor.
func machineName() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	}
	return runtime.GOARCH
}

func firstLine(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(string(b), "\n")
	return strings.TrimSpace(line)
}

func osFields() map[string]any {
	out := map[string]any{"type": runtime.GOOS, "platform": runtime.GOOS}
	if kernel := firstLine("/proc/sys/kernel/osrelease"); kernel != "" {
		out["kernel"] = kernel
	}
	f, err := os.Open("/etc/os-release")
	if err != nil {
		return out
	}
	defer f.Close()
	names := map[string]string{"ID": "platform", "NAME": "name", "VERSION": "version", "VERSION_CODENAME": "codename"}
	for sc := bufio.NewScanner(f); sc.Scan(); {
		key, value, _ := strings.Cut(sc.Text(), "=")
		if field := names[key]; field != "" {
			out[field] = strings.Trim(value, `"'`)
		}
	}
	out["family"] = osFamily(out["platform"].(string))
	return out
}

func osFamily(platform string) string {
	switch platform {
	case "ubuntu", "debian", "linuxmint":
		return "debian"
	case "rhel", "centos", "fedora", "rocky", "almalinux", "amzn", "ol":
		return "redhat"
	case "sles", "opensuse", "opensuse-leap", "opensuse-tumbleweed":
		return "suse"
	}
	return platform
}

// addresses are those of interfaces that are not loopback, MACs with dashes as ECS has them.
func addresses() (ips, macs []any) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, nil
	}
	for _, i := range list {
		if i.Flags&net.FlagLoopback != 0 {
			continue
		}
		if mac := i.HardwareAddr.String(); mac != "" {
			macs = append(macs, strings.ToUpper(strings.ReplaceAll(mac, ":", "-")))
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if n, ok := a.(*net.IPNet); ok {
				ips = append(ips, n.IP.String())
			}
		}
	}
	slices.SortFunc(macs, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	return ips, macs
}

// kubernetesName is a link in /var/log/containers.
var kubernetesName = regexp.MustCompile(`^([^_]+)_([^_]+)_(.+)-([0-9a-f]{64})\.log$`)

// compileKubernetesMetadata is add_kubernetes_metadata, as far as the name of the log tells: pod, namespace, container.
func compileKubernetesMetadata(args arguments) (run, error) {
	args.useAll()
	return func(ev *tree.Event) error {
		path, _ := tree.Get(ev.Fields, "log.file.path")
		s, _ := path.(string)
		m := kubernetesName.FindStringSubmatch(filepath.Base(s))
		if m == nil {
			return nil
		}
		tree.Merge(ev.Fields, map[string]any{
			"kubernetes": map[string]any{
				"pod": map[string]any{"name": m[1]}, "namespace": m[2], "container": map[string]any{"name": m[3]},
			},
			"container": map[string]any{"id": m[4]},
		}, true)
		return nil
	}, nil
}

// dockerConfig is what of config.v2.json is needed.
type dockerConfig struct {
	ID     string
	Name   string
	Config struct {
		Image  string
		Labels map[string]string
	}
}

// maxDockerConfig bounds what is read of a config.v2.json.
const maxDockerConfig = 1 << 20

// compileDockerMetadata is add_docker_metadata from the file Docker keeps beside a container's log; the daemon is not asked.
func compileDockerMetadata(args arguments) (run, error) {
	args.useAll()
	return func(ev *tree.Event) error {
		path, _ := tree.Get(ev.Fields, "log.file.path")
		s, _ := path.(string)
		b, err := os.ReadFile(filepath.Join(filepath.Dir(s), "config.v2.json"))
		if err != nil || len(b) > maxDockerConfig {
			return nil
		}
		var c dockerConfig
		if json.Unmarshal(b, &c) != nil || c.ID == "" {
			return nil
		}
		labels := map[string]any{}
		for k, v := range c.Config.Labels {
			labels[strings.ReplaceAll(k, ".", "_")] = v
		}
		tree.Merge(ev.Fields, map[string]any{"container": map[string]any{
			"id": c.ID, "name": strings.TrimPrefix(c.Name, "/"), "image": map[string]any{"name": c.Config.Image}, "labels": labels,
		}}, true)
		return nil
	}, nil
}
