package journal

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/weirlog/weir/vfs"
)

const quarantineDir = "quarantine"

// cutTail keeps what is behind pos in the quarantine folder and cuts it off.
func (j *Journal) cutTail(e *extent, pos int64) error {
	file, err := j.pool.files.use(j.cfg.FS, e)
	if err != nil {
		return err
	}
	defer j.pool.files.done(file)
	name, err := j.quarantine(e, file.f, pos, j.recovery.TailCut)
	if err != nil {
		return fmt.Errorf("keep the torn tail of %s: %w", e.name(), err)
	}
	if name != "" {
		j.recovery.TailSaved = name
		j.cfg.Log.Warn("torn tail cut: it was never acknowledged", "file", e.name(), "at", pos, "bytes", j.recovery.TailCut, "kept", name)
	}
	if err := file.f.Truncate(pos); err != nil {
		return err
	}
	return file.f.Sync()
}

// quarantine copies n bytes of e from pos on into a file of their own and returns its name; "" when they are all zero.
func (j *Journal) quarantine(e *extent, f vfs.File, pos, n int64) (string, error) {
	dir := filepath.Join(j.cfg.Dir, quarantineDir)
	name := filepath.Join(dir, fmt.Sprintf("%020d.%d.bad", e.base, pos))
	var out vfs.File
	buf := make([]byte, min(n, scanWindow))
	for at := int64(0); at < n; {
		got, err := readAt(f, buf[:min(n-at, int64(len(buf)))], pos+at)
		if err == nil && got > 0 && out == nil && !allZero(buf[:got]) {
			if err = vfs.MkdirDurable(j.cfg.FS, dir); err == nil {
				out, err = j.cfg.FS.Create(name + vfs.TempSuffix)
			}
		}
		if err == nil && out != nil {
			_, err = out.WriteAt(buf[:got], at)
		}
		if err != nil {
			return "", errors.Join(err, closeFile(out))
		}
		if got == 0 {
			break
		}
		at += int64(got)
	}
	if out == nil {
		return "", nil
	}
	if err := errors.Join(out.Sync(), out.Close()); err != nil {
		return "", err
	}
	if err := j.cfg.FS.Rename(name+vfs.TempSuffix, name); err != nil {
		return "", err
	}
	return name, j.cfg.FS.SyncDir(dir)
}

func closeFile(f vfs.File) error {
	if f == nil {
		return nil
	}
	return f.Close()
}
