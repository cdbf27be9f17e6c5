package ingest

import (
	"regexp"
)

// regexp compiles with Filters.Regexp, or with the standard library where nobody gave one.
func (s *Service) regexp(expr string) (Regexp, error) {
	if s.filters.Regexp != nil {
		return s.filters.Regexp(expr)
	}
	re, err := regexp.Compile(expr)
	if err != nil {
		return nil, err
	}
	return goRegexp{re}, nil
}

type goRegexp struct{ re *regexp.Regexp }

// groupRef is $1 as Java writes it, which would take in the letters behind it in Go.
var groupRef = regexp.MustCompile(`\$(\d+)`)

func (g goRegexp) ReplaceAll(s, template string) (string, error) {
	return g.re.ReplaceAllString(s, groupRef.ReplaceAllString(template, `$${$1}`)), nil
}

func (g goRegexp) Split(s string) ([]string, error) { return g.re.Split(s, -1), nil }
