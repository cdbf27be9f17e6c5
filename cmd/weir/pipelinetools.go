package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline/conf"
)

// pipelineCommands are the commands below weir pipeline.
func pipelineCommands() []*cobra.Command {
	return []*cobra.Command{newPipelineTest(), newPipelineTrace(), newPipelineFmt(), newPipelineCheck(), newPipelineDead(), newPipelineReplay(), newPipelineLs()}
}

func newPipelineCheck() *cobra.Command {
	c := newCheck()
	c.Short = "Check configurations, as weir check does"
	c.Aliases = []string{"lint"}
	return c
}

func newPipelineFmt() *cobra.Command {
	var write, diff bool
	c := &cobra.Command{
		Use:   "fmt FILE...",
		Short: "Print configurations in the one form: two spaces a level, arrows below each other, comments kept",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bad := 0
			for _, name := range args {
				ok, err := formatFile(cmd, name, write, diff)
				if err != nil {
					return err
				}
				if !ok {
					bad++
				}
			}
			if bad > 0 {
				return &exitError{exitUsage, nil}
			}
			return nil
		},
	}
	c.Flags().BoolVarP(&write, "write", "w", false, "write the files instead of printing them")
	c.Flags().BoolVarP(&diff, "list", "l", false, "only name the files that would change")
	return c
}

// formatFile formats one file; false when it has faults, which are told.
func formatFile(cmd *cobra.Command, name string, write, list bool) (bool, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return false, &exitError{exitUsage, err}
	}
	f, errs := conf.Parse(name, string(text))
	if faults := errs.Faults(); len(faults) > 0 {
		fmt.Fprintln(cmd.ErrOrStderr(), (&confError{faults}).Error())
		return false, nil
	}
	out := []byte(conf.Print(f))
	switch {
	case list:
		if !bytes.Equal(out, text) {
			fmt.Fprintln(cmd.OutOrStdout(), name)
		}
	case !write:
		_, err = cmd.OutOrStdout().Write(out)
	case !bytes.Equal(out, text):
		var info os.FileInfo
		if info, err = os.Stat(name); err == nil {
			err = os.WriteFile(name, out, info.Mode().Perm())
		}
	}
	return true, err
}
