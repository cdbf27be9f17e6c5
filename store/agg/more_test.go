package agg_test

import "testing"

// TestMoreAggregations answers each from one source and from three. The documents are those of TestAggregations.
func TestMoreAggregations(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, want string }{
		{`{"weighted_avg":{"value":{"field":"x"},"weight":{"field":"n"}}}`, `{"value":2.15359477124183}`},
		{`{"weighted_avg":{"value":{"field":"x"},"weight":{"field":"n","missing":2}}}`, `{"value":2.074193548387097}`},
		{`{"boxplot":{"field":"n"}}`, `{"min":1.0,"max":151.0,"q1":26.0,"q2":76.0,"q3":126.0,"lower":1.0,"upper":151.0}`},
		{`{"boxplot":{"field":"nope"}}`, `{"min":"Infinity","max":"-Infinity","q1":"NaN","q2":"NaN","q3":"NaN","lower":"NaN","upper":"NaN"}`},
		{`{"median_absolute_deviation":{"field":"n"}}`, `{"value":50.0}`},
		{`{"string_stats":{"field":"k","show_distribution":true}}`, `{"count":5,"min_length":1,"max_length":1,"avg_length":1.0,"entropy":1.3709505944546687,"distribution":{"a":0.6,"b":0.2,"c":0.2}}`},
		{`{"multi_terms":{"terms":[{"field":"k"},{"field":"b","missing":true}]}}`, `{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":["a",true],"key_as_string":"a|true","doc_count":3},` +
			`{"key":["b",false],"key_as_string":"b|false","doc_count":1},{"key":["c",true],"key_as_string":"c|true","doc_count":1}]}`},
		{`{"multi_terms":{"size":1,"order":{"s":"desc"},"terms":[{"field":"k"},{"field":"tags"}]},"aggs":{"s":{"sum":{"field":"n"}}}}`,
			`{"doc_count_error_upper_bound":0,"sum_other_doc_count":3,"buckets":[{"key":["c","p"],"key_as_string":"c|p","doc_count":1,"s":{"value":151.0}}]}`},
		{`{"rare_terms":{"field":"k"}}`, `{"buckets":[{"key":"b","doc_count":1},{"key":"c","doc_count":1}]}`},
		{`{"rare_terms":{"field":"n","max_doc_count":2,"exclude":["51","101"]}}`, `{"buckets":[{"key":1,"doc_count":1},{"key":151,"doc_count":1}]}`},
		{`{"ip_prefix":{"field":"ip","prefix_length":16}}`, `{"buckets":[{"key":"10.0.0.0","is_ipv6":false,"prefix_length":16,"netmask":"255.255.0.0","doc_count":2},` +
			`{"key":"192.168.0.0","is_ipv6":false,"prefix_length":16,"netmask":"255.255.0.0","doc_count":1}]}`},
		{`{"adjacency_matrix":{"filters":{"x":{"term":{"tags":"q"}},"a":{"term":{"k":"a"}},"none":{"term":{"k":"zz"}}}}}`,
			`{"buckets":[{"key":"a","doc_count":3},{"key":"a&x","doc_count":1},{"key":"x","doc_count":2}]}`},
		{`{"auto_date_histogram":{"field":"t","buckets":6}}`, `{"buckets":[{"key_as_string":"2026-03-28T00:00:00.000Z","key":1774656000000,"doc_count":1},` +
			`{"key_as_string":"2026-03-29T00:00:00.000Z","key":1774742400000,"doc_count":2},{"key_as_string":"2026-03-30T00:00:00.000Z","key":1774828800000,"doc_count":0},` +
			`{"key_as_string":"2026-03-31T00:00:00.000Z","key":1774915200000,"doc_count":1},{"key_as_string":"2026-04-01T00:00:00.000Z","key":1775001600000,"doc_count":0},` +
			`{"key_as_string":"2026-04-02T00:00:00.000Z","key":1775088000000,"doc_count":1}],"interval":"1d"}`},
		{`{"auto_date_histogram":{"field":"t","buckets":2,"format":"yyyy-MM-dd"}}`, `{"buckets":[{"key_as_string":"2026-03-28","key":1774656000000,"doc_count":5}],"interval":"7d"}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"month"},"aggs":{"r":{"rate":{"unit":"day"}},"s":{"rate":{"field":"n","unit":"month"}}}}`,
			`{"buckets":[{"key_as_string":"2026-03-01T00:00:00.000Z","key":1772323200000,"doc_count":4,"r":{"value":0.12903225806451613},"s":{"value":304.0}},` +
				`{"key_as_string":"2026-04-01T00:00:00.000Z","key":1775001600000,"doc_count":1,"r":{"value":0.03333333333333333},"s":{"value":0.0}}]}`},
		{`{"random_sampler":{"probability":0.1},"aggs":{"m":{"max":{"field":"n"}}}}`, `{"seed":0,"probability":1.0,"doc_count":5,"m":{"value":151.0}}`},
		{`{"significant_terms":{"field":"tags","min_doc_count":1}}`, `{"doc_count":5,"bg_count":5,"buckets":[]}`},
		{`{"terms":{"field":"k"},"aggs":{"s":{"significant_terms":{"field":"tags","min_doc_count":1,"percentage":{}}}}}`,
			`{"doc_count_error_upper_bound":0,"sum_other_doc_count":0,"buckets":[{"key":"a","doc_count":3,"s":{"doc_count":3,"bg_count":5,"buckets":[` +
				`{"key":"p","doc_count":1,"score":0.5,"bg_count":2},{"key":"q","doc_count":1,"score":0.5,"bg_count":2}]}},` +
				`{"key":"b","doc_count":1,"s":{"doc_count":1,"bg_count":5,"buckets":[{"key":"q","doc_count":1,"score":0.5,"bg_count":2}]}},` +
				`{"key":"c","doc_count":1,"s":{"doc_count":1,"bg_count":5,"buckets":[{"key":"p","doc_count":1,"score":0.5,"bg_count":2}]}}]}`},
		{`{"geo_bounds":{"field":"g"}}`, `{"bounds":{"top_left":{"lat":37.5,"lon":126.0},"bottom_right":{"lat":-33.0,"lon":151.0}}}`},
		{`{"geo_centroid":{"field":"g"}}`, `{"location":{"lat":13.333333333333334,"lon":134.66666666666666},"count":3}`},
		{`{"geohash_grid":{"field":"g","precision":3}}`, `{"buckets":[{"key":"wyd","doc_count":1},{"key":"wy3","doc_count":1},{"key":"r65","doc_count":1}]}`},
		{`{"geotile_grid":{"field":"g","precision":2}}`, `{"buckets":[{"key":"2/3/1","doc_count":2},{"key":"2/3/2","doc_count":1}]}`},
		{`{"geohash_grid":{"field":"g","precision":1,"bounds":{"top_left":"40,120","bottom_right":"30,130"}}}`, `{"buckets":[{"key":"w","doc_count":2}]}`},
		{`{"categorize_text":{"field":"text"}}`, `{"buckets":[{"key":"user logged in","regex":".*?user.+?logged.+?in.*?","max_matching_length":17,"doc_count":2},` +
			`{"key":"disk full","regex":".*?disk.+?full.*?","max_matching_length":9,"doc_count":1}]}`},
		{`{"date_histogram":{"field":"t","calendar_interval":"month"},"aggs":{"d":{"cardinality":{"field":"k"}},"c":{"cumulative_cardinality":{"buckets_path":"d"}},` +
			`"s":{"sum":{"field":"n"}},"p":{"normalize":{"buckets_path":"s","method":"percent_of_sum"}}}}`,
			`{"buckets":[{"key_as_string":"2026-03-01T00:00:00.000Z","key":1772323200000,"doc_count":4,"d":{"value":3},"s":{"value":304.0},"c":{"value":3},"p":{"value":1.0}},` +
				`{"key_as_string":"2026-04-01T00:00:00.000Z","key":1775001600000,"doc_count":1,"d":{"value":1},"s":{"value":0.0},"c":{"value":3},"p":{"value":0.0}}]}`},
		{`{"rate":{"unit":"day"}}`, `error illegal_argument_exception: aggregation [a] of type [rate] can only be used inside a date histogram`},
	} {
		for _, n := range []int{1, 3} {
			if got := run(t, `{"size":0,"aggs":{"a":`+c.body+`}}`, n); got != c.want {
				t.Errorf("%s from %d sources:\n got %s\nwant %s", c.body, n, got, c.want)
			}
		}
	}
}
