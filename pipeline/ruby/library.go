package ruby

import (
	"maps"
	"slices"
	"strings"
)

// method is a builtin. max is -1 for any number of arguments. The arguments are the caller's: what keeps them copies them.
type method struct {
	min, max int
	fn       func(vm *VM, self Value, a []Value, blk *Proc) Value
}

type methods map[string]*method

// union is one table of several; what stands twice is the last one's.
func union(tables ...methods) methods {
	m := methods{}
	for _, t := range tables {
		maps.Copy(m, t)
	}
	return m
}

// library is everything there is to call. It is made once a program, so that the tables may name functions that use them.
type library struct {
	tables    [kinds]methods
	any       methods
	functions methods
	static    map[string]methods // of classes and modules
	consts    map[string]Value
	names     map[string]bool // every method of a value
}

var selfObj = &Obj{name: "Object"}

// modules are the constants that have no instances.
var modules = []string{"Math", "JSON", "Base64", "SecureRandom", "CGI", "URI", "ENV", "Socket", "Digest", "LogStash", "LogStash::Json", "Kernel", "Comparable",
	"Enumerable", "Process", "ERB::Util", "OpenSSL", "OpenSSL::Digest"}

func newLibrary() *library {
	lib := &library{any: anyMethods(), functions: functions(), static: staticMethods(), consts: map[string]Value{}, names: map[string]bool{}}
	lib.tables = [kinds]methods{kNil: nilMethods(), kBool: boolMethods(), kInt: intMethods(), kFloat: floatMethods(), kString: stringMethods(), kSymbol: symbolMethods(),
		kArray: arrayMethods(), kHash: hashMethods(), kRange: rangeMethods(), kRegexp: regexpMethods(), kMatch: matchMethods(), kProc: procMethods(), kTime: timeMethods(),
		kEvent: eventMethods(), kExc: excMethods(), kNet: netMethods(), kObj: objMethods(), kClass: {}}
	for _, t := range append(lib.tables[:], lib.any) {
		for name := range t {
			lib.names[name] = true
		}
	}
	for _, n := range []string{"NilClass", "TrueClass", "FalseClass", "Integer", "Float", "Numeric", "String", "Symbol", "Array", "Hash", "Range", "Regexp", "MatchData",
		"Proc", "Time", "Date", "DateTime", "Object", "LogStash::Event", "LogStash::Timestamp", "IPAddr", "Class", "Module", "BasicObject", "BigDecimal", "Fixnum",
		"Digest::MD5", "Digest::SHA1", "Digest::SHA256", "Digest::SHA384", "Digest::SHA512", "OpenSSL::HMAC", "Set"} {
		lib.consts[n] = &Class{n}
	}
	for _, n := range modules {
		lib.consts[n] = &Class{n}
	}
	for n := range parents {
		lib.consts[n] = &Class{n}
		lib.static[n] = excStatic(n)
	}
	for name, v := range constants() {
		lib.consts[name] = v
	}
	delete(lib.consts, "Set")
	return lib
}

// about lists what can be called on a kind of value, for messages.
func (lib *library) about(t methods) string {
	var names []string
	for n := range t {
		if isIdent(n[0]) {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func excStatic(class string) methods {
	fn := func(_ *VM, _ Value, a []Value, _ *Proc) Value {
		msg := class
		if len(a) > 0 {
			if s, ok := a[0].(*Str); ok {
				msg = s.s
			}
		}
		return &Exc{class: class, msg: msg}
	}
	return methods{"new": {0, 1, fn}, "exception": {0, 1, fn}}
}
