// Package processor runs the processors of filebeat.yml over events: conditions, format strings and the steps, each by the name users
// give it. processors is their table.
package processor
