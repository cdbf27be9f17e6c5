// Package lumberjack is the protocol Beats and Logstash ship events by, versions 1 and 2: a Reader and a Server for one connection, and
// a Client.
//
// All numbers are big endian. A frame is its version, '1' or '2', a type, and:
//
//	W  window           u32 events that follow before an answer is due
//	J  event (v2)       u32 sequence, u32 length, JSON object
//	D  event (v1)       u32 sequence, u32 pairs, pairs x (u32 length, key, u32 length, value)
//	C  compressed       u32 length, zlib stream of frames W, J and D
//	A  acknowledgement  u32 sequence; the only frame a server sends
//
// A window of two events, answered (hexadecimal):
//
//	-> 32 57 00000002   32 4A 00000001 00000002 7B7D   32 4A 00000002 00000002 7B7D
//	<- 32 41 00000002
//
// Sequences begin at 1 in each window (version 1 clients count on; the server echoes what it was sent). An acknowledgement of n
// covers the events up to n and says that they are kept; one of less than the window is progress, one of 0 says "still at it".
//
// Invariants: what a peer sends is bounded before memory is spent on it; past 1 MiB an event's memory grows with bytes received, not announced.
// A window too large to be held is handed over, and acknowledged, in parts. What was not acknowledged will be sent again by the peer,
// so a connection may be dropped at any time.
package lumberjack

const (
	frameWindow     = 'W'
	frameJSON       = 'J'
	frameData       = 'D'
	frameCompressed = 'C'
	frameAck        = 'A'

	version1 = '1'
	version2 = '2'
)
