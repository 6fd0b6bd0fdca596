libapi_a_SOURCES = %D%/connection.c %D%/connection.h %D%/deadline_list.c %D%/deadline_list.h \
  %D%/event_stream.c %D%/event_stream.h %D%/handle_database.c %D%/handle_events.c %D%/handle_migrate.c \
  %D%/handle_page.c %D%/handle_runs.c %D%/handle_state.c %D%/handlers.h %D%/listener.c %D%/listener.h \
  %D%/loop_stats.c %D%/loop_stats.h %D%/metrics.c %D%/metrics.h %D%/migrate_request.c \
  %D%/migrate_request.h %D%/problem.c %D%/problem.h %D%/pump.c %D%/pump.h %D%/request.c %D%/request.h \
  %D%/request_head.c %D%/request_head.h %D%/request_target.c %D%/request_target.h %D%/response.c \
  %D%/response.h %D%/router.c %D%/router.h %D%/routes.c %D%/server.c %D%/server.h \
  %D%/server_private.h %D%/timer.c %D%/timer.h
