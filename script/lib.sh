# Shared by script/*. Sourced by bash with "set -euo pipefail"; sets top, the folder of the checkout.
# shellcheck shell=bash disable=SC2034 # variables are for those who source this

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

BUILD_PACKAGES=(gcc make autoconf automake pkg-config libc6-dev libsystemd-dev libpq-dev libmicrohttpd-dev
        libjansson-dev libcurl4-openssl-dev libsqlite3-dev zlib1g-dev libssl-dev libexpat1-dev libyaml-dev libpcre2-dev
        libunistring-dev)
SERVER_PACKAGES=("${BUILD_PACKAGES[@]}" postgresql curl)
LINT_PACKAGES=(clang-format clang-tidy cppcheck shellcheck)
TEST_PACKAGES=("${SERVER_PACKAGES[@]}" "${LINT_PACKAGES[@]}" clang libclang-rt-14-dev libcmocka-dev valgrind pgbouncer
        python3 python3-pytest python3-psycopg2 python3-yaml)

say() {
        printf '%s\n' "$*" >&2
}

die() {
        say "$(basename "$0"): $*"
        exit 1
}

is_installed() {
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs those of the named Debian packages that are missing. Says nothing when there are none.
install_missing() { # install_missing PACKAGE...
        local package missing=() root=()

        command -v dpkg-query >/dev/null || return 0 # no Debian: configure says what is missing
        for package; do
                is_installed "$package" || missing+=("$package")
        done
        [ ${#missing[@]} -gt 0 ] || return 0
        if [ "$(id -u)" != 0 ]; then
                command -v sudo >/dev/null || die "please install, as root: ${missing[*]}"
                root=(sudo)
        fi
        say "installing ${missing[*]}"
        local log
        log=$(mktemp)
        if ! { "${root[@]}" apt-get -qq update &&
                "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}"
        } </dev/null >"$log" 2>&1; then
                cat "$log" >&2
                rm -f "$log"
                die "apt-get could not install ${missing[*]}"
        fi
        rm -f "$log"
}

# The folder of the newest PostgreSQL server here, or nothing.
find_bindir() {
        local d

        if [ -n "${PGMIGRATED_TEST_PG_BINDIR:-}" ]; then
                printf '%s\n' "$PGMIGRATED_TEST_PG_BINDIR"
                return
        fi
        for d in $(printf '%s\n' /usr/lib/postgresql/*/bin | sort -rV); do
                if [ -x "$d/initdb" ]; then
                        printf '%s\n' "$d"
                        return
                fi
        done
}

# PostgreSQL refuses to run as root, so root steps down.
as_postgres() {
        if [ "$(id -u)" = 0 ]; then
                setpriv --reuid=postgres --regid=postgres --clear-groups --inh-caps=-all -- "$@"
        else
                "$@"
        fi
}

# Below 32768: a refused port inside the ephemeral range can connect to itself.
free_port() { # free_port PREFERRED
        local port=$1 tries

        for tries in {1..200}; do
                if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
                        printf '%s\n' "$port"
                        return
                fi
                port=$((24000 + (RANDOM + tries) % 4000))
        done
        die "no free TCP port found on 127.0.0.1"
}

random_word() {
        od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Starts a throw-away PostgreSQL in a new folder below /tmp, with a role and a database called app. Sets PG_TOP and
# PG_URL. postgres_stop ends and removes it.
PG_TOP=
postgres_start() {
        local bindir password port

        bindir=$(find_bindir)
        [ -n "$bindir" ] || die "no PostgreSQL server found in /usr/lib/postgresql; install one, or set DATABASE_URL"
        password=$(random_word)
        PG_TOP=$(mktemp -d /tmp/pgmigrated-pg.XXXXXX) # short: the path of a Unix socket has 107 bytes
        PG_BINDIR=$bindir
        printf '%s\n' "$password" >"$PG_TOP/password"
        [ "$(id -u)" != 0 ] || chown -R postgres: "$PG_TOP"
        (
                cd "$PG_TOP"
                as_postgres "$bindir/initdb" -D "$PG_TOP/data" -U postgres -E UTF8 --locale=C.UTF-8 -A scram-sha-256 \
                        --pwfile="$PG_TOP/password" --no-sync >"$PG_TOP/initdb.log" 2>&1
        ) || { cat "$PG_TOP/initdb.log" >&2 && die "initdb failed"; }
        port=$(free_port "$((24000 + RANDOM % 4000))")
        (
                cd "$PG_TOP"
                as_postgres "$bindir/pg_ctl" -D "$PG_TOP/data" -w -t 30 -l "$PG_TOP/log" -o "-p $port \
                        -c listen_addresses=127.0.0.1 -c unix_socket_directories=$PG_TOP -c fsync=off" start >/dev/null 2>&1
        ) </dev/null || { cat "$PG_TOP/log" >&2 && die "PostgreSQL did not start"; }
        PGPASSWORD=$password psql -qX -v ON_ERROR_STOP=1 -h "$PG_TOP" -p "$port" -U postgres -d postgres \
                -c "CREATE ROLE app LOGIN PASSWORD '$password'" -c 'CREATE DATABASE app OWNER app'
        PG_URL="postgresql://app:$password@127.0.0.1:$port/app"
        PG_SUPER_URL="postgresql://postgres:$password@127.0.0.1:$port/app"
}

postgres_stop() {
        [ -n "$PG_TOP" ] || return 0
        (cd / && as_postgres "$PG_BINDIR/pg_ctl" -D "$PG_TOP/data" -m immediate -w stop >/dev/null 2>&1) || true
        rm -rf "$PG_TOP"
        PG_TOP=
}

# Configures DIRECTORY (made where needed) unless that has been done with the same arguments, and builds TARGETs there.
build_in() { # build_in DIRECTORY 'CONFIGURE ARGUMENTS' TARGET...
        local directory=$1 arguments=$2

        shift 2
        [ -x "$top/configure" ] || (cd "$top" && autoreconf -fi)
        mkdir -p "$directory"
        cd "$directory" || return
        if [ ! -e config.status ] || [ "$(cat configured-with 2>/dev/null)" != "$arguments" ]; then
                # shellcheck disable=SC2086 # the arguments are words
                "$top/configure" -q $arguments
                printf '%s\n' "$arguments" >configured-with
        fi
        make -s -j"$(nproc)" "$@"
}
