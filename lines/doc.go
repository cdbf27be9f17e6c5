// Package lines turns bytes into lines and lines into messages. It knows no files.
//
// The steps, in order: a Terminator finds where lines end, a Decoder makes UTF-8 of a line's bytes, and a Joiner runs the parsers of
// an input over the lines: container formats, multiline, ndjson, line filters. Splitting comes before decoding: no character of the
// multi-byte encodings holds a line feed as one of its bytes, and in the two-byte encodings only aligned matches count.
//
// What comes out does not depend on how the input was cut into reads: a line is complete or it is not there yet. A Message says which
// bytes it is made of; together the spans of messages, of merged parts and of dropped lines are all bytes that went in, each once.
package lines
