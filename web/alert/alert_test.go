package alert

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
	"github.com/weirlog/weir/web/object/objecttest"
)

var day = time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)

func rule() Rule {
	return Rule{Name: "r", Enabled: true, Kind: Count, Query: "x", Window: "5m", Every: "1m", Op: ">", Threshold: 10}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Rule)
		want   string
	}{
		"fine":      {func(*Rule) {}, ""},
		"name":      {func(r *Rule) { r.Name = " " }, "name"},
		"kind":      {func(r *Rule) { r.Kind = "mood" }, "mood"},
		"window":    {func(r *Rule) { r.Window = "soon" }, "soon"},
		"long":      {func(r *Rule) { r.Window = "30d" }, "window"},
		"every":     {func(r *Rule) { r.Every = "1s" }, "every"},
		"op":        {func(r *Rule) { r.Op = "=" }, "op"},
		"ratio":     {func(r *Rule) { r.Kind = Ratio }, "part"},
		"url":       {func(r *Rule) { r.Actions = []Action{{Type: "webhook", URL: "file:///etc/passwd"}} }, "http"},
		"mail":      {func(r *Rule) { r.Actions = []Action{{Type: "email", To: "nobody"}} }, "mail addresses"},
		"template":  {func(r *Rule) { r.Actions = []Action{{Type: "slack", URL: "http://x/", Template: "{{"}} }, "text"},
		"action":    {func(r *Rule) { r.Actions = []Action{{Type: "pigeon"}} }, "pigeon"},
		"no op":     {func(r *Rule) { r.Kind, r.Op = Absence, "" }, ""},
		"two days":  {func(r *Rule) { r.Window = "2d" }, ""},
		"addresses": {func(r *Rule) { r.Actions = []Action{{Type: "email", To: "a@b.kr, 김 <c@d.kr>"}} }, ""},
	} {
		r := rule()
		c.change(&r)
		errs := fmt.Sprint(r.Validate())
		if (c.want == "") != (errs == "[]") || !strings.Contains(errs, c.want) {
			t.Errorf("%s: %s, want %q", name, errs, c.want)
		}
	}
}

// TestStep: values at minutes 0, 1, 2 ... and the statuses told.
func TestStep(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*Rule)
		values []float64
		want   string
	}{
		"up and down":  {func(*Rule) {}, []float64{5, 11, 12, 3, 3}, "1 firing 11, 3 ok 3"},
		"must hold":    {func(r *Rule) { r.For = "2m" }, []float64{11, 11, 3, 11, 11, 12, 13}, "5 firing 12"},
		"repeats":      {func(r *Rule) { r.Repeat = "2m" }, []float64{11, 11, 11, 11}, "0 firing 11, 2 firing 11"},
		"absence":      {func(r *Rule) { r.Kind = Absence }, []float64{4, 0, 0, 1}, "1 firing 0, 3 ok 1"},
		"less":         {func(r *Rule) { r.Op = "<" }, []float64{10, 9, 10}, "1 firing 9, 2 ok 10"},
		"new patterns": {func(r *Rule) { r.Kind = NewPattern }, []float64{0, 2, 0}, "1 firing 2, 2 ok 0"},
	} {
		r := rule()
		c.change(&r)
		var st State
		var told []string
		for i, v := range c.values {
			for _, e := range st.step(&r, day.Add(time.Duration(i)*time.Minute), map[string]sample{"": {v, ""}}) {
				told = append(told, fmt.Sprintf("%d %s %g", i, e.Status, e.Value))
			}
		}
		if got := strings.Join(told, ", "); got != c.want {
			t.Errorf("%s: told %s, want %s", name, got, c.want)
		}
	}
}

func TestGroupsEndOnTheirOwn(t *testing.T) {
	t.Parallel()
	r := rule()
	r.GroupBy = "service.name"
	var st State
	st.step(&r, day, map[string]sample{"a": {20, ""}, "b": {1, ""}})
	if st.Status != Firing || len(st.Groups) != 1 {
		t.Fatalf("state = %+v", st)
	}
	told := st.step(&r, day.Add(time.Minute), map[string]sample{"b": {1, ""}})
	if len(told) != 1 || told[0].Group != "a" || told[0].Status != OK || st.Status != OK {
		t.Errorf("told %+v, state %+v", told, st)
	}
}

