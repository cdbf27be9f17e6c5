package grok

// Bounds of the engine. A pattern that exceeds one of the first group is refused when it is compiled; a match that exceeds one of
// the second ends with ErrTimeout.
const (
	maxPattern    = 64 << 10 // bytes of one pattern's text
	maxDepth      = 100      // nesting of %{NAME} references
	maxNest       = 200      // nesting of groups and classes
	maxNodes      = 200_000  // tree nodes after expansion
	maxProgram    = 60_000   // instructions of one program
	maxRepeat     = 100_000  // largest number in {n,m}, as in Oniguruma
	maxDefinition = 20_000   // definitions in one pattern file

	maxFrames    = 1 << 20     // backtrack frames, 16 bytes each
	maxMemo      = 16 << 20    // bytes of the guard's visited set
	maxSteps     = 10_000_000  // failures of one match
	guardFactor  = 8           // guard starts after guardFactor*len(line)+guardBase failures
	guardBase    = 2_000       //
	clockSteps   = 4_096       // failures between two looks at the clock
	idleFrames   = 4_096       // frames a Matcher keeps between matches
	idleMemo     = 1 << 20 / 8 // memo words a Matcher keeps between matches
	trustStreak  = 8           // matches in a row after which the literal is not looked for first
	unrollNodes  = 240         // {n,m} is unrolled up to this many nodes, else it counts
	emptyRounds  = 8           // a repeat with a larger bound ends at a round that takes nothing
	didYouMean   = 2           // edit distance of a suggestion
	maxExpectLen = 40          // bytes of an expectation in a miss report
)
