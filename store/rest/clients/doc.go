// Package clients proves the REST API with Elasticsearch's official Go clients, v8 and v9. They take minutes to compile and to vet, so
// they are apart, behind the build tag clients: `make test-clients`, part of `make test`.
package clients
