package metrics

import (
	"encoding/json"
	"net/http"
	"sort"
	"sync"
)

// Condition is the state of one part.
type Condition struct {
	Part   string `json:"part"`
	Ready  bool   `json:"ready"`
	Reason string `json:"reason,omitempty"` // why not, and what to do
}

// Health gathers the conditions of the parts. The zero value is ready for use and safe for concurrent use.
type Health struct {
	mu    sync.Mutex
	parts map[string]Condition
	asked map[string]func() (ready bool, reason string)
	notes map[string]string
}

// Set records the state of a part.
func (h *Health) Set(part string, ready bool, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.parts == nil {
		h.parts = map[string]Condition{}
	}
	h.parts[part] = Condition{part, ready, reason}
}

// Watch asks f for the state of a part whenever somebody looks. f must not wait.
func (h *Health) Watch(part string, f func() (ready bool, reason string)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked == nil {
		h.asked = map[string]func() (bool, string){}
	}
	h.asked[part] = f
}

// Note adds a remark that does not make the process unready, such as a listener open to the network.
func (h *Health) Note(key, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.notes == nil {
		h.notes = map[string]string{}
	}
	h.notes[key] = text
}

// Conditions lists the parts by name, and whether all are ready.
func (h *Health) Conditions() ([]Condition, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]Condition, 0, len(h.parts)+len(h.asked))
	ready := true
	for part, f := range h.asked {
		ok, reason := f()
		list = append(list, Condition{part, ok, reason})
		ready = ready && ok
	}
	for _, c := range h.parts {
		list = append(list, c)
		ready = ready && c.Ready
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Part < list[j].Part })
	return list, ready
}

// Handler answers GET /livez (the process alone, never the disk) and GET /readyz (503 with the reasons while a part is not ready).
func (h *Health) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /livez", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		list, ready := h.Conditions()
		w.Header().Set("Content-Type", "application/json")
		if !ready {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		h.mu.Lock()
		defer h.mu.Unlock()
		json.NewEncoder(w).Encode(map[string]any{"ready": ready, "parts": list, "notes": h.notes})
	})
	return mux
}
