package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/mail"
	"net/smtp"
	"os"
	"strings"
	"text/template"
	"time"
)

// notifyTimeout bounds telling one address.
const notifyTimeout = 10 * time.Second

// Message is what a template is given.
type Message struct {
	Rule      string    `json:"rule"`
	Status    string    `json:"status"` // firing, ok
	Group     string    `json:"group,omitempty"`
	Value     float64   `json:"value"`
	Op        string    `json:"op,omitempty"`
	Threshold float64   `json:"threshold"`
	Window    string    `json:"window"`
	Query     string    `json:"query"`
	Index     string    `json:"index"`
	Example   string    `json:"example,omitempty"`
	Time      time.Time `json:"time"`
	Link      string    `json:"link,omitempty"`
	Test      bool      `json:"test,omitempty"`
}

// Mail is how mail is sent; it is the object "mail" of type setting.
type Mail struct {
	Host        string `json:"host"` // name:port
	From        string `json:"from"`
	User        string `json:"user,omitempty"`
	PasswordEnv string `json:"password_env,omitempty"` // the environment variable that holds the password; it is never stored
}

const plainText = `{{if .Test}}[test] {{end}}{{if eq .Status "firing"}}FIRING{{else}}OK{{end}} {{.Rule}}{{if .Group}} ({{.Group}}){{end}}: {{.Value}}` +
	`{{if .Op}} {{.Op}} {{.Threshold}}{{end}} in {{.Window}}{{if .Example}}
{{.Example}}{{end}}{{if .Link}}
{{.Link}}{{end}}`

// text renders a message; what is longer than the bound is cut.
func (a Action) text(m Message) (string, error) {
	src := a.Template
	if strings.TrimSpace(src) == "" {
		src = plainText
	}
	t, err := template.New("text").Parse(src)
	if err != nil {
		return "", fmt.Errorf("read the text: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&limited{&b}, m); err != nil && !errors.Is(err, errLong) {
		return "", fmt.Errorf("render the text: %w", err)
	}
	return b.String(), nil
}

var errLong = errors.New("the text is too long")

// limited stops a template that writes without end.
type limited struct{ b *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.b.Len()+len(p) > maxText {
		return 0, errLong
	}
	return l.b.Write(p)
}

// send tells one address.
func send(ctx context.Context, a Action, m Message, settings Mail) error {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	text, err := a.text(m)
	if err != nil {
		return err
	}
	switch a.Type {
	case "slack":
		return postJSON(ctx, a.URL, map[string]string{"text": text})
	case "discord":
		return postJSON(ctx, a.URL, map[string]string{"content": clip(text, 1900)})
	case "email":
		return sendMail(ctx, a, m, text, settings)
	}
	if strings.TrimSpace(a.Template) == "" {
		return postJSON(ctx, a.URL, m)
	}
	return post(ctx, a.URL, "text/plain; charset=utf-8", []byte(text))
}

func postJSON(ctx context.Context, url string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode the message: %w", err)
	}
	return post(ctx, url, "application/json", b.Bytes())
}

// post follows no redirect: an address leads where a person wrote, nowhere else.
func post(ctx context.Context, url, contentType string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("request: %w", err)
	}
	if json.Valid(body) {
		contentType = "application/json"
	}
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("User-Agent", "weir")
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("send: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		answer, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		return fmt.Errorf("the address answered %s: %s", resp.Status, bytes.TrimSpace(answer))
	}
	return nil
}

func sendMail(ctx context.Context, a Action, m Message, text string, s Mail) error {
	if s.Host == "" || s.From == "" {
		return errors.New("no mail server is set; see Settings")
	}
	to, err := mail.ParseAddressList(a.To)
	if err != nil {
		return fmt.Errorf("read addresses: %w", err)
	}
	host, _, err := net.SplitHostPort(s.Host)
	if err != nil {
		return fmt.Errorf("mail server %q: want name:port", s.Host)
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", s.Host)
	if err != nil {
		return fmt.Errorf("reach the mail server: %w", err)
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		conn.SetDeadline(deadline)
	}
	c, err := smtp.NewClient(conn, host)
	if err != nil {
		return fmt.Errorf("greet the mail server: %w", err)
	}
	defer c.Close()
	return deliver(c, host, s, to, m, text)
}

func deliver(c *smtp.Client, host string, s Mail, to []*mail.Address, m Message, text string) error {
	if ok, _ := c.Extension("STARTTLS"); ok {
		if err := c.StartTLS(tlsConfig(host)); err != nil {
			return fmt.Errorf("start TLS: %w", err)
		}
	}
	if s.User != "" {
		if err := c.Auth(smtp.PlainAuth("", s.User, os.Getenv(s.PasswordEnv), host)); err != nil {
			return fmt.Errorf("log in to the mail server: %w", err)
		}
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return fmt.Errorf("sender %q: %w", s.From, err)
	}
	if err := c.Mail(from.Address); err != nil {
		return fmt.Errorf("sender: %w", err)
	}
	for _, t := range to {
		if err := c.Rcpt(t.Address); err != nil {
			return fmt.Errorf("receiver %s: %w", t.Address, err)
		}
	}
	w, err := c.Data()
	if err != nil {
		return fmt.Errorf("send the mail: %w", err)
	}
	if _, err := w.Write(mailText(from, to, m, text)); err != nil {
		return fmt.Errorf("send the mail: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("send the mail: %w", err)
	}
	return c.Quit()
}
