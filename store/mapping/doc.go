// Package mapping says what the fields of an index are and turns a JSON document into typed values of those fields.
//
// A Mapping is a tree of objects with fields as leaves; it is immutable, and a change (Merge, Extend) makes a new one in which every
// field keeps its number. A Scanner reads documents under one Mapping: it yields the values of each field, the shape of the document
// (key order, nesting, spelling), and the pieces that no field can hold, so that the document can be printed again. A DateFormat reads
// and prints dates by java.time patterns and Elasticsearch's names.
//
// How values are encoded, everywhere a value of a field is stored or compared:
//
//	long integer short byte   the number
//	unsigned_long             the number with its top bit flipped, so that int64 order is its order
//	double scaled_float       query.SortableFloat of the value (scaled_float: rounded to 1/scaling_factor)
//	float half_float          the same of the value rounded to 32 (16) bits
//	boolean                   0 or 1
//	date                      epoch milliseconds
//	date_nanos                epoch nanoseconds
//	keyword ...               the bytes, after the normalizer
//	ip                        16 bytes, IPv4 mapped into IPv6
//	version                   VersionKey: sort key, a zero byte, the text
//	flattened                 leaf values in the field's column; key, a zero byte, value in the column Path + "._keyed"
//	geo_point                 two number columns, Path + ".lat" and Path + ".lon", as double
package mapping