func TestFailureKeepsGroups(t *testing.T) {
	t.Parallel()
	r := rule()
	var st State
	st.step(&r, day, map[string]sample{"": {20, ""}})
	st.fail(day.Add(time.Minute), fmt.Errorf("no store"))
	if st.Status != Failing || st.Groups[""].Status != Firing {
		t.Fatalf("state = %+v", st)
	}
	if told := st.step(&r, day.Add(2*time.Minute), map[string]sample{"": {20, ""}}); len(told) != 0 || st.Status != Firing || st.Error != "" {
		t.Errorf("told %v, state %+v", told, st)
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"user 1038 likes story 1540":         "user * likes story *",
		"GET /api/v1/stories/77 200 12ms":    "GET *",
		`cannot open "a b" and 'c'`:          `cannot open * and *`,
		"it's fine":                          "it's fine",
		"결제 실패: 주문 A-17\nat x.y.z(Z.java:1)": "결제 실패: 주문 *",
		"took 5 ms (id=7f3a) [x9]":           "took * ms id *",
		"":                                   "",
		"\"":                                 "\"",
	} {
		if got := Shape(in); got != want {
			t.Errorf("Shape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzShape(f *testing.F) {
	f.Add("a 'b' \"c")
	f.Fuzz(func(t *testing.T, s string) {
		if a := Shape(s); Shape(a) != Shape(Shape(a)) {
			t.Fatalf("%q: not stable", s)
		}
	})
}

// counting is a store in which every search finds hits documents.
type counting struct{ hits atomic.Int64 }

func (c *counting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n := c.hits.Load()
	fmt.Fprintf(w, `{"timed_out":false,"_shards":{"failed":0},"hits":{"total":{"value":%d},"hits":[{"_source":{"message":"boom 7\nat x"}}]},"aggregations":{
		"recent":{"doc_count":%d},"part":{"doc_count":%d},"t":{"buckets":[{"key":%d,"doc_count":%d,"part":{"doc_count":%d}}]}}}`,
		n, n, n/2, time.Now().Add(-time.Hour).Truncate(5*time.Minute).UnixMilli(), n, n/2)
}

func newAlerts(t *testing.T) (*Alerts, *counting) {
	t.Helper()
	c := &counting{}
	store := objecttest.New(c)
	parse := func(_ context.Context, text, _, _ string) (json.RawMessage, error) {
		if text == "bad:" {
			return nil, es.Refuse(400, "bad_query", "cannot be read")
		}
		return json.RawMessage(`{"match_all":{}}`), nil
	}
	return New(Config{Store: store, Parse: parse, Link: "http://weir", Log: slog.New(slog.DiscardHandler)}, object.New(store)), c
}

// TestRound runs rules as the evaluator does: a webhook is told once when the condition begins and once when it ends, nobody while the
// rule is silent.
func TestRound(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var told []string
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		told = append(told, string(b))
	}))
	defer hook.Close()
	a, store := newAlerts(t)
	r := rule()
	r.Actions = []Action{{Type: "slack", URL: hook.URL}}
	v, err := a.Put(ctx, es.Caller{}, "one", r, object.Create)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	run := func(hits int64) State {
		store.hits.Store(hits)
		at = at.Add(2 * time.Minute)
		if err := a.round(ctx, at); err != nil {
			t.Fatal(err)
		}
		list, err := a.List(ctx, es.Caller{})
		if err != nil || len(list) != 1 || list[0].State == nil {
			t.Fatalf("list = %+v, %v", list, err)
		}
		return *list[0].State
	}
	if st := run(3); st.Status != OK || len(told) != 0 {
		t.Fatalf("quiet: %+v %v", st, told)
	}
	if st := run(30); st.Status != Firing || len(told) != 1 || !strings.Contains(told[0], "FIRING r: 30 > 10 in 5m") || !strings.Contains(told[0], "boom 7") ||
		!strings.Contains(told[0], "http://weir/explore?") {
		t.Fatalf("firing: %+v %v", st, told)
	}
	run(31)
	if st := run(2); st.Status != OK || len(told) != 2 || !strings.Contains(told[1], "OK r: 2") || len(st.History) != 2 || st.History[0].Sent[0] != "slack" {
		t.Fatalf("ended: %+v %v", st, told)
	}
	if _, err := a.Silence(ctx, es.Caller{}, v.ID, at.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if st := run(40); st.Status != Firing || len(told) != 2 || st.History[2].Sent[0] != "silenced" {
		t.Fatalf("silenced: %+v %v", st, told)
	}
}

func TestRoundIsNotEarlyAndSurvivesErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	a, _ := newAlerts(t)
	r := rule()
	r.Query = "bad:"
	if _, err := a.Put(ctx, es.Caller{}, "one", r, object.Create); err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(time.Minute)
	for range 2 {
		if err := a.round(ctx, at); err != nil {
			t.Fatal(err)
		}
		at = at.Add(10 * time.Second)
	}
	list, _ := a.List(ctx, es.Caller{})
	st := list[0].State
	if st.Status != Failing || !strings.Contains(st.Error, "cannot be read") || !st.Last.Equal(at.Add(-20*time.Second)) {
		t.Errorf("state = %+v", st)
	}
	if err := a.Delete(ctx, es.Caller{}, "one"); err != nil {
		t.Error(err)
	}
	if list, _ := a.List(ctx, es.Caller{}); len(list) != 0 {
		t.Errorf("deleted, yet %v", list)
	}
}

