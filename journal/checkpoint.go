package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/weirlog/weir/vfs"
)

// Layout of the checkpoint file: two slots, each a header and a JSON body.
const (
	checkpointName  = "checkpoint"
	slotSize        = 16 << 10
	slotHeader      = 24
	slotMagic       = "WJCP"
	slotVersion     = 1
	slotClean       = 1 // flag: the journal was closed, the bytes after the position are none
	stateMagic      = "WJST"
	stateHeader     = 24
	stateVersion    = 1
	keptStates      = 2
	maxHoles        = 64 // so that the body fits its slot
	maxEpochs       = 64
	checkpointEvery = 64 << 20 // bytes of appends after which CheckpointDue says so
)

// checkpointBody names durable bytes only.
type checkpointBody struct {
	Start    int64        `json:"start"`          // first offset kept
	Extent   int64        `json:"extent"`         // base of the extent that was active
	Position int64        `json:"position"`       // bytes of it that were durable and need no scan
	End      int64        `json:"end"`            // offset at that position
	State    int64        `json:"state"`          // offset of the owner's state, -1 when there is none
	Time     int64        `json:"time,omitempty"` // largest time in the active extent: a time index that ends below it is stale
	Epochs   []epochStart `json:"epochs,omitempty"`
	Holes    []Hole       `json:"holes,omitempty"`
}

// checkpointFile is what is known of the file with the two slots. Guarded by Journal.wmu.
type checkpointFile struct {
	there    bool
	sequence uint64
	clean    bool
	sick     bool // a sync of it failed: it is made anew next time
}

// ownerState is what the owner checkpointed last.
type ownerState struct {
	offset int64
	data   []byte
}

// State is the owner's last checkpointed state, to be completed by Replay from StateOffset. nil when there is none. It must not be
// changed.
func (j *Journal) State() []byte { j.mu.Lock(); defer j.mu.Unlock(); return j.state.data }

// StateOffset is the offset up to which State accounts for the records; Start when there is no state.
func (j *Journal) StateOffset() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state.data == nil {
		return j.start
	}
	return j.state.offset
}

// Checkpoint makes all appended durable and notes it, so that the next Open scans only what follows. state, when not nil, replaces
// the owner's state; it must account for exactly the records below End, so the owner appends nothing meanwhile (or uses
// CheckpointAt).
func (j *Journal) Checkpoint(state []byte) error { return j.CheckpointAt(-1, state) }

// CheckpointAt is Checkpoint for a state that accounts for the records below offset; -1 is the end.
func (j *Journal) CheckpointAt(offset int64, state []byte) error {
	j.wmu.Lock()
	defer j.wmu.Unlock()
	if err := j.checkpointStateLocked(offset, state); err != nil {
		return fmt.Errorf("checkpoint journal %s: %w", j.cfg.Dir, err)
	}
	return nil
}

func (j *Journal) checkpointStateLocked(offset int64, state []byte) error {
	if err := j.usable(); err != nil {
		return err
	}
	e := j.active()
	if offset < 0 {
		offset = e.end
	}
	if offset > e.end {
		return fmt.Errorf("%w: state at %d, end %d", ErrOutOfRange, offset, e.end)
	}
	if j.DurableEnd() < e.end {
		if err := j.syncActiveLocked(); err != nil {
			return err
		}
	}
	if state != nil {
		if err := j.writeState(offset, state); err != nil {
			return err
		}
	}
	j.saveIndex(e, true)
	return j.checkpointLocked(false)
}

// CheckpointDue tells that enough was appended since the last checkpoint to make the next start slow.
func (j *Journal) CheckpointDue() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.sinceCkpt >= checkpointEvery
}

func (j *Journal) writeState(offset int64, state []byte) error {
	b := make([]byte, stateHeader, stateHeader+len(state))
	copy(b, stateMagic)
	binary.BigEndian.PutUint16(b[4:], stateVersion)
	binary.BigEndian.PutUint64(b[8:], uint64(offset))
	binary.BigEndian.PutUint32(b[16:], uint32(len(state)))
	b = append(b, state...)
	binary.BigEndian.PutUint32(b[20:], slotCRC(b[:20], b[stateHeader:]))
	if err := vfs.WriteFileAtomic(j.cfg.FS, fileName(j.cfg.Dir, offset, stateSuffix), b); err != nil {
		return fmt.Errorf("write state: %w", err)
	}
	j.mu.Lock()
	j.state = ownerState{offset, slices.Clone(state)}
	if j.state.data == nil {
		j.state.data = []byte{}
	}
	j.mu.Unlock()
	return nil
}

