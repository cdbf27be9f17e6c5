package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
)

// importOptions are the flags of import, for all formats.
type importOptions struct {
	dryRun bool
	json   bool
}

// importFormat is one kind of file that import takes.
type importFormat struct {
	name string
	is   func(name string, text []byte) bool
	run  func(cmd *cobra.Command, o *importOptions, name string, text []byte) error
}

// importFormats are asked in order.
func importFormats() []importFormat {
	return []importFormat{
		{"filebeat.yml", isFilebeatFile, importFilebeat},
	}
}

func newImport() *cobra.Command {
	var o importOptions
	var d documentImport
	c := &cobra.Command{
		Use:   "import [FILE...]",
		Short: "Take over files of other programs, or say what would become of them; write NDJSON documents into an index",
		Long: `import filebeat.yml says line by line what weir does with each setting: honoured, accepted (nothing to do), ignored (its effect is
missed) or refused (the file does not run with it). Nothing is changed: weir agent -c filebeat.yml runs the file as it is.

Exit code 2: something is refused.

NDJSON with --index, and the lines of _bulk, are documents: from files or standard input they go into an index. Documents get ids made of
the file's name and their place in it, so that an import that was cut short goes on where it was, and one that is repeated writes
nothing twice. What the server refuses goes to ` + rejectsFile + ` with its reason, and the exit code is 1.`,
		Example: `  weir import filebeat.yml --dry-run
  weir import --index app day.ndjson
  zstdcat day.ndjson.zst | weir import --index app
  weir export --index app --bulk | weir import --index copy`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			args, docs, err := d.own(args)
			if err != nil {
				return err
			}
			if len(docs) > 0 {
				if err := d.files(cmd, docs); err != nil {
					return err
				}
			}
			for _, name := range args {
				if err := importFile(cmd, &o, name); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&o.dryRun, "dry-run", false, "only say what would become of it")
	c.Flags().BoolVar(&o.json, "json", false, "print JSON")
	d.addFlags(c)
	return c
}

func importFile(cmd *cobra.Command, o *importOptions, name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return usage("import: %w", err)
	}
	for _, f := range importFormats() {
		if f.is(name, text) {
			return f.run(cmd, o, name, text)
		}
	}
	return usage("import %s: the format is not known", name)
}

func isFilebeatFile(name string, text []byte) bool {
	return (strings.HasSuffix(name, ".yml") || strings.HasSuffix(name, ".yaml")) && config.IsFilebeat(name, text)
}

// importFilebeat prints the fate of every setting.
func importFilebeat(cmd *cobra.Command, o *importOptions, name string, text []byte) error {
	report, err := filebeatReport(name, text)
	out := cmd.OutOrStdout()
	if o.json {
		if e := json.NewEncoder(out).Encode(report); e != nil {
			return e
		}
	} else {
		printMentions(out, report)
	}
	if err != nil {
		return &exitError{exitUsage, err}
	}
	return nil
}

// filebeatReport is the report on a filebeat.yml, and why it would not run.
func filebeatReport(name string, text []byte) ([]config.Mention, error) {
	report, err := config.ReportFilebeat(name, text, os.LookupEnv)
	if err != nil {
		return report, err
	}
	fb, err := config.ParseFilebeat(name, text, os.LookupEnv)
	if err != nil {
		return report, err
	}
	if errs := agentErrors(fb.Agent); len(errs) > 0 {
		return report, errs[0]
	}
	return report, nil
}

func printMentions(out io.Writer, report []config.Mention) {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	count := map[config.Fate]int{}
	for _, m := range report {
		count[m.Fate]++
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", m.Pos, m.Fate, m.Key, m.Why)
	}
	w.Flush()
	fmt.Fprintf(out, "%d honoured, %d accepted, %d ignored, %d refused\n", count[config.Honoured], count[config.Accepted], count[config.Ignored], count[config.Refused])
}
