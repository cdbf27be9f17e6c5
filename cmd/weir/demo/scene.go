package demo

import (
	"fmt"
	"time"
)

// The services, by the names of their files and of spring.application.name.
const (
	api           = "api"
	notifications = "notifications"
	stories       = "stories"
)

var services = []string{api, notifications, stories}

// pids are the process ids the services print.
var pids = map[string]int{api: 4711, notifications: 5120, stories: 6038}

// event is one log event before it has a time.
type event struct {
	service, level, thread, logger, text string
}

// scene is a list of events under one trace.
type scene struct {
	trace  string // 32 hexadecimal digits, "" for work outside a request
	spans  map[string]string
	events []event
}

// format renders an event as Spring Boot 3's console and file appenders do.
func format(at time.Time, e event, s scene) []byte {
	id := ""
	if s.trace != "" {
		id = s.trace + "-" + s.spans[e.service]
	}
	return fmt.Appendf(nil, "%s %5s %d --- [%s] [%15.15s] [%49s] %-40.40s : %s\n",
		at.Format("2006-01-02T15:04:05.000Z07:00"), e.level, pids[e.service], e.service, e.thread, id, e.logger, e.text)
}

func (p *Player) newScene(events ...event) scene {
	s := scene{trace: fmt.Sprintf("%016x%016x", p.rng.Uint64(), p.rng.Uint64()), spans: map[string]string{}, events: events}
	for _, name := range services {
		s.spans[name] = fmt.Sprintf("%016x", p.rng.Uint64())
	}
	return s
}

// invent picks what a user does; the weights are those of a quiet afternoon.
func (p *Player) invent() scene {
	switch n := p.rng.IntN(1000); {
	case n < 520:
		return p.readStory()
	case n < 700:
		return p.listStories()
	case n < 800:
		return p.like()
	case n < 880:
		return p.login()
	case n < 930:
		return p.publish()
	case n < 960:
		return p.slowQuery()
	case n < 980:
		return p.housekeeping()
	case n < 992:
		return p.pushFailure()
	case n < 998:
		return p.missingStory()
	default:
		return p.deadlock()
	}
}

func (p *Player) worker() string  { return fmt.Sprintf("nio-8080-exec-%d", 1+p.rng.IntN(10)) }
func (p *Player) reactor() string { return fmt.Sprintf("or-http-epoll-%d", 1+p.rng.IntN(4)) }
func (p *Player) story() int      { return 1 + p.rng.IntN(5000) }
func (p *Player) user() int       { return 1000 + p.rng.IntN(800) }

// took is a response time in ms: mostly small, with a tail.
func (p *Player) took() int {
	ms := 1 + int(p.rng.ExpFloat64()*14)
	if p.rng.IntN(200) == 0 {
		ms += 500 + p.rng.IntN(2500)
	}
	return ms
}

func (p *Player) requestLine(service, thread, method, path string, status int) event {
	level := "INFO"
	if status >= 500 {
		level = "ERROR"
	} else if status >= 400 {
		level = "WARN"
	}
	return event{service, level, thread, "c.w." + service + ".web.RequestLog", fmt.Sprintf("%s %s %d %dms", method, path, status, p.took())}
}

func (p *Player) readStory() scene {
	id, w, r := p.story(), p.worker(), p.reactor()
	s := p.newScene(
		event{stories, "INFO", r, "c.w.stories.StoryService", fmt.Sprintf("story %d read by user %d from cache=%t", id, p.user(), p.rng.IntN(3) > 0)},
		p.requestLine(stories, r, "GET", fmt.Sprintf("/internal/stories/%d", id), 200),
		p.requestLine(api, w, "GET", fmt.Sprintf("/api/v1/stories/%d", id), 200))
	if p.rng.IntN(20) == 0 {
		s.events = append([]event{{stories, "DEBUG", r, "org.mongodb.driver.protocol.command", fmt.Sprintf("Command \"find\" succeeded in %d.%02d ms using a connection with driver-generated ID %d", p.rng.IntN(9), p.rng.IntN(100), p.rng.IntN(40))}}, s.events...)
	}
	return s
}

