package pipeline

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/filter"
	"github.com/weirlog/weir/pipeline/input"
	"github.com/weirlog/weir/pipeline/output"
	"github.com/weirlog/weir/pipeline/plugin"
)

var updateReference = flag.Bool("update-reference", false, "write docs/reference/pipeline.md")

const referenceIntro = `# Pipelines

A pipeline runs Logstash configuration files as they are: sections, conditionals with every operator, field references, ` + "`%{...}`" + ` texts,
` + "`${NAME:default}`" + ` variables, the options all plugins have (` + "`id`, `add_field`, `remove_field`, `add_tag`, `remove_tag`" + ` on filters,
` + "`type`, `tags`, `add_field`, `codec`" + ` on inputs). ` + "`weir check FILE`" + ` tells every mistake with its place. A plugin or an option that is not
below is refused with its place.

Order per file is kept with any number of workers. Positions are committed after the store has the batch on disk; a record that cannot
be processed or is refused goes to the topic ` + "`weir-dead-letters`" + ` with its original value and the reason.

This page is written from the tables in the code: ` + "`go test ./pipeline -run TestReference -update-reference`" + `.
`

// rubyNote tells what the code of ruby and aggregate may be.
const rubyNote = `
### Ruby code

The code of ` + "`ruby`" + ` and ` + "`aggregate`" + ` is run by an interpreter of its own: expressions, blocks, ` + "`def`, `case`, `begin/rescue/ensure`" + `, string
interpolation, regular expressions, heredocs; the methods of strings, lists, objects, numbers, ranges, times, symbols and nil that
configurations use; the event's methods; ` + "`JSON`, `Base64`, `Digest`, `SecureRandom`, `URI`, `CGI`, `IPAddr`, `Math`, `Time`, `Date`, `DateTime`, `ENV`" + `. Files,
sockets, processes, classes and modules are not there. What is not there is refused by ` + "`weir check`" + ` with its line and column. A call takes at
most a million steps, 16 MiB of values and 150 nested calls, then the event is tagged. Code that changes ` + "`@variables` or `$globals`" + ` makes
its pipeline run in order, with one worker. Differences: a text taken from an event is a copy; rationals are floats; encodings are UTF-8.
` + "`test`" + ` blocks of scripts are read over.
`

// TestReference keeps docs/reference/pipeline.md equal to the plugins' tables.
func TestReference(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(referenceIntro)
	b.WriteString("\n## Filters\n")
	for _, s := range filter.Table() {
		options(&b, s.Name, s.Options)
	}
	b.WriteString("\n### Filters of Logstash that are not there\n\n| filter | |\n|---|---|\n")
	for _, m := range filter.Missing() {
		fmt.Fprintf(&b, "| `%s` | refused: %s |\n", m[0], m[1])
	}
	b.WriteString(rubyNote)
	b.WriteString("\n## Inputs\n")
	for _, s := range input.Table() {
		options(&b, s.Name, s.Options)
	}
	b.WriteString("\n## Outputs\n")
	for _, s := range output.Table() {
		options(&b, s.Name, s.Options)
	}
	b.WriteString("\n## Codecs\n")
	for _, s := range codec.Table() {
		options(&b, s.Name, s.Options)
	}
	const name = "../docs/reference/pipeline.md"
	if *updateReference {
		if err := os.WriteFile(name, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if old, err := os.ReadFile(name); err != nil || string(old) != b.String() {
		t.Errorf("%s is not what the tables say; run go test ./pipeline -run TestReference -update-reference", name)
	}
}

func options(b *strings.Builder, name string, list []plugin.Option) {
	fmt.Fprintf(b, "\n### %s\n\n", name)
	if len(list) == 0 {
		b.WriteString("No options of its own.\n")
		return
	}
	b.WriteString("| option | kind | default | |\n|---|---|---|---|\n")
	for _, o := range list {
		note := o.Doc
		switch {
		case o.Required:
			note = "required. " + note
		case o.Refused != "":
			note = "refused: " + o.Refused
		case o.Obsolete != "":
			note = "refused: " + o.Obsolete
		case o.Unread != "":
			note = "taken, without effect: " + o.Unread
		case o.Deprecated != "":
			note = "deprecated: " + o.Deprecated + ". " + note
		}
		if len(o.Enum) > 0 {
			note += " One of: " + strings.Join(o.Enum, ", ") + "."
		}
		def := ""
		if o.Default != "" {
			def = "`" + strings.NewReplacer("|", `\|`, "\n", `\n`).Replace(o.Default) + "`"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", o.Name, o.Kind, def, strings.TrimSpace(strings.ReplaceAll(note, "|", "\\|")))
	}
}
