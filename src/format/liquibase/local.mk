libformat_a_SOURCES += \
  %D%/checksum.h \
  %D%/java.h \
  %D%/loader.h \
  %D%/match.c \
  %D%/match.h \
  %D%/model.h \
  %D%/node.c \
  %D%/node.h \
  %D%/path.c \
  %D%/properties.c \
  %D%/properties.h \
  %D%/splitter.h \
  %D%/sql.h
