package acl

import "testing"

func TestDecide(t *testing.T) {
	t.Parallel()
	l := List{
		{Topic, "logs", Literal, "User:ann", Wild, Read, Allow},
		{Topic, "app-", Prefixed, "User:ann", Wild, Write, Allow},
		{Topic, "app-secret", Literal, "User:ann", Wild, All, Deny},
		{Topic, Wild, Literal, "User:bob", "10.0.0.1", All, Allow},
		{Topic, "open", Literal, Everybody, Wild, Read, Allow},
		{Topic, "logs", Literal, "User:eve", Wild, Describe, Deny},
		{Topic, "logs", Literal, "User:eve", Wild, Read, Allow},
		{Cluster, ClusterName, Literal, "User:ann", Wild, AlterConfigs, Allow},
	}
	tests := []struct {
		user, host string
		op, kind   int8
		name       string
		want       Verdict
	}{
		{"User:ann", "h", Read, Topic, "logs", Allowed},
		{"User:ann", "h", Describe, Topic, "logs", Allowed},
		{"User:ann", "h", Write, Topic, "logs", Denied},
		{"User:ann", "h", Write, Topic, "app-x", Allowed},
		{"User:ann", "h", Write, Topic, "app-secret", Denied},
		{"User:ann", "h", Write, Topic, "apq", Denied}, // bob's entry is about every topic
		{"User:ann", "h", Read, Group, "g", Unnamed},
		{"User:bob", "10.0.0.1", Delete, Topic, "anything", Allowed},
		{"User:bob", "10.0.0.2", Delete, Topic, "anything", Denied},
		{"User:new", "h", Read, Topic, "open", Allowed},
		{"User:new", "h", Write, Topic, "open", Denied},
		{"User:eve", "h", Describe, Topic, "logs", Denied},
		{"User:eve", "h", Read, Topic, "logs", Allowed},
		{"User:ann", "h", DescribeConfigs, Cluster, ClusterName, Allowed},
		{"User:ann", "h", Describe, Cluster, ClusterName, Denied},
	}
	for _, test := range tests {
		if got := l.Decide(test.user, test.host, test.op, test.kind, test.name); got != test.want {
			t.Errorf("%s at %s, operation %d on %d %s: %d, want %d", test.user, test.host, test.op, test.kind, test.name, got, test.want)
		}
	}
}

func TestSomewhere(t *testing.T) {
	t.Parallel()
	l := List{
		{Topic, "a", Literal, "User:ann", Wild, Write, Allow},
		{Topic, "b-", Prefixed, "User:bob", Wild, Write, Allow},
		{Topic, "b", Prefixed, "User:bob", Wild, Write, Deny},
	}
	for user, want := range map[string]bool{"User:ann": true, "User:bob": false, "User:eve": false} {
		if got := l.Somewhere(user, "h", Write, Topic); got != want {
			t.Errorf("%s: %v", user, got)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	name, ann := "app-1", "User:ann"
	entries := []Entry{
		{Topic, "app-1", Literal, "User:ann", Wild, Read, Allow},
		{Topic, "app-", Prefixed, "User:bob", Wild, Read, Allow},
		{Topic, Wild, Literal, "User:ann", Wild, Read, Deny},
		{Group, "app-1", Literal, "User:ann", Wild, Read, Allow},
	}
	tests := []struct {
		f    Filter
		want []bool
	}{
		{Filter{Kind: AnyKind, Pattern: AnyPattern, Operation: AnyOperation, Permission: AnyPermission}, []bool{true, true, true, true}},
		{Filter{Kind: Topic, Name: &name, Pattern: Match, Operation: AnyOperation, Permission: AnyPermission}, []bool{true, true, true, false}},
		{Filter{Kind: Topic, Name: &name, Pattern: Literal, Operation: AnyOperation, Permission: AnyPermission}, []bool{true, false, false, false}},
		{Filter{Kind: AnyKind, Pattern: AnyPattern, Principal: &ann, Operation: Read, Permission: Allow}, []bool{true, false, false, true}},
	}
	for i, test := range tests {
		for k := range entries {
			if got := test.f.Matches(&entries[k]); got != test.want[k] {
				t.Errorf("filter %d, entry %d: %v", i, k, got)
			}
		}
	}
}
