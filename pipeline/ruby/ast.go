package ruby

// node is an expression. eval returns its value; next, break and return inside of an expression unwind as panics, and stmt keeps the
// usual ones, which stand as statements, free of that.
type node interface {
	eval(f *frame) Value
}

// stmt is a node that control can leave.
type stmt interface {
	node
	exec(f *frame) (Value, ctl)
}

// ctl says how a statement was left.
type ctl uint8

const (
	ctlNone ctl = iota
	ctlNext
	ctlBreak
	ctlReturn
	ctlRetry
)

// target is a node that can be assigned to.
type target interface {
	node
	assign(f *frame, v Value)
}

type (
	litNode  struct{ v Value }  // immutable values
	strNode  struct{ s string } // a new string each time
	selfNode struct{}
	dstrNode struct { // "a#{b}"
		parts  []node
		symbol bool
	}
	dregexpNode struct {
		parts *dstrNode
		flags string
		pos   int
		last  string
		re    *Regexp
	}
	arrayNode struct{ elems []node }
	hashNode  struct{ pairs []pairNode }
	pairNode  struct{ k, v node } // k nil: **v
	rangeNode struct {
		lo, hi node
		excl   bool
	}
	splatNode struct{ x node }

	localNode struct {
		depth, index int
		name         string
	}
	ivarNode  struct{ name string }
	gvarNode  struct{ name string }
	constNode struct {
		name string
		pos  int
	}

	asgnNode struct {
		t target
		v node
	}
	opAsgnNode struct {
		t   target
		op  string
		v   node
		pos int
	}
	multiNode struct { // a, (b, *c) = v
		targets []target
		splat   int // index of the splat, -1
		v       node
	}

	// callNode calls a method. recv is nil for functions.
	callNode struct {
		recv  node
		name  string
		args  []node
		splat bool // some of args is a splat or a block argument's sibling
		block *blockNode
		pass  node // &x
		safe  bool // &.
		pos   int

		kind   kind // of the receiver that m was looked up for
		m      *method
		pooled []Value // room for arguments, between calls
	}
	// blockNode is the code of { }, do, -> and def.
	blockNode struct {
		params  []param
		body    node
		size    int // local variables
		simple  int // number of parameters when all are plain names, else -1
		lambda  bool
		inner   bool // holds blocks of its own, which may keep its variables
		hasStop bool // holds a break
		hasNext bool // holds a next
	}
	param struct {
		kind  paramKind
		index int
		name  string
		def   node
		sub   []param // of (a, b)
	}
	lambdaNode struct{ b *blockNode }
	yieldNode  struct {
		args []node
		pos  int
	}

	notNode     struct{ x node }
	andNode     struct{ l, r node }
	orNode      struct{ l, r node }
	definedNode struct{ x node }
	ifNode      struct{ cond, then, els node }
	caseNode    struct {
		x     node
		whens []whenNode
		els   node
		pos   int
	}
	whenNode struct {
		vals []node
		body node
	}
	whileNode struct {
		cond, body node
		neg        bool // until
		post       bool // the body comes first
	}
	forNode struct {
		t    target
		list node
		body node
		pos  int
	}
	seqNode   struct{ list []node }
	beginNode struct {
		body    node
		rescues []rescueNode
		els     node
		ensure  node
		pos     int
	}
	rescueNode struct {
		classes []node
		into    target
		body    node
	}
	jumpNode struct { // next, break, return, retry
		kind ctl
		v    node
	}
	defNode struct {
		name string
		b    *blockNode
	}
)

type paramKind uint8

const (
	paramPlain paramKind = iota
	paramSplat
	paramSub
	paramKey
	paramKeys // **rest
	paramBlock
)
