package queue

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestPartitionOfIsKafkas compares with franz-go's murmur2 partitioner, which follows the Java client.
func TestPartitionOfIsKafkas(t *testing.T) {
	t.Parallel()
	p := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	for _, key := range []string{"", "a", "ab", "abc", "abcd", "21", "foobar", "a-little-bit-long-string", "로그"} {
		if key == "" {
			continue // franz-go treats an empty key as none
		}
		want := p.Partition(&kgo.Record{Key: []byte(key)}, 12)
		if got := PartitionOf([]byte(key), 12); int(got) != want {
			t.Errorf("PartitionOf(%q, 12) = %d, want %d", key, got, want)
		}
	}
}
