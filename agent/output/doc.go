// Package output holds the agent's outputs that are no queue: each takes records as a queue does, with Produce, and returns when they
// are where they belong.
package output
