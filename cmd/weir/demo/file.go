package demo

import (
	"fmt"
	"os"
)

// logFile appends to a file and renames it when it is full: app.log, app.log.1, app.log.2 ...
type logFile struct {
	path  string
	f     *os.File
	size  int64
	limit int64
	buf   []byte
}

func openLog(path string) (*logFile, error) {
	l := &logFile{path: path, limit: rotateBytes}
	return l, l.open()
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("open log file: %w", err)
	}
	l.f, l.size = f, info.Size()
	return nil
}

// write buffers one event of whole lines.
func (l *logFile) write(text []byte) error {
	l.buf = append(l.buf, text...)
	if len(l.buf) >= 64<<10 {
		return l.flush()
	}
	return nil
}

func (l *logFile) flush() error {
	if len(l.buf) == 0 {
		return nil
	}
	n, err := l.f.Write(l.buf)
	l.size += int64(n)
	if err != nil {
		return fmt.Errorf("write %s: %w", l.path, err)
	}
	l.buf = l.buf[:0]
	if l.size >= l.limit {
		return l.rotate()
	}
	return nil
}

func (l *logFile) rotate() error {
	if err := l.f.Close(); err != nil {
		return fmt.Errorf("close %s: %w", l.path, err)
	}
	for i := keepFiles; i > 0; i-- {
		from := l.path
		if i > 1 {
			from = fmt.Sprintf("%s.%d", l.path, i-1)
		}
		if err := os.Rename(from, fmt.Sprintf("%s.%d", l.path, i)); err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("rotate: %w", err)
		}
	}
	return l.open()
}
