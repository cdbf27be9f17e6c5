// Package jvm fetches and runs servers that are made of jars, for the tests that want the real one: Maven copies the jars that a
// pom.xml names into a directory, Java runs them on loopback, a command runs against them.
package jvm

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// UnavailableError says what this machine lacks to have the server.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return e.Why }

// Fetch fills dir with the jars of pom unless they are there, and returns the version of the server's own jar, which pattern names as
// <name>-<version>.jar, the name without a hyphen. tools are the programs wanted in the PATH beside mvn.
func Fetch(ctx context.Context, pom, dir, pattern string, tools ...string) (version string, err error) {
	for _, tool := range tools {
		if _, err := exec.LookPath(tool); err != nil {
			return "", &UnavailableError{"no " + tool + " in the PATH, want version 17 or later"}
		}
	}
	if version, err = jarVersion(dir, pattern); version != "" || err != nil {
		return version, err
	}
	if _, err := exec.LookPath("mvn"); err != nil {
		return "", &UnavailableError{"no mvn in the PATH, and no jars in " + dir}
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	// Copied beside dir and renamed, so that a copy that was cut short is never taken for all of it.
	part := abs + ".part"
	if err := os.RemoveAll(part); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies",
		"-DincludeScope=runtime", "-DoutputDirectory="+part).CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err != nil {
		return "", &UnavailableError{"mvn: " + err.Error() + ": " + firstError(string(out))}
	}
	if version, err = jarVersion(part, pattern); err != nil {
		return "", err
	}
	if version == "" {
		return "", fmt.Errorf("%s names no %s", pom, pattern)
	}
	return version, os.Rename(part, abs) // refuses when dir holds anything else
}

// jarVersion reads the version off the name of a jar; empty when there is none.
func jarVersion(dir, pattern string) (string, error) {
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		return "", err
	}
	_, version, _ := strings.Cut(strings.TrimSuffix(filepath.Base(found[0]), ".jar"), "-")
	return version, nil
}

// firstError is the first line in which Maven names an error.
func firstError(out string) string {
	for line := range strings.Lines(out) {
		if _, msg, ok := strings.Cut(line, "[ERROR] "); ok {
			return strings.TrimSpace(msg)
		}
	}
	return strings.TrimSpace(out)
}
