package broker

import (
	"math"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/weirlog/weir/broker/acl"
)

func handleDescribeLogDirs(c *conn, kreq kmsg.Request) answer {
	req := kreq.(*kmsg.DescribeLogDirsRequest)
	resp := req.ResponseKind().(*kmsg.DescribeLogDirsResponse)
	if !c.mayCluster(acl.Describe) {
		resp.ErrorCode, resp.Dirs = errClusterDenied, []kmsg.DescribeLogDirsResponseDir{}
		return ready(resp)
	}
	dir := kmsg.NewDescribeLogDirsResponseDir()
	dir.Dir, dir.Topics = c.b.cfg.Dir, []kmsg.DescribeLogDirsResponseDirTopic{}
	if free, total, err := c.b.cfg.FS.Free(c.b.cfg.Dir); err == nil {
		dir.TotalBytes, dir.UsableBytes = int64(min(total, math.MaxInt64)), int64(min(free, math.MaxInt64))
	}
	asked := map[string]map[int32]bool{}
	for _, rt := range req.Topics {
		asked[rt.Topic] = map[int32]bool{}
		for _, n := range rt.Partitions {
			asked[rt.Topic][n] = true
		}
	}
	for _, t := range c.b.topics.all() {
		if req.Topics != nil && asked[t.name] == nil {
			continue
		}
		out := kmsg.NewDescribeLogDirsResponseDirTopic()
		out.Topic, out.Partitions = t.name, []kmsg.DescribeLogDirsResponseDirTopicPartition{}
		for _, p := range t.partitions() {
			if req.Topics != nil && !asked[t.name][p.n] || p.offline != nil {
				continue
			}
			op := kmsg.NewDescribeLogDirsResponseDirTopicPartition()
			op.Partition, op.Size = p.n, p.j.Size()
			out.Partitions = append(out.Partitions, op)
		}
		dir.Topics = append(dir.Topics, out)
	}
	resp.Dirs = []kmsg.DescribeLogDirsResponseDir{dir}
	return ready(resp)
}
