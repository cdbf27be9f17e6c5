// Command store measures the store beside VictoriaLogs: the same documents by the same _bulk requests, then the same questions, one
// server after the other in one run.
//
//	go run ./bench/store -docs 1000000 -victoria ./victoria-logs
//
// Each server is a process of its own, so that CPU seconds and memory are its alone. Without -victoria only the store is measured.
// Queries are asked once after a restart with the files out of the page cache (cold) and then -times times (warm, the best).
package main

import (
	"bytes"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sync"
	"text/tabwriter"
	"time"
)

func main() {
	log.SetFlags(0)
	docs := flag.Int("docs", 1_000_000, "documents")
	batch := flag.Int("batch", 2_000, "documents of a request")
	conns := flag.Int("connections", 2, "requests at a time")
	victoria := flag.String("victoria", "", "the binary of VictoriaLogs")
	dir := flag.String("dir", "", "working folder (default: a temporary one, removed at the end)")
	times := flag.Int("times", 5, "how often a query is asked warm")
	profile := flag.String("cpu-profile", "", "file for a CPU profile of the store")
	serveDir := flag.String("serve", "", "serve the store of this folder and print the address; used by this program on itself")
	flag.Parse()
	if *serveDir != "" {
		if err := serve(*serveDir, *profile); err != nil {
			log.Fatal(err)
		}
		return
	}
	if *dir == "" {
		tmp, err := os.MkdirTemp("", "weir-bench-")
		if err != nil {
			log.Fatal(err)
		}
		defer os.RemoveAll(tmp)
		*dir = tmp
	}
	if err := run(*dir, *victoria, *profile, *docs, *batch, *conns, *times); err != nil {
		log.Fatal(err)
	}
}

// figures is what one server did.
type figures struct {
	name                 string
	cpu, wall            time.Duration
	docs                 int
	raw                  int64
	peak, idle, disk     int64
	settleCPU            time.Duration
	cold, warm, warmWall []time.Duration
	answers              []string
}

func run(dir, victoria, profile string, docs, batch, conns, times int) error {
	servers := []server{weirServer(filepath.Join(dir, "weir"), profile)}
	if victoria != "" {
		servers = append(servers, victoriaServer(filepath.Join(dir, "victoria"), victoria))
	}
	var all []*figures
	for _, s := range servers {
		f, err := measure(s, docs, batch, conns, times)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		all = append(all, f)
	}
	report(all)
	return nil
}

func measure(s server, docs, batch, conns, times int) (*figures, error) {
	f := &figures{name: s.name, docs: docs}
	p, err := s.start()
	if err != nil {
		return nil, err
	}
	if err := load(p, s, f, docs, batch, conns); err != nil {
		p.stop()
		return nil, err
	}
	f.cpu, f.peak = p.cpu(), p.memory("VmHWM")
	before := p.cpu()
	if err := s.settle(p); err != nil {
		p.stop()
		return nil, err
	}
	f.settleCPU = p.cpu() - before
	if err := p.stop(); err != nil {
		return nil, err
	}
	if f.disk, err = diskUse(s.dir); err != nil {
		return nil, err
	}
	return f, ask(s, f, times)
}

// load sends the documents; the goroutine that makes them is one, requests are several.
func load(p *process, s server, f *figures, docs, batch, conns int) error {
	bodies := make(chan []byte, conns)
	errs := make(chan error, conns)
	var wg sync.WaitGroup
	began := time.Now()
	for range conns {
		wg.Go(func() {
			for b := range bodies {
				if err := p.bulk(s.bulk, b); err != nil {
					errs <- err
					for range bodies {
					}
					return
				}
			}
		})
	}
	c := newCorpus(docs)
	var body bytes.Buffer
	var doc []byte
	for n := 0; ; n++ {
		var more bool
		if n%batch == 0 && n > 0 {
			bodies <- bytes.Clone(body.Bytes())
			body.Reset()
		}
		if doc, more = c.next(doc[:0]); !more {
			break
		}
		f.raw += int64(len(doc))
		body.WriteString("{\"create\":{}}\n")
		body.Write(doc)
		body.WriteByte('\n')
	}
	if body.Len() > 0 {
		bodies <- body.Bytes()
	}
	close(bodies)
	wg.Wait()
	f.wall = time.Since(began)
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}

// ask restarts the server with its files out of the page cache for the cold round, then asks again.
func ask(s server, f *figures, times int) error {
	if err := forget(s.dir); err != nil {
		return err
	}
	p, err := s.start()
	if err != nil {
		return err
	}
	defer p.stop()
	time.Sleep(3 * time.Second)
	f.idle = p.memory("VmRSS")
	for i := range questions {
		_, wall, answer, err := p.ask(s, i)
		if err != nil {
			return fmt.Errorf("%s: %w", questions[i].name, err)
		}
		f.cold, f.answers = append(f.cold, wall), append(f.answers, answer)
	}
	for i := range questions {
		var best, bestWall time.Duration
		for k := range times {
			cpu, wall, _, err := p.ask(s, i)
			if err != nil {
				return fmt.Errorf("%s: %w", questions[i].name, err)
			}
			if k == 0 || cpu < best {
				best = cpu
			}
			if k == 0 || wall < bestWall {
				bestWall = wall
			}
		}
		f.warm, f.warmWall = append(f.warm, best), append(f.warmWall, bestWall)
	}
	return nil
}

func report(all []*figures) {
	w := tabwriter.NewWriter(os.Stdout, 2, 2, 2, ' ', 0)
	row := func(name string, cell func(f *figures) string) {
		fmt.Fprint(w, name)
		for _, f := range all {
			fmt.Fprint(w, "\t", cell(f))
		}
		fmt.Fprintln(w)
	}
	row("", func(f *figures) string { return f.name })
	row("raw bytes a document", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.raw)/float64(f.docs)) })
	row("documents per CPU second", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.docs)/f.cpu.Seconds()) })
	row("the same, merges of the end included", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.docs)/(f.cpu+f.settleCPU).Seconds()) })
	row("documents per second", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.docs)/f.wall.Seconds()) })
	row("bytes on disk a document", func(f *figures) string { return fmt.Sprintf("%.1f", float64(f.disk)/float64(f.docs)) })
	row("peak RSS of ingest, MB", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.peak)/1e6) })
	row("RSS after a restart, MB", func(f *figures) string { return fmt.Sprintf("%.0f", float64(f.idle)/1e6) })
	for i, q := range questions {
		row(q.name, func(f *figures) string {
			return fmt.Sprintf("%s cold, %s warm, %s CPU\t%s", ms(f.cold[i]), ms(f.warmWall[i]), ms(f.warm[i]), f.answers[i])
		})
	}
	w.Flush()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
