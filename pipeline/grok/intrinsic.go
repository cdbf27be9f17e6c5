package grok

// recognizer returns the end of the first way a stock pattern matches at pos, or -1 when the text is not of the common form it
// knows; then the pattern itself is run.
type recognizer func(s string, pos int) int

type known struct {
	end  recognizer
	only bool // the pattern has no other way to match where this one succeeds
}

// recognizers is filled in as stock patterns prove to be worth it.
var recognizers = map[string]known{}
