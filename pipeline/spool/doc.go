// Package spool keeps what push inputs were sent until the pipeline has settled it: a journal for each input.
//
// A sender is answered after Put, when its records are on disk; many senders share one sync. Run reads the journal as a partition
// is read: every record has an offset, a range of the spool's own source, and comes again after a crash until Commit was told that
// it is settled.
//
//	s, err := spool.Open(cfg)
//	go s.Run(ctx, from, emit)      // one reader
//	err = s.Put(ctx, recs)         // any goroutine; nil: durable, answer the sender
//	s.Commit(offset)               // everything below is settled: room for more
//
// Of a record its key, value, headers and time (whole milliseconds) are kept. Files: `id`, the spool's 16 bytes as hexadecimal
// digits, and `log/`, the journal. Invariants: what Put returned nil for is read until it is settled; the journal is at most MaxBytes
// and one extent long, Put blocks at that.
package spool
