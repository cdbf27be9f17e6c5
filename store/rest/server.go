package rest

import (
	"log/slog"
	"os"

	"github.com/weirlog/weir/store"
)

// Server answers the REST API of one store. It is safe for concurrent use.
type Server struct {
	store    *store.Store
	log      *slog.Logger
	nodeName string
	table    []route
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
	return &Server{store: s, log: log, nodeName: name, table: routes()}
}

// nodeID is the node's id: the cluster's, as there is one node.
func (s *Server) nodeID() string { return s.store.ClusterUUID() }
