package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/weirlog/weir/vfs"
)

// A delete file is WEIRDEL1, u64 segment id, u32 generation, u32 number of rows, the portable roaring bitmap of the rows, crc32c of all
// before it.
var deletesMark = [8]byte{'W', 'E', 'I', 'R', 'D', 'E', 'L', '1'}

const deletesHeader = 24

// WriteDeletes makes the deleted rows of a segment durable.
func WriteDeletes(fsys vfs.FS, path string, id uint64, gen int, dead *roaring.Bitmap) error {
	b := append([]byte(nil), deletesMark[:]...)
	b = binary.LittleEndian.AppendUint64(b, id)
	b = binary.LittleEndian.AppendUint32(b, uint32(gen))
	b = binary.LittleEndian.AppendUint32(b, uint32(dead.GetCardinality()))
	bits, err := dead.ToBytes()
	if err != nil {
		return fmt.Errorf("write deletes %s: %w", path, err)
	}
	b = append(b, bits...)
	b = binary.LittleEndian.AppendUint32(b, crcOf(b))
	if err := vfs.WriteFileAtomic(fsys, path, b); err != nil {
		return fmt.Errorf("write deletes %s: %w", path, err)
	}
	return nil
}

// ReadDeletes reads what WriteDeletes wrote.
func ReadDeletes(fsys vfs.FS, path string, id uint64, gen, rows int) (*roaring.Bitmap, error) {
	b, err := vfs.ReadFile(fsys, path)
	if err != nil {
		return nil, fmt.Errorf("read deletes %s: %w", path, err)
	}
	dead, err := parseDeletes(b, id, gen, rows)
	if err != nil {
		return nil, fmt.Errorf("read deletes %s: %w", path, err)
	}
	return dead, nil
}

func parseDeletes(b []byte, id uint64, gen, rows int) (*roaring.Bitmap, error) {
	if len(b) < deletesHeader+4 || [8]byte(b) != deletesMark || crcOf(b[:len(b)-4]) != le32(b, len(b)-4) {
		return nil, fmt.Errorf("%w: delete file", ErrDamaged)
	}
	if binary.LittleEndian.Uint64(b[8:]) != id || int(le32(b, 16)) != gen {
		return nil, fmt.Errorf("%w: delete file of another segment", ErrDamaged)
	}
	dead := roaring.New()
	if _, err := dead.ReadFrom(bytes.NewReader(b[deletesHeader : len(b)-4])); err != nil {
		return nil, fmt.Errorf("%w: delete file: %w", ErrDamaged, err)
	}
	if dead.GetCardinality() != uint64(le32(b, 20)) || !dead.IsEmpty() && int(dead.Maximum()) >= rows {
		return nil, fmt.Errorf("%w: delete file names rows that are not there", ErrDamaged)
	}
	return dead, nil
}
