package agent

import "time"

// timing holds the pauses that are no settings: they have a good value for everybody, and tests shorten them.
type timing struct {
	serve      time.Duration // a file with little new is served at most this often
	drain      time.Duration // the kernel's events are fetched at most this often
	copyWait   time.Duration // how long a truncated file waits for a copy of what it held
	succession time.Duration // a successor waits this long for its predecessor's end
	quiet      time.Duration // a replaced file without new bytes for this long is finished
	gone       time.Duration // a removed file is read until nothing came for this long
	tick       time.Duration // the keeper's clock
	hold       time.Duration // a removed file that cannot be shipped is held this long
	reread     time.Duration // pause before a file that failed to open or read is tried again
	kill       bool          // stop as a killed process does: nothing more is sent or written
}

func defaultTiming() timing {
	return timing{
		serve:      5 * time.Millisecond,
		drain:      2 * time.Millisecond,
		copyWait:   5 * time.Second,
		succession: 5 * time.Second,
		quiet:      30 * time.Second,
		gone:       2 * time.Second,
		tick:       100 * time.Millisecond,
		hold:       24 * time.Hour,
		reread:     time.Second,
	}
}

// Fixed bounds.
const (
	minMemory    = 4 << 20   // bytes: one lane with two small batches
	slabBytes    = 256 << 10 // one read
	turnBytes    = 1 << 20   // a file's share before the next one of its lane has its turn
	batchRecords = 16 << 10  // records of one Produce
	batchBytes   = 4 << 20   // rendered bytes of one Produce
	headBytes    = 1024      // of a file's beginning, as identity
	tailBytes    = 64        // before a position, as proof
	maxLanes     = 4
	maxOpenFiles = 4096     // descriptors, and at most 60 % of the limit of the process
	idleOpen     = 512      // descriptors of files that are read to their end
	globDepth    = 8        // levels that ** stands for
	maxMessage   = 64 << 20 // bytes kept of one message, whatever the setting
)
