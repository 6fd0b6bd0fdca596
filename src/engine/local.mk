libengine_a_SOURCES = %D%/dispatcher.c %D%/dispatcher.h %D%/events.c %D%/events.h %D%/settings.c %D%/settings.h
