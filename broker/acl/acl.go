// Package acl says who may do what: Kafka's access control lists and how they are matched. Numbers are those of the protocol.
package acl

import (
	"slices"
	"strings"
)

// Kinds of resources.
const (
	AnyKind         int8 = 1
	Topic           int8 = 2
	Group           int8 = 3
	Cluster         int8 = 4
	TransactionalID int8 = 5
)

// ClusterName is the name of the only resource of kind Cluster.
const ClusterName = "kafka-cluster"

// How names are compared. AnyPattern and Match are of filters.
const (
	AnyPattern int8 = 1
	Match      int8 = 2
	Literal    int8 = 3
	Prefixed   int8 = 4
)

// Operations.
const (
	AnyOperation    int8 = 1
	All             int8 = 2
	Read            int8 = 3
	Write           int8 = 4
	Create          int8 = 5
	Delete          int8 = 6
	Alter           int8 = 7
	Describe        int8 = 8
	ClusterAction   int8 = 9
	DescribeConfigs int8 = 10
	AlterConfigs    int8 = 11
	IdempotentWrite int8 = 12
)

// Permissions.
const (
	AnyPermission int8 = 1
	Deny          int8 = 2
	Allow         int8 = 3
)

// Wild stands for every name in a literal pattern, for every host, and behind "User:" for every user.
const Wild = "*"

// Everybody is the principal of a list that is for all.
const Everybody = "User:*"

// Entry is one access control list.
type Entry struct {
	Kind       int8   `json:"kind"`
	Name       string `json:"name"`
	Pattern    int8   `json:"pattern"`
	Principal  string `json:"principal"`
	Host       string `json:"host"`
	Operation  int8   `json:"operation"`
	Permission int8   `json:"permission"`
}

// Valid says what is wrong with an entry; empty when nothing is.
func (e *Entry) Valid() string {
	switch {
	case e.Kind < Topic || e.Kind > TransactionalID:
		return "resource type is not topic, group, cluster or transactional id"
	case e.Name == "":
		return "resource has no name"
	case e.Kind == Cluster && e.Name != ClusterName:
		return "the cluster's name is " + ClusterName
	case e.Pattern != Literal && e.Pattern != Prefixed:
		return "pattern is not literal or prefixed"
	case !strings.HasPrefix(e.Principal, "User:"):
		return "principal does not begin with User:"
	case e.Host == "":
		return "host is empty"
	case !slices.Contains(Operations(e.Kind), e.Operation) && e.Operation != All:
		return "resources of this type have no such operation"
	case e.Permission != Allow && e.Permission != Deny:
		return "permission is not allow or deny"
	}
	return ""
}

// Operations are what can be done to a kind of resource.
func Operations(kind int8) []int8 {
	switch kind {
	case Topic:
		return []int8{Read, Write, Create, Delete, Alter, Describe, DescribeConfigs, AlterConfigs}
	case Group:
		return []int8{Read, Delete, Describe}
	case Cluster:
		return []int8{Create, Alter, Describe, ClusterAction, DescribeConfigs, AlterConfigs, IdempotentWrite}
	case TransactionalID:
		return []int8{Write, Describe}
	}
	return nil
}

// Filter chooses entries; a nil string is any.
type Filter struct {
	Kind       int8
	Name       *string
	Pattern    int8
	Principal  *string
	Host       *string
	Operation  int8
	Permission int8
}

// Matches reports whether the filter chooses e. Pattern Match chooses all that would count for a resource of the name.
func (f *Filter) Matches(e *Entry) bool {
	return (f.Kind == AnyKind || f.Kind == e.Kind) && f.matchesName(e) &&
		(f.Principal == nil || *f.Principal == e.Principal) && (f.Host == nil || *f.Host == e.Host) &&
		(f.Operation == AnyOperation || f.Operation == e.Operation) && (f.Permission == AnyPermission || f.Permission == e.Permission)
}

func (f *Filter) matchesName(e *Entry) bool {
	if f.Pattern == Match {
		return f.Name == nil || e.covers(*f.Name)
	}
	return (f.Pattern == AnyPattern || f.Pattern == e.Pattern) && (f.Name == nil || *f.Name == e.Name)
}

// covers reports whether the entry is about a resource of the name.
func (e *Entry) covers(name string) bool {
	if e.Pattern == Prefixed {
		return strings.HasPrefix(name, e.Name)
	}
	return e.Name == name || e.Name == Wild
}

// isFor reports whether the entry is about a user on a host.
func (e *Entry) isFor(principal, host string) bool {
	return (e.Principal == principal || e.Principal == Everybody) && (e.Host == host || e.Host == Wild)
}

// List is access control lists. It is not changed, only replaced.
type List []Entry

// Verdict is what a list says.
type Verdict int

// Verdicts.
const (
	Unnamed Verdict = iota // no entry is about the resource
	Denied
	Allowed
)

// Decide says what a user on a host may do to a resource. A denial beats every permission; read, write, delete and alter bring describe
// with them, and altering settings describing them.
func (l List) Decide(principal, host string, op, kind int8, name string) Verdict {
	verdict := Unnamed
	for i := range l {
		e := &l[i]
		if e.Kind != kind || !e.covers(name) {
			continue
		}
		if verdict == Unnamed {
			verdict = Denied
		}
		if !e.isFor(principal, host) {
			continue
		}
		if e.Permission == Deny && (e.Operation == op || e.Operation == All) {
			return Denied
		}
		if e.Permission == Allow && brings(e.Operation, op) {
			verdict = Allowed
		}
	}
	return verdict
}

// brings reports whether the permission for one operation is one for another, too.
func brings(has, op int8) bool {
	switch {
	case has == op, has == All:
		return true
	case op == Describe:
		return has == Read || has == Write || has == Delete || has == Alter
	case op == DescribeConfigs:
		return has == AlterConfigs
	}
	return false
}

// Somewhere reports whether a user may do something to any resource of a kind at all: an allowing entry that no denial of the same or a
// shorter name takes back.
func (l List) Somewhere(principal, host string, op, kind int8) bool {
	for i := range l {
		e := &l[i]
		if e.Kind != kind || e.Permission != Allow || !e.isFor(principal, host) || !brings(e.Operation, op) {
			continue
		}
		if !slices.ContainsFunc(l, func(d Entry) bool {
			return d.Kind == kind && d.Permission == Deny && d.isFor(principal, host) && (d.Operation == op || d.Operation == All) && d.hides(e)
		}) {
			return true
		}
	}
	return false
}

// hides reports whether a denial is about everything that e is about.
func (e *Entry) hides(of *Entry) bool {
	if e.Pattern == Literal {
		return e.Name == Wild || of.Pattern == Literal && e.Name == of.Name
	}
	return strings.HasPrefix(of.Name, e.Name)
}
