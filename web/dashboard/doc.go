// Package dashboard reads dashboards and visualizations in the JSON of Kibana's Dashboards API, turns their panels into searches and the
// answers into tables, and converts saved objects exported from Kibana into that JSON.
//
// A panel's config is read into a Vis: layers, each with dimensions (what buckets are made by) and metrics (what is computed in a
// bucket). A layer is one search; its answer is a flat Table with a row per innermost bucket: first the dimensions' keys, then the
// metrics' values. The pages draw tables and know nothing of aggregations. What cannot be read is an *Unsupported error that says which
// part: the page shows it in the panel's place, with the JSON.
package dashboard
