libformat_a_SOURCES += \
  %D%/checksum.h \
  %D%/java.h \
  %D%/match.h \
  %D%/model.h \
  %D%/node.c \
  %D%/node.h \
  %D%/properties.h \
  %D%/splitter.h \
  %D%/sql.h
