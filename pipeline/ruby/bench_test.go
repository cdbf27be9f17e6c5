package ruby

import (
	"testing"

	"github.com/weirlog/weir/event"
)

// BenchmarkCode is what a line of a ruby filter costs for an event.
func BenchmarkCode(b *testing.B) {
	for _, bb := range []struct{ name, code string }{
		{"arithmetic", `event.set('took', event.get('end').to_f - event.get('start').to_f)`},
		{"text", `event.set('name', event.get('path').split('/').last.downcase.gsub(/[^a-z]+/, '_'))`},
		{"empty-fields", `event.to_hash.each { |k, v| event.remove(k) if v.nil? || v == '' }`},
		{"condition", `event.tag('slow') if event.get('end').to_f > 100 && !event.get('path').nil?`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			p := New("bench", testEnv())
			code, faults := p.Compile(Source{Text: bb.code, Params: []string{"event", "new_event_block"}})
			if code == nil {
				b.Fatal(faults)
			}
			batch := event.NewBatch(false)
			b.ReportAllocs()
			for b.Loop() {
				e := batch.New(0)
				if err := batch.DecodeObject(e, `{"start":"1.5","end":"3.25","path":"/var/log/App-1.log","empty":"","n":7}`); err != nil {
					b.Fatal(err)
				}
				if _, exc := code[0].Call(Run{Batch: batch, Ref: 0}, e, NewEvents{}); exc != nil {
					b.Fatal(exc)
				}
				if len(batch.Events) == 125 {
					batch.Reset()
				}
			}
		})
	}
}
