package input

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/codec"
	"github.com/weirlog/weir/pipeline/conf"
	"github.com/weirlog/weir/pipeline/plugin"
)

// build makes the input a configuration describes.
func build(t *testing.T, text string, env *Env) (Input, conf.Errors) {
	t.Helper()
	f, errs := conf.Parse("t.conf", "input { "+text+" }")
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	p := f.Sections[0].Body[0].(*conf.Plugin)
	spec := Find(p.Name)
	env.Log, env.Now, env.ECS = slog.New(slog.DiscardHandler), time.Now, true
	a := plugin.Read(p, append(slices.Clone(spec.Options), plugin.InputOptions...), &errs)
	return spec.New(a, env, codec.New(a, &env.Env, spec.Codec, codec.In)), errs.Faults()
}

// TestSockets sends to tcp and udp inputs and checks what they hand over and that they end with their context.
func TestSockets(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ conf, network, send, want string }{
		{`tcp { port => 0 }`, "tcp", "one\r\ntwo\nlast", "one|two|last"},
		{`tcp { port => 0 codec => multiline { pattern => "^ " what => "previous" } }`, "tcp", "a\n b\nc\n", "a\n b|c"},
		{`udp { port => 0 }`, "udp", "a\nb", "a\nb"},
	} {
		t.Run(tt.conf, func(t *testing.T) {
			t.Parallel()
			addrs := make(chan net.Addr, 1)
			in, errs := build(t, tt.conf, &Env{Listening: func(_ string, a net.Addr) { addrs <- a }})
			if len(errs) > 0 {
				t.Fatal(errs)
			}
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			var mu sync.Mutex
			var got []string
			peer := ""
			ended := make(chan error, 1)
			go func() {
				ended <- in.Run(ctx, func(c Chunk) error {
					mu.Lock()
					defer mu.Unlock()
					for _, r := range c.Records {
						got = append(got, string(r.Value))
						b := event.NewBatch(false)
						e := b.New(0)
						in.(Decorator).Decorate(e, &r)
						peer = string(e.AppendMetaJSON(nil))
					}
					if len(got) == strings.Count(tt.want, "|")+1 {
						cancel()
					}
					return nil
				})
			}()
			c, err := net.Dial(tt.network, (<-addrs).String())
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprint(c, tt.send)
			c.Close()
			if err := <-ended; err != nil {
				t.Fatal(err)
			}
			if s := strings.Join(got, "|"); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
			if !strings.HasPrefix(peer, `{"input":{"`+tt.network+`":{"source":{"ip":"127.0.0.1","port":`) {
				t.Errorf("metadata %s", peer)
			}
		})
	}
}

func TestOpenAddressIsRefused(t *testing.T) {
	t.Parallel()
	if _, errs := build(t, `tcp { port => 5000 host => "0.0.0.0" }`, &Env{}); len(errs) != 1 || !strings.Contains(errs.Error(), "security.plaintext") {
		t.Errorf("errors %v", errs)
	}
	if _, errs := build(t, `tcp { port => 5000 host => "0.0.0.0" }`, &Env{Plaintext: []string{"tcp"}}); len(errs) != 0 {
		t.Errorf("errors %v", errs)
	}
}

func TestHeartbeat(t *testing.T) {
	t.Parallel()
	in, errs := build(t, `heartbeat { count => 3 interval => 0.01 message => "sequence" }`, &Env{})
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	var got []string
	if err := in.Run(context.Background(), func(c Chunk) error { got = append(got, string(c.Records[0].Value)); return nil }); err != nil {
		t.Fatal(err)
	}
	if s := strings.Join(got, " "); s != "0 1 2" {
		t.Errorf("got %s", s)
	}
}
