package agent

import (
	"os"
	"path/filepath"
	"slices"
)

// alias is a name that leads, by symbolic links, to a name in another directory.
type alias struct {
	d    *dir
	name string
}

// maxLinks bounds the links from a name to its file.
const maxLinks = 8

// hops are the paths a symbolic link leads over, the file last.
func hops(path string) []string {
	var out []string
	for range maxLinks {
		target, err := os.Readlink(path)
		if err != nil {
			break
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = filepath.Clean(target)
		out = append(out, path)
	}
	return out
}

// follow watches every directory that the link name in d leads over: changes there are changes of the name.
func (k *keeper) follow(d *dir, name string) {
	list := hops(filepath.Join(d.path, name))
	k.a.mu.Lock()
	defer k.a.mu.Unlock()
	from := alias{d, name}
	for _, path := range list {
		hop := k.a.dirLocked(filepath.Dir(path))
		base := filepath.Base(path)
		if !slices.Contains(hop.links[base], from) {
			if hop.links == nil {
				hop.links = map[string][]alias{}
			}
			hop.links[base] = append(hop.links[base], from)
		}
		k.watchLocked(hop)
	}
}

// unfollowLocked forgets the links of a name that is gone.
func (k *keeper) unfollowLocked(d *dir, name string) {
	for _, hop := range k.a.dirs {
		for base, list := range hop.links {
			list = slices.DeleteFunc(list, func(l alias) bool { return l.d == d && l.name == name })
			if hop.links[base] = list; len(list) == 0 {
				delete(hop.links, base)
			}
		}
	}
}

// findMoved looks for the file of s among the rotations of its name, also where a link leads to.
func (k *keeper) findMoved(s *source) *entry {
	for _, path := range append(hops(s.path), s.path) {
		dir, base := filepath.Split(path)
		list, err := os.ReadDir(filepath.Clean(dir))
		if err != nil {
			continue
		}
		for _, de := range list {
			if !isRotationOf(de.Name(), base) {
				continue
			}
			e := &entry{name: de.Name(), path: filepath.Join(dir, de.Name())}
			if e.st, err = statPath(e.path, false); err == nil && e.st.place.inode() == s.place.inode() && !s.place.reused(e.st.place) {
				return e
			}
		}
	}
	return nil
}