func slotCRC(header, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(header, castagnoli), castagnoli, body)
}

// checkpointLocked writes the next slot. It holds wmu.
func (j *Journal) checkpointLocked(clean bool) error {
	body, err := json.Marshal(j.checkpointBody())
	if err != nil {
		return err
	}
	if len(body) > slotSize-slotHeader {
		return fmt.Errorf("checkpoint body of %d bytes is longer than its slot", len(body))
	}
	c := &j.ckpt
	slot := encodeSlot(c.sequence+1, clean, body)
	if err := j.writeSlot(c, slot); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	c.sequence++
	c.clean = clean
	j.mu.Lock()
	j.sinceCkpt = 0
	j.mu.Unlock()
	return j.dropOldStates()
}

func (j *Journal) checkpointBody() checkpointBody {
	j.mu.Lock()
	defer j.mu.Unlock()
	e := j.active()
	b := checkpointBody{Start: j.start, Extent: e.base, Position: e.synced, End: j.durable, State: -1, Epochs: j.epochs, Holes: j.holes}
	if e.index.any {
		b.Time = e.index.maxTime
	}
	if j.state.data != nil {
		b.State = j.state.offset
	}
	return b
}

func encodeSlot(sequence uint64, clean bool, body []byte) []byte {
	b := make([]byte, slotHeader, slotHeader+len(body))
	copy(b, slotMagic)
	binary.BigEndian.PutUint16(b[4:], slotVersion)
	if clean {
		binary.BigEndian.PutUint16(b[6:], slotClean)
	}
	binary.BigEndian.PutUint64(b[8:], sequence)
	binary.BigEndian.PutUint32(b[16:], uint32(len(body)))
	b = append(b, body...)
	binary.BigEndian.PutUint32(b[20:], slotCRC(b[:20], body))
	return b
}

// writeSlot puts a slot at its place. A checkpoint file that is missing or had a failed sync is replaced whole.
func (j *Journal) writeSlot(c *checkpointFile, slot []byte) error {
	at := int64(binary.BigEndian.Uint64(slot[8:])%2) * slotSize
	name := filepath.Join(j.cfg.Dir, checkpointName)
	if !c.there || c.sick {
		whole := make([]byte, 2*slotSize)
		copy(whole[at:], slot)
		if err := vfs.WriteFileAtomic(j.cfg.FS, name, whole); err != nil {
			return err
		}
		c.there, c.sick = true, false
		return nil
	}
	f, err := j.cfg.FS.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(slot, at)
	if err == nil {
		err = f.Sync()
	}
	c.sick = err != nil
	return errors.Join(err, f.Close())
}

// parseSlot reads a slot; the error says why it does not count.
func parseSlot(b []byte) (sequence uint64, clean bool, body checkpointBody, err error) {
	if len(b) < slotHeader || string(b[:4]) != slotMagic {
		return 0, false, body, errors.New("no checkpoint")
	}
	n := binary.BigEndian.Uint32(b[16:])
	if int64(n) > int64(len(b)-slotHeader) {
		return 0, false, body, errors.New("checkpoint is longer than its slot")
	}
	data := b[slotHeader : slotHeader+n]
	if binary.BigEndian.Uint32(b[20:]) != slotCRC(b[:20], data) {
		return 0, false, body, errors.New("checkpoint has a wrong CRC")
	}
	if v := binary.BigEndian.Uint16(b[4:]); v != slotVersion {
		return 0, false, body, fmt.Errorf("%w: checkpoint version %d, this program knows %d", ErrVersion, v, slotVersion)
	}
	if err := json.Unmarshal(data, &body); err != nil {
		return 0, false, body, fmt.Errorf("checkpoint body: %w", err)
	}
	return binary.BigEndian.Uint64(b[8:]), binary.BigEndian.Uint16(b[6:])&slotClean != 0, body, nil
}

// ErrVersion means that a newer program wrote the journal. Nothing was changed.
var ErrVersion = errors.New("format is newer than this program")

