// Package config reads weir.yml and filebeat.yml into the Config structs of the parts. It is the only package that reads YAML.
//
// A file becomes a tree of Nodes that remember where they stand; dotted keys are nested maps ("a.b: 1" equals "a: {b: 1}"), and
// ${NAME}, ${NAME:default} and ${NAME:?message} are replaced. Then a binder asks for each key it knows, with its type. What nobody
// asked for is unknown. All mistakes of a file are collected and returned at once as Errors, each with file:line:column, the line
// with a caret, what was probably meant and how to mend it.
package config
