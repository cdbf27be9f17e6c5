// Package takeover reads where a Filebeat stood in its files, in every layout its registry had:
//
//	registry                          one array of states (6.x)
//	registry/filebeat/data.json       the same (7.0)
//	registry/filebeat/meta.json       {"version":"1"}, beside
//	                 <txid>.json      a snapshot, an array of objects with _key; the highest number counts
//	                 log.json         pairs of lines {"op":"set"|"remove","id":N} and {"k":key,"v":object}; ids up to txid are in the snapshot
//
// Keys are filestream::<input id>::<identity>::<value> and filebeat::logs::.... Nothing is ever written here.
package takeover

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Place is where a Filebeat stood in one file.
type Place struct {
	Path     string
	Offset   int64
	Finished bool // a compressed file that was read to its end

	// Identity is native, fingerprint, path or inode_marker; Value is what it says of the file.
	Identity, Value string
	Inode, Device   uint64 // of native; Inode of inode_marker, too
}

// maxRegistry bounds what is read of one file, in bytes.
const maxRegistry = 1 << 30

// Read reads the registry at path; a missing one is empty.
func Read(path string) ([]Place, error) {
	st, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read registry of a Filebeat: %w", err)
	}
	if !st.IsDir() {
		return readArray(path)
	}
	dir := filepath.Join(path, "filebeat")
	if _, err := os.Stat(filepath.Join(dir, "meta.json")); err == nil {
		if list, err := readLog(dir); err != nil || len(list) > 0 {
			return list, err
		}
	}
	if name := filepath.Join(dir, "data.json"); exists(name) {
		return readArray(name)
	}
	return nil, nil
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxRegistry))
}

// state is a file's state in any layout.
type state struct {
	Key         string `json:"_key"`
	Source      string `json:"source"`
	Offset      int64  `json:"offset"`
	TTL         *int64 `json:"ttl"`
	FileStateOS *struct {
		Inode  uint64 `json:"inode"`
		Device uint64 `json:"device"`
	} `json:"FileStateOS"`
	Cursor *struct {
		Offset int64 `json:"offset"`
		EOF    bool  `json:"eof"`
	} `json:"cursor"`
	Meta *struct {
		Source string `json:"source"`
	} `json:"meta"`
}

// readArray reads the layouts that are one array.
func readArray(name string) ([]Place, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, fmt.Errorf("read registry of a Filebeat: %w", err)
	}
	return parseArray(text)
}

func parseArray(text []byte) ([]Place, error) {
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, nil
	}
	var list []state
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("registry of a Filebeat: %w", err)
	}
	var out []Place
	for i := range list {
		if p, ok := list[i].place(); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// readLog reads snapshot and log of version 1.
func readLog(dir string) ([]Place, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("read registry of a Filebeat: %w", err)
	}
	var txid uint64
	snapshot := ""
	for _, e := range entries {
		number, isJSON := strings.CutSuffix(e.Name(), ".json")
		if n, err := strconv.ParseUint(number, 10, 64); isJSON && err == nil && n >= txid {
			txid, snapshot = n, e.Name()
		}
	}
	states := map[string]state{}
	if snapshot != "" {
		text, err := readFile(filepath.Join(dir, snapshot))
		if err != nil {
			return nil, fmt.Errorf("read registry of a Filebeat: %w", err)
		}
		var list []state
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("registry of a Filebeat, %s: %w", snapshot, err)
		}
		for _, s := range list {
			states[s.Key] = s
		}
	}
	text, err := readFile(filepath.Join(dir, "log.json"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read registry of a Filebeat: %w", err)
	}
	replay(states, txid, text)
	var out []Place
	for key, s := range states {
		s.Key = key
		if p, ok := s.place(); ok {
			out = append(out, p)
		}
	}
	return out, nil
}

// replay applies a log behind the snapshot of txid; it ends at a gap or a torn line.
func replay(states map[string]state, txid uint64, log []byte) {
	sc := bufio.NewScanner(bytes.NewReader(log))
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		var op struct {
			Op string `json:"op"`
			ID uint64 `json:"id"`
		}
		if json.Unmarshal(sc.Bytes(), &op) != nil || !sc.Scan() {
			return
		}
		var kv struct { // K and V in other releases: encoding/json takes both
			K string `json:"k"`
			V state  `json:"v"`
		}
		if json.Unmarshal(sc.Bytes(), &kv) != nil {
			return
		}
		if op.ID <= txid {
			continue
		}
		if op.ID != txid+1 {
			return
		}
		txid = op.ID
		switch op.Op {
		case "set":
			states[kv.K] = kv.V
		case "remove":
			delete(states, kv.K)
		}
	}
}

// place is what a state says; ok is false for one that is forgotten or no file's.
func (s *state) place() (p Place, ok bool) {
	if s.TTL != nil && *s.TTL == 0 {
		return p, false
	}
	p = Place{Path: s.Source, Offset: s.Offset}
	if s.Meta != nil && p.Path == "" {
		p.Path = s.Meta.Source
	}
	if s.Cursor != nil {
		p.Offset, p.Finished = s.Cursor.Offset, s.Cursor.EOF
	}
	if p.Path == "" || p.Offset < 0 {
		return p, false
	}
	if s.FileStateOS != nil {
		p.Identity, p.Inode, p.Device = "native", s.FileStateOS.Inode, s.FileStateOS.Device
		return p, true
	}
	rest, isStream := strings.CutPrefix(s.Key, "filestream::")
	i := strings.LastIndex(rest, "::")
	if !isStream || i < 0 {
		return p, false
	}
	p.Value = rest[i+2:]
	if j := strings.LastIndex(rest[:i], "::"); j >= 0 {
		i, rest = i-j-2, rest[j+2:]
	}
	p.Identity = rest[:i]
	switch p.Identity {
	case "native":
		inode, device, _ := strings.Cut(p.Value, "-")
		var err1, err2 error
		p.Inode, err1 = strconv.ParseUint(inode, 10, 64)
		p.Device, err2 = strconv.ParseUint(device, 10, 64)
		return p, err1 == nil && err2 == nil
	case "inode_marker":
		inode, _, _ := strings.Cut(p.Value, "-")
		var err error
		p.Inode, err = strconv.ParseUint(inode, 10, 64)
		return p, err == nil
	case "fingerprint", "path":
		return p, p.Value != ""
	}
	return p, false
}

// AgentID is the uuid in the meta.json of a Filebeat's data folder, "" when there is none.
func AgentID(data string) string {
	text, err := readFile(filepath.Join(data, "meta.json"))
	if err != nil {
		return ""
	}
	var meta struct {
		UUID string `json:"uuid"`
	}
	if json.Unmarshal(text, &meta) != nil {
		return ""
	}
	return meta.UUID
}
