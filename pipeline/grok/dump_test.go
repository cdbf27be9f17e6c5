package grok

import (
	"fmt"
	"os"
	"testing"
)

func TestDump(t *testing.T) {
	if os.Getenv("DUMP") == "" {
		t.Skip()
	}
	for _, pt := range []string{"%{COMBINEDAPACHELOG}", "%{SYSLOGLINE}", spring} {
		p, _ := Stock(false).Compile(pt, DefaultOptions())
		fmt.Println(pt, "literal", p.prog.literal, "states", p.prog.states, len(p.prog.code))
		if len(p.prog.code) < 4000 {
			for i, in := range p.prog.code {
				if i > 60 && pt != spring {
					continue
				}
				fmt.Printf("%d op=%d x=%d y=%d c=%q min=%d max=%d neg=%v\n", i, in.op, in.x, in.y, in.c, in.min, in.max, in.neg)
			}
		}
	}
}
