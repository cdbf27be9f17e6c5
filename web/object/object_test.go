package object_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/weirlog/weir/web/es"
	"github.com/weirlog/weir/web/object"
	"github.com/weirlog/weir/web/object/objecttest"
)

func status(err error) int {
	var e *es.Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

func TestVersions(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), object.New(objecttest.New(nil))
	put := func(body, version string) (object.Object, error) {
		return s.Put(ctx, es.Caller{}, object.Object{Type: "search", ID: "a/b 결제", Title: "one", Body: json.RawMessage(body)}, version)
	}
	if _, err := s.Get(ctx, es.Caller{}, "search", "a/b 결제"); status(err) != 404 {
		t.Fatalf("an object that is not there: %v", err)
	}
	body := `{"b": 1,  "a":[1.0, "x"] }`
	one, err := put(body, object.Create)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := put(`{}`, object.Create); status(err) != 409 {
		t.Errorf("created twice: %v", err)
	}
	got, err := s.Get(ctx, es.Caller{}, "search", "a/b 결제")
	if err != nil || string(got.Body) != body || got.Version != one.Version {
		t.Errorf("got %s %s, %v", got.Body, got.Version, err)
	}
	two, err := put(`{"c":1}`, one.Version)
	if err != nil || !two.Created.Equal(one.Created) {
		t.Errorf("second write: %+v, %v", two, err)
	}
	if _, err := put(`{"d":1}`, one.Version); status(err) != 409 {
		t.Errorf("a lost update: %v", err)
	}
	if _, err := put(`{}`, "x"); status(err) != 400 {
		t.Errorf("a version that is none: %v", err)
	}
	if err := s.Delete(ctx, es.Caller{}, "search", "a/b 결제", one.Version); status(err) != 409 {
		t.Errorf("delete of another version: %v", err)
	}
	if err := s.Delete(ctx, es.Caller{}, "search", "a/b 결제", two.Version); err != nil {
		t.Error(err)
	}
	if err := s.Delete(ctx, es.Caller{}, "search", "a/b 결제", ""); status(err) != 404 {
		t.Errorf("deleted twice: %v", err)
	}
}

func TestListIsByTitle(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), object.New(objecttest.New(nil))
	for _, title := range []string{"beta", "Alpha", "gamma"} {
		if _, err := s.Put(ctx, es.Caller{}, object.Object{Type: "search", ID: title, Title: title, Body: json.RawMessage(`{}`)}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Put(ctx, es.Caller{}, object.Object{Type: "rule", ID: "r", Title: "r", Body: json.RawMessage(`{}`)}, ""); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(ctx, es.Caller{}, true, "search")
	if err != nil || len(list) != 3 || list[0].Title != "Alpha" || list[2].Title != "gamma" {
		t.Errorf("list = %v, %v", list, err)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), object.New(objecttest.New(nil))
	for _, o := range []object.Object{
		{Type: "search", ID: ""}, {Type: "", ID: "x"}, {Type: "search", ID: "a\nb"},
		{Type: "search", ID: "x", Body: make([]byte, object.MaxBody+1)},
	} {
		if _, err := s.Put(ctx, es.Caller{}, o, ""); status(err)/100 != 4 {
			t.Errorf("%.20q is kept: %v", o.ID, err)
		}
	}
}
