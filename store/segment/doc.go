// Package segment is the immutable file that a set of documents of one index is kept in: columns, dictionaries, inverted indices and
// the skeletons from which documents are printed again. It knows no index names and decides nothing: Builder writes a file, Reader
// serves it as a query.Source, Merge makes one of several without parsing or tokenising.
//
// Rows are numbered from 0 in order of arrival; a zone is 4,096 rows, a block 128 values. All integers are little-endian, uv is an
// unsigned varint, zz a zigzag varint; sections begin at multiples of 8.
//
//	file     header 64, sections, table of sections, page sums, footer 64
//
//	header   0   8  WEIRSEG1
//	         8   2  major 1: another is refused     10  2  minor 0: unknown sections are ignored
//	         12  4  flags, 0                        16  16 index uuid
//	         32  8  segment id, rising in a store   40  4  rows
//	         44  4  level: 0 sealed, 1 small merge, 2 cold merge
//	         48  8  created, unix ms                56  4  writer version, 1
//	         60  4  crc32c of bytes 0-59
//
//	section  0   2  kind     2  2  field (0xFFFF none)   4  2  codec     6  2  0
//	         8   8  offset   16 8  length                24 4  count     28 4  0
//
//	page sums: u32 crc32c of each 64 KiB of all before the table, then one of the table itself
//
//	footer   0   8  offset of the table of sections      8  4  sections
//	         12  4  crc32c of that table                 16 8  offset of the page sums
//	         24  4  pages      28  4  65,536             32 8  length of the file
//	         40  16 smallest and largest sequence number
//	         56  4  crc32c of bytes 0-55                 60 4  1GSW
//
// Sections; F: one per field. Entries may share bytes: equal sections are written once.
//
//	1    META       JSON: time range, bytes of the documents as they came, bytes by section, words of scored columns
//	3    FIELDS     per field: uv length, path, u8 mapping type, u8 kind of column, u8 0, uv rows with a value, uv distinct values
//	4    SHAPES     u32 raw length, zstd of: uv length, skeleton (codes in package mapping, fields by their number here)
//	5    ROWSHAPE   INT: the skeleton of each row
//	6    REST F     BLOCKS: what no column holds, of the rows that have such; F is the field "_rest"
//	10   PRESENT F  which rows have a value; missing: all. Per zone u8 form, u8 0, u16 words, u32 present rows before, u32 offset; forms
//	                0 none, 1 all, 2 u16 rows, 3 bitmap of 512 bytes, 4 runs of u16 first and last
//	11   INT F      the values; codec 16+d: they are divided by 10^d and are floats
//	12   ZONES F    per zone i64 smallest, i64 largest (or ordinals), u32 values, u32 0
//	13   COUNTS F   INT: number of the first value of each row with a value, and the end; missing: one each
//	14   DICT F     sorted distinct values with row counts, in zstd pages of 16 KiB: dict.go
//	15   LISTS F    postings of the ordinals that are in at most rows/256 rows
//	16   RAW F      strings in row order, mostly distinct ones: raw.go
//	17   HASH F     INT of 32-bit xxh3, ascending; INT of the number of the string
//	23   REFS F     columns that the texts repeat, and how: refs.go
//	24   BLOCKS F   texts in row order, zstd blocks of 128 KiB: blocks.go
//	25   TERMS F    a DICT of tokens, counts are rows
//	26   POSTINGS F INT of an address per token (of a single row: the row), then the postings
//	29   REFBLOCKS F  in place of BLOCKS: texts with references to REFS
//	30   BLOOM      split-block bloom filter over (field, value) of all dictionaries: bloom.go
//
// Kinds of columns: 1 numbers (INT, ZONES), 2 dictionary (INT of ordinals, ZONES, DICT, LISTS), 3 raw (RAW, HASH), 4 text (BLOCKS or
// REFS and REFBLOCKS, TERMS, POSTINGS), 5 rest (REST). Each may have PRESENT and COUNTS.
//
// An INT is a u32 offset per block and the end, then blocks: u8 encoding, u8 width w, parameters, 16*w bytes in which value i is bits
// [i*w, i*w+w), low bits first; the last block repeats its last value.
//
//	0 constant  zz value                    1 frame  zz smallest
//	2 delta     zz first, zz least delta    3 gcd    zz smallest, uv divisor
//
// For example the INT of 5, 7, 9 is 00 00 00 00 04 00 00 00 (offsets of the block and of the end), 02 00 (delta, width 0), 0A (first
// 5), 04 (least delta 2): twelve bytes, as every difference is the least one.
//
// Postings begin with their form, the smallest is written: 1 uv differences; 2 per 128 rows u32 last row, u32 offset, u8 width, then
// packed differences and the rest as uv; 3 uv gap and uv length of runs; 4 u32 first word and a bitmap of u64 words.
//
// Deleted rows are no part of the file: deletes.go.
//
// A page's checksum is verified when the page is first touched. The first damage sticks to a Reader (Err); what it answered after that
// is not to be used.
package segment
