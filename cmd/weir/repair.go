package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/vfs"
)

func newRepair() *cobra.Command {
	var f dataFlags
	c := &cobra.Command{
		Use:   "repair",
		Short: "Make damaged journals usable: what can be read stays, bad bytes are kept aside",
		Long: `Make what weir verify finds damaged usable again. Every record that can be read stays. Bad bytes are copied into a folder
quarantine beside their file, and the offsets they took become a gap, which readers step over and are told of. Nothing is deleted.
Damaged segments of the store are not changed: the store sets them aside when it starts, and says so.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.locked(func(dir string) error { return repairData(cmd.Context(), cmd.OutOrStdout(), dir) })
		},
	}
	f.add(c)
	c.Flags().Lookup("json").Hidden = true
	return c
}

func repairData(ctx context.Context, w io.Writer, dir string) error {
	damaged := 0
	err := eachStored(dir, func(kind, path string) error {
		one, err := verifyOne(ctx, kind, path)
		if err != nil || len(one.Bad) == 0 {
			return err
		}
		damaged++
		if kind == "segment" {
			fmt.Fprintf(w, "%s: %s\n  not changed: the store sets it aside at its next start\n", path, one.Bad[0])
			return nil
		}
		r, err := journal.Repair(ctx, journal.Config{FS: vfs.OS(), Dir: path, Own: ownPayloads(dir, path)})
		if err != nil {
			return err
		}
		for _, h := range r.Holes {
			fmt.Fprintf(w, "%s: offsets %d to %d are gone\n", path, h.From, h.To)
		}
		for _, k := range r.Kept {
			fmt.Fprintf(w, "  bad bytes kept in %s\n", k)
		}
		return nil
	})
	if err == nil && damaged == 0 {
		fmt.Fprintln(w, "nothing is damaged")
	}
	return err
}

// ownPayloads reports whether a journal holds weir's own payloads. Partitions of topics and the spools of inputs hold batches of
// records.
func ownPayloads(data, path string) bool {
	rel, err := filepath.Rel(data, path)
	if err != nil {
		return true
	}
	parts := strings.Split(filepath.ToSlash(rel), "/")
	return !(parts[0] == "queue" && rel != filepath.Join("queue", "meta")) && parts[len(parts)-1] != "log"
}
