package agg_test

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/weirlog/weir/store/mapping"
	"github.com/weirlog/weir/store/query"
	"github.com/weirlog/weir/store/search"
)

// FuzzAggregations runs whatever parses: errors are answers, panics and broken JSON are not.
func FuzzAggregations(f *testing.F) {
	for _, s := range []string{
		`{"terms":{"field":"k","order":[{"m.avg":"desc"},{"_key":"asc"}],"include":"[ab]|c","missing":"x","min_doc_count":0},"aggs":{"m":{"stats":{"field":"n"}}}}`,
		`{"date_histogram":{"field":"t","calendar_interval":"1q","time_zone":"America/New_York","offset":"+3h","keyed":true},"aggs":{"d":{"derivative":{"buckets_path":"_count","unit":"1d"}}}}`,
		`{"histogram":{"field":"x","interval":0.5,"extended_bounds":{"min":-3,"max":9}},"aggs":{"c":{"cumulative_sum":{"buckets_path":"_count"}}}}`,
		`{"range":{"field":"n","keyed":true,"ranges":[{"from":1,"to":9},{"key":"k","to":3}]}}`, `{"ip_range":{"field":"ip","ranges":[{"mask":"10.0.0.0/9"}]}}`,
		`{"composite":{"size":3,"sources":[{"a":{"terms":{"field":"tags","order":"desc","missing_bucket":true}}},{"b":{"histogram":{"field":"n","interval":7}}}],"after":{"a":"q","b":7}}}`,
		`{"percentiles":{"field":"n","percents":[0,50,100],"hdr":{"number_of_significant_value_digits":2}}}`, `{"percentile_ranks":{"field":"x","values":[1]}}`,
		`{"filters":{"filters":{"a":{"match":{"text":"x"}}},"other_bucket_key":"o"},"aggs":{"h":{"top_hits":{"sort":["n"],"size":2}}}}`,
		`{"auto_date_histogram":{"field":"t","buckets":3,"minimum_interval":"hour","time_zone":"Asia/Seoul"},"aggs":{"r":{"rate":{"unit":"week"}}}}`,
		`{"multi_terms":{"terms":[{"field":"k"},{"field":"n","missing":7}],"order":{"m":"desc"}},"aggs":{"m":{"boxplot":{"field":"x"}}}}`,
		`{"significant_terms":{"field":"tags","min_doc_count":1,"chi_square":{}}}`, `{"adjacency_matrix":{"filters":{"a":{"term":{"k":"a"}},"b":{"exists":{"field":"x"}}}}}`,
		`{"geohash_grid":{"field":"g","precision":12,"bounds":{"top":90,"left":-180,"bottom":-90,"right":180}}}`, `{"geotile_grid":{"field":"g","precision":29}}`,
		`{"geo_bounds":{"field":"g"}}`, `{"geo_centroid":{"field":"g"}}`, `{"ip_prefix":{"field":"ip","prefix_length":9,"append_prefix_length":true,"keyed":true}}`,
		`{"categorize_text":{"field":"text","similarity_threshold":1}}`, `{"rare_terms":{"field":"tags","max_doc_count":3}}`, `{"string_stats":{"field":"k","show_distribution":true}}`,
		`{"weighted_avg":{"value":{"field":"x"},"weight":{"field":"n","missing":1}}}`, `{"median_absolute_deviation":{"field":"x","compression":20}}`,
		`{"date_histogram":{"field":"t","fixed_interval":"1d"},"aggs":{"c":{"cardinality":{"field":"k"}},"n":{"cumulative_cardinality":{"buckets_path":"c"}},"z":{"normalize":{"buckets_path":"_count","method":"softmax"}}}}`,
		`{"random_sampler":{"probability":0.1},"aggs":{"t":{"terms":{"field":"k"}}}}`,
		`{"top_metrics":{"metrics":[{"field":"k"}],"sort":{"x":"asc"}}}`, `{"cardinality":{"field":"ip","precision_threshold":0}}`,
		`{"date_histogram":{"field":"t","fixed_interval":"1d"},"aggs":{"s":{"sum":{"field":"n"}},"p":{"moving_fn":{"buckets_path":"s","window":3,"shift":-1,"script":"MovingFunctions.holt(values, 0.5, 0.5)"}},"b":{"bucket_sort":{"sort":["s"],"from":1}}}}`,
	} {
		f.Add(s)
	}
	m, err := mapping.Parse([]byte(fields))
	if err != nil {
		f.Fatal(err)
	}
	src := query.NewMemory(m, mapping.DefaultLimits())
	for i, d := range docs {
		if err := src.Add([]byte(d), fmt.Sprint(i)); err != nil {
			f.Fatal(err)
		}
	}
	ix := []search.Index{{Name: "i", Mapping: src.Mapping(), Sources: []query.Source{src}}}
	f.Fuzz(func(t *testing.T, s string) {
		req, err := query.ParseRequest(`{"size":0,"aggs":{"h":{"date_histogram":{"field":"t","fixed_interval":"1d"}},"a":` + s + `}}`)
		if err != nil {
			return
		}
		res, err := search.Run(context.Background(), ix, req, search.Options{Now: time.Unix(1775000000, 0), Workers: 1})
		if err != nil {
			return
		}
		if out := res.AppendJSON(nil, search.Encoding{TypedKeys: true}); !json.Valid(out) {
			t.Fatalf("%s answers %s", s, out)
		}
	})
}
