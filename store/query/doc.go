// Package query reads Elasticsearch's Query DSL, KQL and Lucene's syntax, plans a query against a mapping and runs it over sources.
//
// The way of a query is Parse -> Query -> NewPlan -> Plan -> NewScan -> Scan. A Query knows no index. A Plan is fitted to one: aliases
// are resolved, dates and numbers encoded, text analysed, bools flattened, unmapped leaves match nothing. A Scan binds a plan to one
// Source and answers zone by zone (4,096 rows) with a Selection: one bit per row. A Source is the only thing this package knows of
// documents: heads, segments and Memory look alike through it.
//
// Invariants: a plan is immutable; a Scan belongs to one goroutine; Select clears bits that do not match and never sets one that is
// deleted; a predicate over a dictionary is evaluated once per source, not per row; phrases are verified on the text of rows that hold
// all their words. Scores are constants (the boost of each matching clause), added up as bool and dis_max say.
//
// Files are named after the queries as users write them. The three syntaxes share the tree and the planner, which are not exported;
// that is why they stand in one package of over 6,000 lines.
package query
