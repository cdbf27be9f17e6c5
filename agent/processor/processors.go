package processor

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weirlog/weir/agent/tree"
)

// Config is a step over events by its name in filebeat.yml, with its settings as they stand there.
type Config struct {
	// Name is the processor's; "if" runs Then or Else, as When says.
	Name string
	Args map[string]any
	// When is a condition in filebeat.yml's form ({"equals": {"log.level": "debug"}}); nil is always.
	When map[string]any
	// Then and Else are the steps of an "if".
	Then, Else []Config
	// Place is where it stands ("filebeat.yml:41"); it names the rule when a processor drops an event.
	Place string
}

// Step is one compiled step over events.
type Step struct {
	rule string // what a drop is counted under: place and name
	list int    // the list of processors it stands in
	when condition
	run  run
	// constant says that what the step does depends on nothing but what is constant for a file, so that it is done once per file.
	constant bool
}

// run is what a step does. An error ends the step's list of processors for this event, errDrop the event.
type run func(ev *tree.Event) error

// errDrop says that the step drops the event.
var errDrop = errors.New("dropped")

// dropped is a drop within an if, with its rule.
type dropped string

func (d dropped) Error() string { return "dropped by " + string(d) }

// Constant reports whether the step does the same for all lines of a file.
func (s *Step) Constant() bool { return s.constant }

// Run runs steps over an event; the result is "" or the rule that dropped the event.
func Run(steps []Step, ev *tree.Event) (rule string) {
	for i := 0; i < len(steps); i++ {
		p := &steps[i]
		if p.when != nil && !p.when(ev) {
			continue
		}
		err := p.run(ev)
		if err == nil {
			continue
		}
		if rule := p.dropRule(err); rule != "" {
			return rule
		}
		for i+1 < len(steps) && steps[i+1].list == p.list {
			i++
		}
	}
	return ""
}

// dropRule is the rule when err is a drop.
func (s *Step) dropRule(err error) string {
	if err == errDrop {
		return s.rule
	}
	if d, ok := err.(dropped); ok {
		return string(d)
	}
	return ""
}

// table is the processors that are known, by name.
var table = [...]struct {
	name     string
	compile  func(args arguments) (run, error)
	constant bool // adds what is the same for all lines of a file
}{
	{"add_docker_metadata", compileDockerMetadata, true},
	{"add_fields", compileAddFields, true},
	{"add_formatted_index", compileFormattedIndex, false},
	{"add_host_metadata", compileHostMetadata, true},
	{"add_id", compileAddID, false},
	{"add_kubernetes_metadata", compileKubernetesMetadata, true},
	{"add_labels", compileAddLabels, true},
	{"add_locale", compileAddLocale, false},
	{"add_network_direction", compileNetworkDirection, false},
	{"add_observer_metadata", compileObserverMetadata, true},
	{"add_process_metadata", compileProcessMetadata, false},
	{"add_tags", compileAddTags, true},
	{"append", compileAppend, false},
	{"community_id", compileCommunityID, false},
	{"convert", compileConvert, false},
	{"copy_fields", compileCopyFields, false},
	{"decode_base64_field", compileDecodeBase64, false},
	{"decode_csv_fields", compileDecodeCSV, false},
	{"decode_duration", compileDecodeDuration, false},
	{"decode_json_fields", compileDecodeJSON, false},
	{"decode_xml", compileDecodeXML, false},
	{"decompress_gzip_field", compileDecompressGzip, false},
	{"detect_mime_type", compileDetectMimeType, false},
	{"dissect", compileDissect, false},
	{"drop_event", compileDropEvent, false},
	{"drop_fields", compileDropFields, false},
	{"extract_array", compileExtractArray, false},
	{"extract_field", compileExtractField, false},
	{"fingerprint", compileFingerprint, false},
	{"include_fields", compileIncludeFields, false},
	{"lowercase", compileLowercase, false},
	{"move_fields", compileMoveFields, false},
	{"now", compileNow, false},
	{"rate_limit", compileRateLimit, false},
	{"redact", compileRedact, false},
	{"registered_domain", compileRegisteredDomain, false},
	{"rename", compileRename, false},
	{"replace", compileReplace, false},
	{"syslog", compileSyslog, false},
	{"timestamp", compileTimestamp, false},
	{"truncate_fields", compileTruncate, false},
	{"uppercase", compileUppercase, false},
	{"urldecode", compileURLDecode, false},
}

