// Package journal is a durable log: append, sync, read, recover.
//
// A Journal is a folder of extents, files of record batches v2 one behind the other, with the names and formats of Kafka's log
// segments. Broker partitions keep outsiders' batches as they came; owners of payloads (the store's write-ahead log, the agent's
// registry, the broker's own records) wrap each in a batch of one record.
//
// Invariants:
//   - What Sync returned nil for survives; what a reader gets is already durable.
//   - Offsets of one journal are given once. Bytes with a wrong CRC never leave.
//   - One file of a journal is dirty at a time: an extent is synced whole before the next one takes a batch.
//   - After a failed sync nothing of that file is acknowledged any more, until Reopen goes on in a new one.
package journal
