// Package agent finds log files, reads every byte of them once, joins lines to messages and hands them to the queue as records.
//
// The words:
//
//	source   one incarnation of one file: what is read from byte 0 on; it has a 128-bit id (ledger.Source)
//	chain    the sources that followed one another under one path; its id is that of its first source and the records' key
//	place    (device, inode, birth time) of a file
//	head     its first min(size, 1024) bytes
//	tail     the at most 64 bytes before a position
//	lane     one reading and one sending goroutine; all sources of a chain are in the same lane, so nothing of a file overtakes
//
// The way of a line:
//
//	keeper   sees the file (inotify or a scan), finds its source by place, head and tail, or opens a new one in the registry
//	reader   reads from the position on, proves that the bytes before are still those it knows, splits, joins, filters, renders
//	sender   queue.Produce; when that returned, the sources' positions move
//	registry writes moved positions to its journal, at most once per RegistryFlush and when the agent stops
//
// Invariants: a position moves only after Produce returned; the registry is late, never early; a source is in the synced registry
// before its first record is produced; the ranges of a source's records touch, but for bytes dropped by a rule, which the account of
// the source counts; every buffer, queue and descriptor is bounded.
package agent
