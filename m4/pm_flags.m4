# PM_ADD_FLAGS(VARIABLE, FLAGS): appends to VARIABLE each flag that compiles and links without complaint.
AC_DEFUN([PM_ADD_FLAGS], [
for pm_flag in $2; do
  AC_MSG_CHECKING([whether $CC accepts $pm_flag])
  pm_save_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -Werror $pm_flag"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes]); $1="$$1 $pm_flag"], [AC_MSG_RESULT([no])])
  CFLAGS=$pm_save_CFLAGS
done
AC_SUBST([$1])])

AC_DEFUN([PM_WARNINGS], [
PM_ADD_FLAGS([PM_WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
  -Wmissing-variable-declarations -Wno-format-nonliteral -Wformat=2 -Wformat-signedness -Wpointer-arith -Wcast-qual -Wwrite-strings \
  -Wconversion -Wvla -Wundef -Wredundant-decls -Wduplicated-cond -Wduplicated-branches -Wlogical-op \
  -Wimplicit-fallthrough -Wdate-time])
AS_IF([test "$enable_werror" = yes], [PM_WARN_CFLAGS="$PM_WARN_CFLAGS -Werror"])])

# Flags go where a user's own CFLAGS come after them. Sanitizers do not mix with _FORTIFY_SOURCE, and
# zeroed locals would hide from valgrind what it looks for, so each build is one of the three.
AC_DEFUN([PM_HARDENING], [
AS_IF([test "$enable_sanitize" != no],
  [PM_ADD_FLAGS([PM_HARDEN_CFLAGS],
     [-fsanitize=$enable_sanitize -fno-omit-frame-pointer -fno-sanitize-recover=all])
   PM_ADD_FLAGS([PM_HARDEN_LDFLAGS], [-fsanitize=$enable_sanitize])],
  [test "$enable_coverage" = yes],
  [PM_ADD_FLAGS([PM_HARDEN_CFLAGS], [--coverage])
   PM_ADD_FLAGS([PM_HARDEN_LDFLAGS], [--coverage])],
  [test "$enable_hardening" != no],
  [PM_HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3"
   PM_ADD_FLAGS([PM_HARDEN_CFLAGS], [-fPIE -fstack-protector-strong -fstack-clash-protection \
     -fcf-protection -ftrivial-auto-var-init=zero])
   PM_ADD_FLAGS([PM_HARDEN_LDFLAGS], [-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack])])
PM_ADD_FLAGS([PM_HARDEN_CFLAGS], [-fno-common])
PM_ADD_FLAGS([PM_HARDEN_LDFLAGS], [-Wl,--as-needed])
AC_SUBST([PM_HARDEN_CPPFLAGS])])
