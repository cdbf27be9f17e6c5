package main

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/journal"
	"github.com/weirlog/weir/store/segment"
	"github.com/weirlog/weir/vfs"
)

// checked is what became of one journal or segment.
type checked struct {
	Kind    string   `json:"kind"` // journal or segment
	Path    string   `json:"path"`
	Bytes   int64    `json:"bytes"`
	Records int64    `json:"records,omitempty"`
	Bad     []string `json:"bad,omitempty"`   // file, place and offsets of what cannot be read
	Notes   []string `json:"notes,omitempty"` // what the program puts right by itself
}

// dataFlags name the data folder.
type dataFlags struct {
	config, data string
	json         bool
}

func (f *dataFlags) add(c *cobra.Command) {
	c.Flags().StringVarP(&f.config, "config", "c", "", "weir.yml, for its data folder")
	c.Flags().StringVar(&f.data, "data", "", "data folder (default data)")
	c.Flags().BoolVar(&f.json, "json", false, "print JSON")
}

// locked finds the data folder and takes its lock: nobody may write meanwhile.
func (f *dataFlags) locked(fn func(dir string) error) error {
	cfg := config.DefaultWeir()
	if f.config != "" {
		var err error
		if cfg, err = config.ReadWeir(f.config); err != nil {
			return err
		}
	}
	if f.data != "" {
		cfg.Data = f.data
	}
	if _, err := vfs.OS().Stat(cfg.Data); err != nil {
		return usage("data folder: %w (name it with --data)", err)
	}
	lock, err := vfs.OS().Lock(filepath.Join(cfg.Data, "lock"))
	if err != nil {
		return fmt.Errorf("data folder %s is in use: %w (stop that process first)", cfg.Data, err)
	}
	defer lock.Close()
	return fn(cfg.Data)
}

func newVerify() *cobra.Command {
	var f dataFlags
	c := &cobra.Command{
		Use:   "verify",
		Short: "Read everything on disk and check every checksum; changes nothing",
		Long: `Read everything in the data folder: the extents of every topic, the broker's and the store's journals, the agent's
registry, the store's segments. Each checksum, offset and index is checked. Nothing is changed; no weir may run on the folder.
Exit code 1 says that something is damaged: weir repair makes it usable again.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.locked(func(dir string) error { return verifyData(cmd, dir, f.json) })
		},
	}
	f.add(c)
	return c
}

func verifyData(cmd *cobra.Command, dir string, asJSON bool) error {
	var all []checked
	bad := 0
	err := eachStored(dir, func(kind, path string) error {
		one, err := verifyOne(cmd.Context(), kind, path)
		if err != nil {
			return err
		}
		if len(one.Bad) > 0 {
			bad++
		}
		all = append(all, one)
		if !asJSON {
			for _, b := range one.Bad {
				fmt.Fprintf(cmd.OutOrStdout(), "BAD   %s: %s\n", path, b)
			}
			for _, n := range one.Notes {
				fmt.Fprintf(cmd.OutOrStdout(), "note  %s: %s\n", path, n)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if asJSON {
		if err := printJSON(cmd.OutOrStdout(), all); err != nil {
			return err
		}
	} else {
		var bytes int64
		for _, one := range all {
			bytes += one.Bytes
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%d journals and segments, %s: %d damaged\n", len(all), bytesText(bytes), bad)
	}
	if bad > 0 {
		return &exitError{exitFailed, fmt.Errorf("%d of %d are damaged; weir repair makes them usable, with what cannot be read left out", bad, len(all))}
	}
	return nil
}

func verifyOne(ctx context.Context, kind, path string) (checked, error) {
	one := checked{Kind: kind, Path: path}
	if kind == "segment" {
		info, err := vfs.OS().Stat(path)
		if err != nil {
			return one, err
		}
		one.Bytes = info.Size()
		if err := segment.Verify(vfs.OS(), path); err != nil {
			one.Bad = append(one.Bad, err.Error())
		}
		return one, ctx.Err()
	}
	r, err := journal.VerifyDir(ctx, vfs.OS(), path)
	if err != nil {
		return one, err
	}
	one.Bytes, one.Records, one.Notes = r.Bytes, r.Records, r.Notes
	for _, h := range r.Bad {
		where := fmt.Sprintf("%020d.log, bytes %d to %d", h.Extent, h.Pos, h.PosEnd)
		switch {
		case h.Accepted:
			one.Notes = append(one.Notes, fmt.Sprintf("%s: offsets %d to %d are gone, as weir repair accepted", where, h.From, h.To))
		case h.From >= h.To:
			one.Notes = append(one.Notes, where+": a torn tail, which was never acknowledged; the next start cuts it off")
		default:
			one.Bad = append(one.Bad, fmt.Sprintf("%s: offsets %d to %d cannot be read", where, h.From, h.To))
		}
	}
	return one, nil
}

var extentName = regexp.MustCompile(`^\d{20}\.log$`)

// asides are folders of what was set aside; it is not used any more.
var asides = regexp.MustCompile(`(-delete|-aside|^quarantine|^damaged)$`)

// eachStored calls fn for every journal, which is a folder, and every segment, which is a file, under dir.
func eachStored(dir string, fn func(kind, path string) error) error {
	last := ""
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != dir && asides.MatchString(d.Name()):
			return filepath.SkipDir
		case d.IsDir():
			return nil
		case extentName.MatchString(d.Name()) && filepath.Dir(path) != last:
			last = filepath.Dir(path)
			return fn("journal", last)
		case strings.HasSuffix(d.Name(), ".seg"):
			return fn("segment", path)
		}
		return nil
	})
}
