libloop_a_SOURCES = %D%/notify.c %D%/notify.h %D%/backoff.c %D%/backoff.h %D%/fiber.c %D%/fiber.h %D%/resolver.c %D%/resolver.h \
  %D%/worker.c %D%/worker.h
