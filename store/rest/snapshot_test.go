package rest

import "testing"

func TestSnapshots(t *testing.T) {
	t.Parallel()
	srv := newServer(t)
	fill(t, srv, "a", 12)
	fill(t, srv, "b", 3)
	talk(t, srv, []turn{
		{"PUT", "/_snapshot/r", `{"type":"fs","settings":{"location":"r1"}}`, 200, []string{`acknowledged`}},
		{"GET", "/_snapshot/r", ``, 200, []string{`{"r":{"type":"fs","settings":{"location":"r1"}}}`}},
		{"PUT", "/_snapshot/x", `{"type":"fs","settings":{"location":"/etc/evil"}}`, 500, []string{`doesn't match any of the locations specified by path.repo`}},
		{"PUT", "/_snapshot/x", `{"type":"fs","settings":{"location":"../../evil"}}`, 500, []string{`path.repo`}},
		{"PUT", "/_snapshot/x", `{"type":"hdfs"}`, 500, []string{`repository type [hdfs] does not exist`}},
		{"PUT", "/_snapshot/x", `{"type":"s3","settings":{}}`, 500, []string{`No bucket defined for s3 repository`}},
		{"POST", "/_snapshot/r/_verify", ``, 200, []string{`"nodes":{`}},
		{"PUT", "/_snapshot/r/s1?wait_for_completion=true", `{"indices":"a,b","metadata":{"by":"me"}}`, 200, []string{`"snapshot":"s1"`, `"state":"SUCCESS"`, `"indices":["a","b"]`, `"shards":{"total":2,"failed":0,"successful":2}`, `"metadata":{"by":"me"}`}},
		{"PUT", "/_snapshot/r/s1?wait_for_completion=true", ``, 400, []string{`invalid_snapshot_name_exception`, `snapshot with the same name already exists`}},
		{"PUT", "/_snapshot/r/Bad", ``, 400, []string{`invalid_snapshot_name_exception`}},
		{"PUT", "/_snapshot/none/s1", ``, 404, []string{`repository_missing_exception`}},
		{"GET", "/_snapshot/r/s*", ``, 200, []string{`"snapshots":[{"snapshot":"s1"`, `"total":1`}},
		{"GET", "/_snapshot/r/none", ``, 404, []string{`snapshot_missing_exception`, `[r:none] is missing`}},
		{"GET", "/_snapshot/r/s1/_status", ``, 200, []string{`"stage":"DONE"`}},
		{"POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"indices":"a"}`, 500, []string{`because an open index with same name already exists`}},
		{"POST", "/_snapshot/r/s1/_restore?wait_for_completion=true", `{"indices":"a","rename_pattern":"(.+)","rename_replacement":"back-$1","index_settings":{"number_of_replicas":2}}`, 200, []string{`"indices":["back-a"]`}},
		{"GET", "/back-a/_count", ``, 200, []string{`"count":12`}},
		{"GET", "/back-a/_settings", ``, 200, []string{`"number_of_replicas":"2"`}},
		{"DELETE", "/a", ``, 200, nil},
		{"POST", "/_snapshot/r/s1/_restore", `{"indices":"a"}`, 200, []string{`"accepted":true`}},
		{"POST", "/_snapshot/r/s1/_restore", `{"nonsense":"a"}`, 400, nil},
		{"PUT", "/_snapshot/r/s1/_clone/s2", `{"indices":"b"}`, 200, nil},
		{"GET", "/_snapshot/r/_all", ``, 200, []string{`"snapshot":"s2"`, `"total":2`}},
		{"DELETE", "/_snapshot/r/s1", ``, 200, nil},
		{"DELETE", "/_snapshot/r/s1", ``, 404, nil},
		{"POST", "/_snapshot/r/_cleanup", ``, 200, []string{`"deleted_blobs":0`}},
		{"POST", "/_snapshot/r/s2/_restore?wait_for_completion=true", `{"rename_pattern":"b","rename_replacement":"c"}`, 200, []string{`"indices":["c"]`}},
		{"GET", "/c/_count", ``, 200, []string{`"count":3`}},
		{"DELETE", "/_snapshot/r", ``, 200, nil},
		{"GET", "/_snapshot/r", ``, 404, nil},
	})
}
