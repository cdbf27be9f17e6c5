package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/pipeline/fleet"
)

const lsTimeout = 10 * time.Second

func newPipelineLs() *cobra.Command {
	server := os.Getenv("WEIR_SERVER")
	if server == "" {
		server = "http://127.0.0.1:5601"
	}
	asJSON := false
	c := &cobra.Command{
		Use:   "ls",
		Short: "List the pipelines of a running weir",
		RunE: func(cmd *cobra.Command, _ []string) error {
			client := http.Client{Timeout: lsTimeout}
			resp, err := client.Get(strings.TrimSuffix(server, "/") + "/weir/pipelines")
			if err != nil {
				return &exitError{exitUnreachable, err}
			}
			defer resp.Body.Close()
			var list struct {
				Pipelines []fleet.State `json:"pipelines"`
			}
			if resp.StatusCode == http.StatusNotFound {
				return fmt.Errorf("no pipelines run in %s", server)
			}
			if err := json.NewDecoder(resp.Body).Decode(&list); err != nil {
				return fmt.Errorf("answer of %s: %w", server, err)
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), list.Pipelines)
			}
			rows := [][]string{{"PIPELINE", "STATE", "VERSION", "WORKERS", "INPUTS", "OUTPUTS", "IN", "OUT", "DROPPED", "RELOADS", "ERROR"}}
			for _, s := range list.Pipelines {
				rows = append(rows, []string{s.ID, s.State, strconv.Itoa(s.Version), strconv.Itoa(s.Settings.Workers), strings.Join(s.Inputs, ","), strings.Join(s.Outputs, ","),
					fmt.Sprint(s.Events.In), fmt.Sprint(s.Events.Out), fmt.Sprint(s.Events.Dropped), fmt.Sprintf("%d ok, %d failed", s.Reloads.Successes, s.Reloads.Failures), s.Error})
			}
			return table(cmd.OutOrStdout(), rows)
		},
	}
	c.Flags().StringVar(&server, "server", server, "address of the UI server (or WEIR_SERVER)")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