func TestPreview(t *testing.T) {
	t.Parallel()
	a, store := newAlerts(t)
	store.hits.Store(50)
	for kind, want := range map[string]float64{Count: 50, Ratio: 0.5} {
		r := rule()
		r.Kind, r.Part, r.Threshold = kind, "y", 0.4
		p, err := a.Preview(context.Background(), a.cfg.Store, es.Caller{}, r)
		if err != nil || p.Fired != 1 || len(p.Points) < previewSteps || p.Step != (5*time.Minute).Milliseconds() {
			t.Fatalf("%s: fired %d of %d, %v", kind, p.Fired, len(p.Points), err)
		}
		top := 0.0
		for _, pt := range p.Points {
			top = max(top, pt.Value)
		}
		if top != want {
			t.Errorf("%s: top = %g, want %g", kind, top, want)
		}
	}
}

func TestTestAction(t *testing.T) {
	t.Parallel()
	a, _ := newAlerts(t)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "/else", http.StatusFound)
		}
		if r.URL.Path == "/no" {
			http.Error(w, "not here", http.StatusForbidden)
		}
	}))
	defer hook.Close()
	for _, c := range []struct {
		act  Action
		want string
	}{
		{Action{Type: "webhook", URL: hook.URL}, ""},
		{Action{Type: "webhook", URL: hook.URL + "/away"}, "302"},
		{Action{Type: "discord", URL: hook.URL + "/no"}, "not here"},
		{Action{Type: "email", To: "a@b.kr"}, "no mail server"},
		{Action{Type: "webhook", URL: hook.URL, Template: "{{.Nothing}}"}, "render"},
	} {
		err := a.Test(context.Background(), es.Caller{}, rule(), c.act)
		if (c.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.act, err, c.want)
		}
	}
}

func TestMailText(t *testing.T) {
	t.Parallel()
	m := Message{Rule: "결제\r\nBcc: evil@x", Status: Firing, Time: day}
	out := string(mailText(&mail.Address{Address: "w@x"}, nil, m, "body\r\n.\r\nDATA"))
	if strings.Contains(out, "\nBcc:") || strings.Contains(out, "DATA") {
		t.Errorf("mail = %q", out)
	}
}