func (p *Player) listStories() scene {
	page, w := p.rng.IntN(40), p.worker()
	return p.newScene(
		event{api, "INFO", w, "c.w.api.feed.FeedController", fmt.Sprintf("feed page %d for user %d has %d stories", page, p.user(), 20)},
		p.requestLine(api, w, "GET", fmt.Sprintf("/api/v1/feed?page=%d", page), 200))
}

func (p *Player) like() scene {
	id, w := p.story(), p.worker()
	return p.newScene(
		event{api, "INFO", w, "c.w.api.like.LikeService", fmt.Sprintf("user %d likes story %d", p.user(), id)},
		event{notifications, "INFO", p.reactor(), "c.w.notifications.PushService", fmt.Sprintf("push LIKE queued for user %d on %d devices", p.user(), 1+p.rng.IntN(3))},
		p.requestLine(api, w, "POST", fmt.Sprintf("/api/v1/stories/%d/likes", id), 201))
}

func (p *Player) login() scene {
	w, user := p.worker(), p.user()
	if p.rng.IntN(6) == 0 {
		return p.newScene(
			event{api, "WARN", w, "c.w.api.auth.LoginService", fmt.Sprintf("login refused for user %d from 203.0.113.%d: bad password (attempt %d)", user, p.rng.IntN(255), 1+p.rng.IntN(4))},
			p.requestLine(api, w, "POST", "/api/v1/login", 401))
	}
	return p.newScene(
		event{api, "INFO", w, "c.w.api.auth.LoginService", fmt.Sprintf("user %d logged in from 198.51.100.%d", user, p.rng.IntN(255))},
		p.requestLine(api, w, "POST", "/api/v1/login", 200))
}

func (p *Player) publish() scene {
	id, w, r := 5000+p.story(), p.worker(), p.reactor()
	return p.newScene(
		event{stories, "INFO", r, "c.w.stories.StoryService", fmt.Sprintf("story %d published by user %d: 제목 \"오늘의 기록 %d\"", id, p.user(), id%97)},
		event{notifications, "INFO", p.reactor(), "c.w.notifications.FanoutService", fmt.Sprintf("fan-out of story %d to %d followers in %d ms", id, p.rng.IntN(400), p.took())},
		p.requestLine(stories, r, "POST", "/internal/stories", 201),
		p.requestLine(api, w, "POST", "/api/v1/stories", 201))
}

func (p *Player) slowQuery() scene {
	w := p.worker()
	return p.newScene(
		event{api, "INFO", w, "org.hibernate.SQL_SLOW", fmt.Sprintf("SlowQuery: %d milliseconds. SQL: 'select m1_0.id,m1_0.nickname,m1_0.created_at from member m1_0 left join follow f1_0 on f1_0.target_id=m1_0.id where m1_0.nickname like ? order by m1_0.created_at desc limit %d'", 300+p.rng.IntN(2400), 20)},
		p.requestLine(api, w, "GET", fmt.Sprintf("/api/v1/members?q=%c", 'a'+rune(p.rng.IntN(26))), 200))
}

func (p *Player) housekeeping() scene {
	s := p.newScene(
		event{notifications, "INFO", "scheduling-1", "c.w.notifications.DigestJob", fmt.Sprintf("daily digest: %d mails, %d skipped", p.rng.IntN(300), p.rng.IntN(20))},
		event{api, "DEBUG", "l-1 housekeeper", "com.zaxxer.hikari.pool.HikariPool", fmt.Sprintf("HikariPool-1 - Pool stats (total=10, active=%d, idle=%d, waiting=0)", p.rng.IntN(6), 4+p.rng.IntN(6))})
	s.trace = ""
	return s
}

func (p *Player) missingStory() scene {
	id, w := 90_000+p.story(), p.worker()
	return p.newScene(
		event{stories, "WARN", p.reactor(), "c.w.stories.StoryService", fmt.Sprintf("story %d not found", id)},
		p.requestLine(api, w, "GET", fmt.Sprintf("/api/v1/stories/%d", id), 404))
}
