package rest

import (
	"context"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/weirlog/weir/store"
	"github.com/weirlog/weir/store/contexts"
	"github.com/weirlog/weir/store/lifecycle"
	"github.com/weirlog/weir/store/tasks"
)

// Server answers the REST API of one store. It is safe for concurrent use. Run lets go of what clients forgot and carries out
// lifecycle policies; Close ends what runs in the background.
type Server struct {
	store    *store.Store
	log      *slog.Logger
	nodeName string
	table    []route
	began    time.Time
	contexts *contexts.Keeper
	tasks    *tasks.Registry
	life     *lifecycle.Manager
	counts   counters

	repoMu sync.Mutex
	repos  map[string]*openRepo
}

// New makes the handler of a store's REST API. log may be nil.
func New(s *store.Store, log *slog.Logger) *Server {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	name, err := os.Hostname()
	if err != nil {
		name = "weir"
	}
	srv := &Server{store: s, log: log, nodeName: name, table: routes(), began: time.Now(), contexts: contexts.New(s, nil), life: lifecycle.New(s, log, nil), repos: map[string]*openRepo{}}
	srv.tasks = tasks.New(srv.began, srv.keepTask)
	return srv
}

// reapEvery is the pace of Run.
const reapEvery = 10 * time.Second

// Run carries out lifecycle policies and lets go of expired scrolls, points in time and answers until ctx ends, then of everything.
func (s *Server) Run(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.life.Run(ctx) }()
	tick := time.NewTicker(reapEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			s.Close()
			return <-done
		case <-tick.C:
			s.contexts.Reap()
		}
	}
}

// Close ends background work and open contexts; requests must have ended.
func (s *Server) Close() {
	s.tasks.Close()
	s.contexts.Close()
}

// nodeID is the node's id: the cluster's, as there is one node.
func (s *Server) nodeID() string { return s.store.ClusterUUID() }
