package journal

// LeaderEpoch is what batches appended now carry.
func (j *Journal) LeaderEpoch() int32 { return j.cfg.LeaderEpoch }

// EpochEnd gives the largest known leader epoch at or below epoch and the offset where the next one began, the durable end when it is
// the newest; -1, -1 when there is none.
func (j *Journal) EpochEnd(epoch int32) (int32, int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	starts := j.epochs
	if len(starts) == 0 || starts[0].Start > j.extents[0].base {
		starts = append([]epochStart{{0, j.start}}, starts...)
	}
	for i := len(starts) - 1; i >= 0; i-- {
		if starts[i].Epoch > epoch {
			continue
		}
		if i+1 < len(starts) {
			return starts[i].Epoch, starts[i+1].Start
		}
		return starts[i].Epoch, j.durable
	}
	return -1, -1
}
