// Package conf is the language of Logstash's configuration files: text to a tree with positions, the tree back to text, and
// errors that name file, line and column, all of a file at once.
//
// The tree keeps comments and quotes, so that printing it loses nothing. What the words mean (which plugins and options exist) is
// not known here.
package conf

// Pos is a place in a file; line and column count from 1, the column in characters.
type Pos struct {
	File      string
	Line, Col int
}

// File is a parsed configuration file, or several joined.
type File struct {
	Sections []*Section
	Tail     []string // comments behind the last section
}

// Section is input, filter or output.
type Section struct {
	Pos  Pos
	Kind string
	Body []Stmt
	Lead []string // comments before it, each a line that begins with #
	End  []string // comments before its closing brace
}

// Stmt is a *Plugin or an *If.
type Stmt interface{ stmt() }

// Plugin is name { attributes }, as a statement or as the value of a codec option.
type Plugin struct {
	Pos   Pos
	Name  string
	Quote byte // of a name in quotes, else 0
	Attrs []*Attr
	Lead  []string
	Trail string // comment behind it on its last line
	End   []string
}

// Attr is name => value.
type Attr struct {
	Pos   Pos
	Name  string
	Quote byte
	Value Value
	Lead  []string
	Trail string
}

// If is a chain of conditions. The Cond of a final else is nil.
type If struct {
	Pos      Pos
	Branches []*Branch
	Lead     []string
	Trail    string
}

// Branch is one arm of an If.
type Branch struct {
	Pos  Pos
	Cond Expr
	Body []Stmt
	Lead []string
	End  []string
}

func (*Plugin) stmt() {}
func (*If) stmt()     {}

// Value is the value of an attribute: *String, *Number, *Bareword, *Array, *Hash or *Plugin. In conditions also *Selector and
// *Regexp.
type Value interface{ At() Pos }

type (
	// String is quoted text, as written between the quotes: \" keeps its backslash.
	String struct {
		Pos   Pos
		Text  string
		Quote byte
	}
	// Number is digits with an optional sign and fraction.
	Number struct {
		Pos  Pos
		Text string
	}
	// Bareword is a word without quotes.
	Bareword struct {
		Pos  Pos
		Text string
	}
	// Array is [ a, b ].
	Array struct {
		Pos   Pos
		Items []Item
		End   []string
	}
	// Hash is { k => v k => v }.
	Hash struct {
		Pos   Pos
		Items []Item
		End   []string
	}
	// Selector is [a][b].
	Selector struct {
		Pos  Pos
		Text string
	}
	// Regexp is /.../, without the slashes.
	Regexp struct {
		Pos  Pos
		Text string
	}
)

// Item is an element of an Array (Key nil) or a pair of a Hash.
type Item struct {
	Key   Value
	Value Value
	Lead  []string
	Trail string
}

func (v *Plugin) At() Pos   { return v.Pos }
func (v *String) At() Pos   { return v.Pos }
func (v *Number) At() Pos   { return v.Pos }
func (v *Bareword) At() Pos { return v.Pos }
func (v *Array) At() Pos    { return v.Pos }
func (v *Hash) At() Pos     { return v.Pos }
func (v *Selector) At() Pos { return v.Pos }
func (v *Regexp) At() Pos   { return v.Pos }

// Expr is a condition: *Logic, *Not, *Paren, *Compare or *Truth.
type Expr interface{ At() Pos }

type (
	// Logic is L Op R with and, or, xor, nand.
	Logic struct {
		Pos  Pos
		Op   string
		L, R Expr
	}
	// Not is ! before a parenthesis or a selector.
	Not struct {
		Pos Pos
		X   Expr
	}
	// Paren is ( X ).
	Paren struct {
		Pos Pos
		X   Expr
	}
	// Compare is L Op R with == != < <= > >= =~ !~ in, not in.
	Compare struct {
		Pos  Pos
		Op   string
		L, R Value
	}
	// Truth is a value by itself.
	Truth struct{ X Value }
)

func (x *Logic) At() Pos   { return x.Pos }
func (x *Not) At() Pos     { return x.Pos }
func (x *Paren) At() Pos   { return x.Pos }
func (x *Compare) At() Pos { return x.Pos }
func (x *Truth) At() Pos   { return x.X.At() }

// Plugins calls f for every plugin of the section, in order, conditions included; codecs are not visited.
func (s *Section) Plugins(f func(*Plugin)) { walk(s.Body, f) }

func walk(body []Stmt, f func(*Plugin)) {
	for _, st := range body {
		switch st := st.(type) {
		case *Plugin:
			f(st)
		case *If:
			for _, b := range st.Branches {
				walk(b.Body, f)
			}
		}
	}
}
