package metrics

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestRegistry(t *testing.T) {
	t.Parallel()
	r := New()
	r.Counter("weir_test_lines_total", "Lines.", func() float64 { return 3 })
	r.Gauge("weir_test_bytes", "Bytes.", func() float64 { return 2.5 })
	r.Labelled("weir_test_topics", "Topics.", false, []string{"topic"}, func(add func(float64, ...string)) {
		for range maxLabelled + 10 {
			add(1, "t"+strings.Repeat("x", 1))
			break
		}
		add(7, "logs")
	})
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, want := range []string{"weir_test_lines_total 3", "weir_test_bytes 2.5", `weir_test_topics{topic="logs"} 7`, "go_goroutines"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("no %q in the answer", want)
		}
	}
	names, err := r.Names()
	if err != nil || !slices.Equal(names, []string{"weir_test_bytes", "weir_test_lines_total", "weir_test_topics"}) {
		t.Errorf("names = %v, %v", names, err)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var h Health
	h.Set("store", true, "")
	h.Set("broker", false, "replaying; wait")
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.Handler().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	if w := get("/readyz"); w.Code != 503 || !strings.Contains(w.Body.String(), "replaying; wait") {
		t.Errorf("readyz = %d %s", w.Code, w.Body)
	}
	if w := get("/livez"); w.Code != 200 {
		t.Errorf("livez = %d", w.Code)
	}
	h.Set("broker", true, "")
	if w := get("/readyz"); w.Code != 200 {
		t.Errorf("readyz = %d %s", w.Code, w.Body)
	}
	full := false
	h.Watch("store", func() (bool, string) { return !full, "disk full; make room" })
	if full = true; get("/readyz").Code != 503 {
		t.Error("a watched part that is not ready was not asked")
	}
}
