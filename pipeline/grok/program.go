package grok

// opcode names what an instruction does. Unless said otherwise an instruction continues with the next one and fails when it does
// not apply.
type opcode uint8

const (
	opByte         opcode = iota // the byte c
	opString                     // the bytes ext.str
	opClass                      // one byte of tab
	opClassWide                  // one character of ext.set; ASCII by tab
	opRun                        // as many bytes of tab as there are, at least min, and no giving back
	opRunTo                      // the same, when tab is all but c
	opRunToEither                // the same, when tab is all but c and c2
	opRunMax                     // the same, at most max
	opGreedy                     // as many bytes of tab as there are, min to max; gives back where tab2 holds
	opLazy                       // as few bytes of tab as there can be, min to max, ending where tab2 holds
	opRunWide                    // opRunMax of characters
	opGreedyWide                 // opGreedy of characters
	opRest                       // everything up to the end
	opRestBack                   // everything, back to the last ext.str that lets the rest match
	opSeek                       // ahead to the first ext.str that lets the rest match
	opSplit                      // x or y, in this order; tab and tab2 say by one byte which can apply
	opAlt                        // one of ext.alts, by one byte
	opJump                       // to x
	opSave                       // the place into caps[x], undone on the way back
	opSaveSure                   // the same without undo
	opClear                      // the slots ext.groups are not set
	opSaveByteSave               // caps[x], the byte c, caps[y]; continues 3 on
	opSaveByte                   // caps[x], the byte c; continues 2 on
	opByteSave                   // the byte c, caps[x]; continues 2 on
	opNamed                      // ext.known recognizes a stock pattern: to x, else the next instruction; saves slots min and min+1
	opAtomic                     // begins an atomic group
	opAtomicEnd                  // ends it: forgets its choices
	opLook                       // begins a look-around of x characters back; y is behind its end
	opLookEnd                    // ends it
	opPrev                       // the byte before is of tab (neg: is not, or is none)
	opNext                       // the byte after is of tab (neg: is not, or is none)
	opPlace                      // the assertion c
	opCount                      // counter x to zero
	opCountLoop                  // counter c: another round at x, or out to y; min and max
	opMark                       // register x to the place
	opMoved                      // to x when the place differs from register c, else out to y
	opBackref                    // the text of the last set group of ext.groups
	opIf                         // next when group c of ext.groups[0] is set, else x
	opKeep                       // the match starts here
	opFail
	opMatch
)

type byteTable [256]bool

// instr is one instruction. What few instructions need is in ext.
type instr struct {
	op    opcode
	neg   bool
	lazy  bool
	atEnd bool // what follows can accept at the end of the text
	c, c2 byte
	state int32 // index of this choice in the guard's visited set, -1 = not remembered
	loop  int32 // register of the enclosing loop whose rounds may take nothing, -1 = none; it takes two indices of state then
	x, y  int32
	min   int32
	max   int32
	tab   *byteTable
	tab2  *byteTable // nil = any byte
	ext   *extra
	_     [8]byte // to 64 bytes, a cache line and a shift
}

// startTable has bit i of a byte set when that byte can stand at offset i of a match.
type startTable [256]uint8

const noMax = 1 << 30 // max of an instruction without bound

const startBytes = 3 // offsets a startTable looks at

type extra struct {
	str    string
	set    charset
	alts   *dispatch
	known  recognizer
	groups []int
}

// dispatch lists, per next byte and for the end of the text, the alternatives that can apply.
type dispatch struct {
	list  [257]uint16
	lists [][]int32
}

// program is a compiled pattern.
type program struct {
	code     []instr
	slots    int // 2 per group
	counters int
	states   int         // choices the guard remembers
	unsure   []int32     // slots that an attempt may leave set although the match does not
	start    *startTable // bytes a match can start with; nil = any
	shortest int         // bytes of the shortest match, counted up to startBytes
	literal  string      // bytes every match contains
	prefix   string      // bytes every match starts with
	atText   bool        // matches start at the start of the text only
	atLine   bool        // ... or of a line only
	exact    bool        // no back references: the guard's visited set is valid
	settled  bool        // every choice is remembered, so that the guard alone bounds the work
}
