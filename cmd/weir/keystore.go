package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirlog/weir/config"
	"github.com/weirlog/weir/vfs"
)

func newKeystore() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "keystore",
		Short: "Secrets for ${NAME} in a filebeat.yml, in Filebeat's own file",
		Long: `A keystore holds values that a filebeat.yml names as ${NAME}. The file is Filebeat's: each reads what the other wrote. It hides secrets
from a glance, not from who can read the file.`,
		Example: "  echo -n secret | weir keystore add KAFKA_PASSWORD --file data/filebeat.keystore",
		Args:    cobra.NoArgs,
	}
	c.PersistentFlags().StringVar(&file, "file", filepath.Join("data", "filebeat.keystore"), "the keystore")
	sub := func(use, short string, args cobra.PositionalArgs, run func(cmd *cobra.Command, k config.Keystore, args []string) (changed bool, err error)) {
		c.AddCommand(&cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
			k, err := config.ReadKeystore(file)
			if err != nil {
				return usage("%w", err)
			}
			changed, err := run(cmd, k, args)
			if err != nil || !changed {
				return err
			}
			return writeKeystore(file, k)
		}})
	}
	sub("create", "Make an empty keystore, unless there is one", cobra.NoArgs, func(*cobra.Command, config.Keystore, []string) (bool, error) {
		if _, err := os.Stat(file); err == nil {
			return false, usage("keystore %s exists already", file)
		}
		return true, nil
	})
	sub("list", "Print the names", cobra.NoArgs, func(cmd *cobra.Command, k config.Keystore, _ []string) (bool, error) {
		for _, name := range k.Names() {
			fmt.Fprintln(cmd.OutOrStdout(), name)
		}
		return false, nil
	})
	sub("add NAME", "Keep the first line of the standard input under a name", cobra.ExactArgs(1), func(cmd *cobra.Command, k config.Keystore, args []string) (bool, error) {
		line, err := bufio.NewReader(io.LimitReader(cmd.InOrStdin(), 1<<20)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return false, fmt.Errorf("read the secret: %w", err)
		}
		k[args[0]] = strings.TrimRight(line, "\r\n")
		return true, nil
	})
	sub("remove NAME", "Forget a name", cobra.ExactArgs(1), func(_ *cobra.Command, k config.Keystore, args []string) (bool, error) {
		if _, ok := k[args[0]]; !ok {
			return false, usage("keystore %s has no %s", file, args[0])
		}
		delete(k, args[0])
		return true, nil
	})
	return c
}

// writeKeystore replaces the file; only its owner may read it.
func writeKeystore(name string, k config.Keystore) error {
	text, err := k.Text()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return fmt.Errorf("write keystore: %w", err)
	}
	if err := vfs.WriteFileAtomic(vfs.OS(), name, text); err != nil {
		return fmt.Errorf("write keystore: %w", err)
	}
	return os.Chmod(name, 0o600)
}