// Refused are processors of Filebeat that weir does not have, with what to do instead.
func Refused(name string) (why string, ok bool) {
	switch name {
	case "script":
		return "write it as a filter of a pipeline", true
	case "dns", "cache", "translate_sid", "translate_guid", "translate_ldap_attribute", "decode_cef", "decode_xml_wineventlog", "timeseries",
		"add_nomad_metadata", "add_cloudfoundry_metadata", "parse_aws_vpc_flow_log", "add_data_stream":
		return "do it in a pipeline, or leave it out", true
	}
	return "", false
}

// Compile makes a step of its settings. list numbers the list of processors it stands in: an error ends that list for an event.
func Compile(p *Config, list int) (Step, error) {
	out := Step{rule: strings.TrimSpace(p.Place + " " + p.Name), list: list}
	fail := func(err error) (Step, error) {
		if p.Place != "" {
			err = fmt.Errorf("%s: %w", p.Place, err)
		}
		return out, err
	}
	var err error
	if p.When != nil {
		if out.when, err = compileCondition(p.When); err != nil {
			return fail(fmt.Errorf("%s.when: %w", p.Name, err))
		}
	}
	if p.Name == "if" {
		return compileIf(p, out)
	}
	for i := range table {
		if table[i].name != p.Name {
			continue
		}
		args := arguments{m: p.Args, used: map[string]bool{}}
		if out.run, err = table[i].compile(args); err == nil {
			err = args.leftover()
		}
		out.constant = table[i].constant && constantCondition(p.When)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", p.Name, err))
		}
		return out, nil
	}
	if why, ok := Refused(p.Name); ok {
		return fail(fmt.Errorf("processor %s is not supported: %s", p.Name, why))
	}
	return fail(fmt.Errorf("processor %s is not known; these are: %s", p.Name, strings.Join(Names(), ", ")))
}

// compileIf makes if, then and else one step.
func compileIf(p *Config, out Step) (Step, error) {
	if out.when == nil {
		return out, fmt.Errorf("%s: if: missing condition", p.Place)
	}
	var lists [2][]Step
	out.constant = constantCondition(p.When)
	for i, configs := range [...][]Config{p.Then, p.Else} {
		for j := range configs {
			s, err := Compile(&configs[j], out.list)
			if err != nil {
				return out, err
			}
			out.constant = out.constant && s.constant
			lists[i] = append(lists[i], s)
		}
	}
	cond := out.when
	out.when = nil
	out.run = func(ev *tree.Event) error {
		list := lists[0]
		if !cond(ev) {
			list = lists[1]
		}
		for i := range list {
			s := &list[i]
			if s.when != nil && !s.when(ev) {
				continue
			}
			if err := s.run(ev); err != nil {
				if rule := s.dropRule(err); rule != "" {
					return dropped(rule)
				}
				return err
			}
		}
		return nil
	}
	return out, nil
}

// Names lists the processors that are known, sorted.
func Names() []string {
	var out []string
	for i := range table {
		out = append(out, table[i].name)
	}
	slices.Sort(out)
	return out
}

// fail notes why a step did nothing, and ends the list.
func fail(ev *tree.Event, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	tree.Set(ev.Fields, "error.message", err.Error())
	return err
}

// change edits one field and reports why it could not.
type change func(ev *tree.Event) error

// allOrNone makes a step of changes. With strict, the first that fails takes back all and ends the list; without, the others go on.
func allOrNone(strict bool, list []change) run {
	return func(ev *tree.Event) error {
		before := ev.Fields
		if strict && len(list) > 1 {
			ev.Fields = tree.Clone(before)
		}
		for _, c := range list {
			if err := c(ev); err != nil && strict {
				ev.Fields = before
				return fail(ev, "%w", err)
			}
		}
		return nil
	}
}

// missing is the error of a field that is not there, unless it may be missing.
func missing(field string, ok bool) error {
	if ok {
		return nil
	}
	return fmt.Errorf("field %s is missing", field)
}

// textField is the text of a field; done says that there is nothing to do, or why not.
func textField(ev *tree.Event, field string, missingOK bool) (s string, done bool, err error) {
	v, ok := ev.Get(field)
	if !ok {
		return "", true, missing(field, missingOK)
	}
	s, ok = v.(string)
	if !ok {
		return "", true, fmt.Errorf("field %s is no text", field)
	}
	return s, false, nil
}

// put sets a field of the event, @timestamp excluded; @metadata.x goes to the metadata.
func put(ev *tree.Event, path string, v any) {
	if rest, ok := strings.CutPrefix(path, "@metadata."); ok {
		tree.Set(ev.Metadata, rest, v)
		return
	}
	if path != "@timestamp" {
		tree.Set(ev.Fields, path, v)
	}
}