// loadCheckpoint gives the newest valid slot; found is false when there is none.
func (j *Journal) loadCheckpoint() (body checkpointBody, found bool, err error) {
	name := filepath.Join(j.cfg.Dir, checkpointName)
	b, err := vfs.ReadFile(j.cfg.FS, name)
	if errors.Is(err, fs.ErrNotExist) {
		return body, false, nil
	}
	if err != nil {
		return body, false, err
	}
	for at := 0; at < len(b) && at < 2*slotSize; at += slotSize {
		sequence, clean, got, err := parseSlot(b[at:min(len(b), at+slotSize)])
		if errors.Is(err, ErrVersion) {
			return body, false, err
		}
		if err != nil || found && sequence < j.ckpt.sequence {
			continue
		}
		body, found = got, true
		j.ckpt.sequence, j.ckpt.clean = sequence, clean
	}
	if !found {
		j.cfg.Log.Warn("no valid checkpoint: every extent is scanned", "dir", j.cfg.Dir)
		return body, false, nil
	}
	j.ckpt.there = true
	return body, true, nil
}

// leaveClean makes the first append after a clean start say that the journal is in use. It holds wmu.
func (j *Journal) leaveClean() error {
	if !j.ckpt.clean {
		return nil
	}
	return j.checkpointLocked(false)
}

// states lists the offsets of state files, ascending.
func (j *Journal) states() ([]int64, error) {
	entries, err := j.cfg.FS.ReadDir(j.cfg.Dir)
	if err != nil {
		return nil, err
	}
	var offsets []int64
	for _, e := range entries {
		if n, ok := parseName(e.Name(), stateSuffix); ok {
			offsets = append(offsets, n)
		}
	}
	slices.Sort(offsets)
	return offsets, nil
}

func (j *Journal) dropOldStates() error {
	j.mu.Lock()
	none := j.state.data == nil
	j.mu.Unlock()
	if none {
		return nil
	}
	offsets, err := j.states()
	if err != nil {
		return err
	}
	for len(offsets) > keptStates {
		if err := j.cfg.FS.Remove(fileName(j.cfg.Dir, offsets[0], stateSuffix)); err != nil {
			return err
		}
		offsets = offsets[1:]
	}
	return nil
}

// loadState takes the state that the checkpoint names; where that is damaged, or there is no checkpoint, the newest whole one. A newer
// one that no checkpoint names is what a failed checkpoint left. A state of our own payloads that cannot be completed from what is kept
// is damage.
func (j *Journal) loadState(body checkpointBody, found bool) error {
	named := found && body.State >= 0
	if found && !named {
		return nil
	}
	offsets, err := j.states()
	if err != nil {
		return err
	}
	slices.Reverse(offsets)
	if named {
		offsets = append([]int64{body.State}, offsets...)
	}
	for _, at := range offsets {
		if at > j.durable || j.cfg.Own && at < j.start {
			continue
		}
		data, err := j.readState(at)
		if errors.Is(err, errBadState) {
			j.cfg.Log.Warn("state file is lost or damaged, another one is used", "dir", j.cfg.Dir, "offset", at, "error", err)
			continue
		}
		if err != nil {
			return err
		}
		j.state = ownerState{at, data}
		return nil
	}
	if named && j.strict() {
		return &DamageError{File: fileName(j.cfg.Dir, body.State, stateSuffix), Want: body.State, Why: "the owner's state is lost"}
	}
	return nil
}

var errBadState = errors.New("no valid state")

func (j *Journal) readState(at int64) ([]byte, error) {
	b, err := vfs.ReadFile(j.cfg.FS, fileName(j.cfg.Dir, at, stateSuffix))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %w", errBadState, err)
	}
	if err != nil {
		return nil, err
	}
	return parseState(b, at)
}

func parseState(b []byte, offset int64) ([]byte, error) {
	if len(b) < stateHeader || string(b[:4]) != stateMagic {
		return nil, errBadState
	}
	data := b[stateHeader:]
	if int(binary.BigEndian.Uint32(b[16:])) != len(data) || binary.BigEndian.Uint32(b[20:]) != slotCRC(b[:20], data) {
		return nil, fmt.Errorf("%w: wrong length or CRC", errBadState)
	}
	if v := binary.BigEndian.Uint16(b[4:]); v != stateVersion {
		return nil, fmt.Errorf("%w: state version %d, this program knows %d", ErrVersion, v, stateVersion)
	}
	if int64(binary.BigEndian.Uint64(b[8:])) != offset {
		return nil, fmt.Errorf("%w: it is of another offset", errBadState)
	}
	return data, nil
}
