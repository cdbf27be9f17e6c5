package broker

import "sync"

// gate bounds bytes that are being worked on. Who asks for more than there is waits; one that asks for more than everything waits
// until nobody else is in.
type gate struct {
	mu   sync.Mutex
	free *sync.Cond
	most int64
	used int64
}

func newGate(most int64) *gate {
	g := &gate{most: most}
	g.free = sync.NewCond(&g.mu)
	return g
}

func (g *gate) enter(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.used > 0 && g.used+n > g.most {
		g.free.Wait()
	}
	g.used += n
}

func (g *gate) leave(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.used -= n
	g.free.Broadcast()
}
