package ledger

// Fate is what became of a range.
type Fate uint8

const (
	Indexed Fate = 1 + iota // every document made of it is durable in the store
	Dropped                 // a rule of the configuration dropped it (drop filter, drop_event, no output)
	Merged                  // its bytes went into another record by rule
	Dead                    // it is in the dead-letter topic
	Lost                    // retention, a hole or an unreadable page took it
)

// String is the word used in the UI, in metrics and in `weir ledger`.
func (f Fate) String() string {
	switch f {
	case Indexed:
		return "indexed"
	case Dropped:
		return "dropped"
	case Merged:
		return "merged"
	case Dead:
		return "dead"
	case Lost:
		return "lost"
	}
	return "unknown"
}
