package segment

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/weirlog/weir/vfs"
)

// Verify reads every checksum of a segment, opens every column and prints every document.
func Verify(fsys vfs.FS, path string) error {
	r, err := Open(fsys, path, nil)
	if err != nil {
		return err
	}
	return errors.Join(r.verify(), r.Close())
}

func (r *Reader) verify() error {
	for p := range len(r.sums) / 4 {
		pg := r.b[p*pageLen : min((p+1)*pageLen, len(r.b)-footerLen-len(r.sums)-4)]
		if crc32.Checksum(pg, crcTable) != le32(r.sums, 4*p) {
			return fmt.Errorf("segment %s: %w: page at offset %d", r.path, ErrDamaged, p*pageLen)
		}
	}
	for i := range r.fields {
		if r.column(i) == nil {
			return r.Err()
		}
	}
	var buf []byte
	for row := range r.Rows() {
		var err error
		if buf, err = r.AppendSource(buf[:0], row); err != nil {
			return err
		}
	}
	return r.Err()
}
