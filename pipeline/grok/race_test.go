//go:build race

package grok

// The race detector makes matching about twenty times slower; the rounds of random tests are cut by testShare.
const (
	raceEnabled = true
	testShare   = 10
)
