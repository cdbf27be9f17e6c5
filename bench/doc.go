// Package bench holds the programs and records of measurements: each folder is a driver with its own main, README.md has the figures
// with commands and machine. Nothing here runs in continuous integration.
package bench
