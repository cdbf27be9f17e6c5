package alert

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"time"
)

func tlsConfig(host string) *tls.Config {
	return &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
}

// mailText is a mail of plain text. Names and subject are encoded words, the text is base64: nothing of an event can become a header.
func mailText(from *mail.Address, to []*mail.Address, m Message, text string) []byte {
	var names []string
	for _, t := range to {
		names = append(names, t.String())
	}
	subject := fmt.Sprintf("[%s] %s", strings.ToUpper(m.Status), m.Rule)
	if m.Group != "" {
		subject += " (" + m.Group + ")"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\n", from, strings.Join(names, ", "),
		mime.BEncoding.Encode("utf-8", strings.Map(printable, clip(subject, 200))), m.Time.Format(time.RFC1123Z))
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	enc := base64.StdEncoding.EncodeToString([]byte(text))
	for len(enc) > 76 {
		b.WriteString(enc[:76] + "\r\n")
		enc = enc[76:]
	}
	b.WriteString(enc + "\r\n")
	return b.Bytes()
}

// printable drops control characters.
func printable(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return -1
	}
	return r
}
