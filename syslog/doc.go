// Package syslog reads syslog messages: RFC 3164 as it is sent in practice, RFC 5424, and the framing of both on streams (RFC 6587).
//
//	<34>Oct 11 22:14:15 mymachine su[230]: 'su root' failed            RFC 3164
//	<34>2026-10-11T22:14:15.003Z mymachine su: 'su root' failed        the same, as rsyslog forwards
//	<34>1 2026-10-11T22:14:15.003Z mymachine su 230 ID47 [a b="c"] 'su root' failed
//	                                                                   RFC 5424
//
// The number in front, the priority, is 8 times the facility plus the severity. A time without a year is given the year that brings
// it nearest to now, so December read in January is last year's; one without a zone is read in the zone of the Options.
//
// Invariants: a Message's bytes are those of the input, not copied, but for values of structured data with escapes. Any input gives a
// Message or an error; memory is bounded by the input.
package syslog
