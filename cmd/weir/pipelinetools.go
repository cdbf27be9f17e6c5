package main

import "github.com/spf13/cobra"

// pipelineCommands are the commands below weir pipeline.
func pipelineCommands() []*cobra.Command {
	return []*cobra.Command{}
}
