package segment

import (
	"fmt"
	"io"

	"github.com/weirlog/weir/vfs"
)

// Raw is the whole file, valid until Close: what a snapshot copies.
func (r *Reader) Raw() []byte { return r.b }

// Receive writes a segment that comes from elsewhere to path, durably but for the folder, and checks it.
func Receive(fsys vfs.FS, path string, from io.Reader) (err error) {
	f, err := fsys.Create(path)
	if err != nil {
		return fmt.Errorf("receive segment %s: %w", path, err)
	}
	if _, err = io.Copy(f, from); err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = Verify(fsys, path)
	}
	if err != nil {
		fsys.Remove(path) // the error that matters is the first
		return fmt.Errorf("receive segment %s: %w", path, err)
	}
	return nil
}
