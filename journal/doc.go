// Package journal is a durable log: append, sync, read, recover.
//
// A Journal is a folder of extents, files of record batches v2 one behind the other, with the names and formats of Kafka's log
// segments. Broker partitions keep outsiders' batches as they came; owners of payloads (the store's write-ahead log, the agent's
// registry, the broker's own records) wrap each in a batch of one record. The byte tables and a worked example, which a test compares
// with the code, are in docs/format/journal.md.
//
//	m, err := j.AppendPayload([]byte("alpha")) // written, not durable
//	err = j.Sync(m)                            // durable; concurrent callers share one fdatasync
//	span, err := j.Read(m.Base, 1<<20)         // whole batches below the durable end
//	span.Release()
//
// The few types: Journal; Mark, the end of an append, for Sync; Span, batches in memory with a reference to their Slab; Waiter, told
// when there is more to read; Pool, what the journals of a process share; Header, Builder and Iterator, the codec of batches; Hole, a
// range of offsets that cannot be read; DamageError, why a journal of payloads does not open.
//
// Invariants:
//   - What Sync returned nil for survives; what a reader gets is already durable.
//   - Offsets of one journal are given once. Bytes with a wrong CRC never leave.
//   - One file of a journal is dirty at a time: an extent is synced whole before the next one takes a batch.
//   - A file with unsynced bytes stays open until its sync: the kernel tells a failed write-back only to who has the file open.
//   - After a failed sync nothing of that file is acknowledged any more, until Reopen goes on in a new one, which voids what lies above
//     the durable end in the old.
//   - Space is reserved before a batch is written, so a full disk refuses an append whole and harms nothing.
//
// Locks: wmu serialises those who write files, mu guards what readers see; wmu is taken first, and no file is read, written or synced
// under mu. A method whose name ends in Locked says which one its caller holds when it is not mu.
package journal
