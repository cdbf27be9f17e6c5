package demo

import "fmt"

// pushFailure is a notification that a gateway does not take: an exception with a cause.
func (p *Player) pushFailure() scene {
	user := p.user()
	return p.newScene(
		event{notifications, "ERROR", p.reactor(), "c.w.notifications.PushService", fmt.Sprintf("push to user %d failed\n", user) +
			"com.weir.notifications.PushException: gateway refused the token\n" +
			"\tat com.weir.notifications.PushService.send(PushService.java:88) ~[classes/:na]\n" +
			"\tat com.weir.notifications.PushService.lambda$fanout$2(PushService.java:54) ~[classes/:na]\n" +
			"\tat reactor.core.publisher.FluxFlatMap$FlatMapMain.onNext(FluxFlatMap.java:388) ~[reactor-core-3.7.1.jar:3.7.1]\n" +
			"\tat java.base/java.lang.Thread.run(Thread.java:1583) ~[na:na]\n" +
			fmt.Sprintf("Caused by: java.net.SocketTimeoutException: Read timed out after %d ms\n", 2000+p.rng.IntN(3000)) +
			"\tat java.base/sun.nio.ch.NioSocketImpl.timedRead(NioSocketImpl.java:278) ~[na:na]\n" +
			"\tat java.base/java.net.Socket$SocketInputStream.read(Socket.java:1099) ~[na:na]\n" +
			"\t... 12 common frames omitted"},
		event{api, "WARN", p.worker(), "c.w.api.like.LikeService", fmt.Sprintf("notification for user %d not delivered, will retry", user)})
}

// deadlock is two transactions of the REST API that wait for each other: three levels of causes.
func (p *Player) deadlock() scene {
	id, w := p.story(), p.worker()
	return p.newScene(
		event{api, "WARN", w, "o.h.engine.jdbc.spi.SqlExceptionHelper", "SQL Error: 1213, SQLState: 40001"},
		event{api, "ERROR", w, "o.h.engine.jdbc.spi.SqlExceptionHelper", fmt.Sprintf("(conn=%d) Deadlock found when trying to get lock; try restarting transaction", 100+p.rng.IntN(900))},
		event{api, "ERROR", w, "o.a.c.c.C.[.[.[/].[dispatcherServlet]", "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception\n" +
			"org.springframework.dao.CannotAcquireLockException: could not execute statement [(conn=311) Deadlock found when trying to get lock; try restarting transaction]\n" +
			"\tat org.springframework.orm.jpa.vendor.HibernateJpaDialect.convertHibernateAccessException(HibernateJpaDialect.java:283) ~[spring-orm-6.2.1.jar:6.2.1]\n" +
			"\tat org.springframework.transaction.interceptor.TransactionInterceptor.invoke(TransactionInterceptor.java:119) ~[spring-tx-6.2.1.jar:6.2.1]\n" +
			fmt.Sprintf("\tat com.weir.api.like.LikeService.like(LikeService.java:%d) ~[classes/:na]\n", 60+id%30) +
			"\tat com.weir.api.like.LikeController.like(LikeController.java:33) ~[classes/:na]\n" +
			"\tat java.base/java.lang.Thread.run(Thread.java:1583) ~[na:na]\n" +
			"Caused by: org.hibernate.exception.LockAcquisitionException: could not execute statement\n" +
			"\tat org.hibernate.dialect.MySQLDialect.lambda$buildSQLExceptionConversionDelegate$3(MySQLDialect.java:1231) ~[hibernate-core-6.6.4.jar:6.6.4]\n" +
			"\t... 84 common frames omitted\n" +
			"Caused by: java.sql.SQLTransactionRollbackException: (conn=311) Deadlock found when trying to get lock; try restarting transaction\n" +
			"\tat org.mariadb.jdbc.export.ExceptionFactory.createException(ExceptionFactory.java:305) ~[mariadb-java-client-3.5.1.jar:na]\n" +
			"\tat org.mariadb.jdbc.client.impl.StandardClient.readPacket(StandardClient.java:911) ~[mariadb-java-client-3.5.1.jar:na]\n" +
			"\t... 97 common frames omitted"},
		p.requestLine(api, w, "POST", fmt.Sprintf("/api/v1/stories/%d/likes", id), 500))
}
