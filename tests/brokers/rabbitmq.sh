# RabbitMQ for tests/with-brokers: 4.0 (Debian trixie) and 4.3 (Debian forky), for peeking changed between them.
# Each node has AMQP, AMQP over TLS and the management API over HTTP and HTTPS, on 127.0.0.1 only.
#
# Users: guest / guest (administrator), app / app (no tags: the management API answers 401), and postroom-client, who
# has no password and comes in by EXTERNAL with the client certificate.
#
# From packages: each release is a minimal system in the cache, entered with chroot in a mount and process namespace
# of its own, so that nothing is left mounted and one kill takes the whole node. That needs root.
# shellcheck shell=bash disable=SC2154

rabbitmq_nodes='40:trixie 43:forky'
rabbitmq_ports_per_node=6

rabbitmq_given() {
    [[ -n ${POSTROOM_RABBITMQ40_URL:-} && -n ${POSTROOM_RABBITMQ43_URL:-} ]]
}

rabbitmq_missing() {
    if ! command -v openssl >/dev/null && [[ $engine != packages || $EUID != 0 ]]; then
        echo "openssl is not installed (it makes the certificates)"
    elif [[ $engine != packages ]]; then
        return
    elif [[ $EUID != 0 ]]; then
        echo "no container engine answers, and without one it takes root to install it from packages"
    elif ! command -v apt-get >/dev/null; then
        echo "no container engine answers, and without one it takes a Debian with apt"
    elif ! unshare --mount --pid --fork true 2>/dev/null; then
        echo "no container engine answers, and this machine lets nobody make a namespace (unshare)"
    fi
}

rabbitmq_install() {
    if [[ $engine != packages ]]; then
        compose pull --quiet >&2
        return
    fi
    local node job jobs=()
    command -v openssl >/dev/null || locked apt apt_install openssl
    command -v debootstrap >/dev/null || locked apt apt_install debootstrap
    for node in $rabbitmq_nodes; do
        locked "rabbitmq-${node#*:}" rabbitmq_debootstrap "${node#*:}" &
        jobs+=($!)
    done
    for job in "${jobs[@]}"; do
        wait "$job"
    done
}

# rabbitmq_debootstrap SUITE: makes $cache/rabbitmq-SUITE, whole or not at all.
rabbitmq_debootstrap() {
    local suite=$1 root=$cache/rabbitmq-$1 mirror script proxy
    [[ ! -d $root ]] || return 0
    mirror=$(debian_mirror)
    [[ -n $mirror ]] || { twice apt-get update --quiet=2 >&2 && mirror=$(debian_mirror); }
    [[ -n $mirror ]] || die "apt on this machine has no Debian mirror; name one in POSTROOM_DEBIAN_MIRROR"
    # All releases since long ago are made alike, so a debootstrap older than the release does with sid's script.
    script=/usr/share/debootstrap/scripts/$suite
    [[ -e $script ]] || script=${script%/*}/sid
    eval "$(apt-config shell proxy Acquire::http::Proxy)"
    [[ -z ${proxy:-} ]] || export http_proxy=$proxy
    say "installing RabbitMQ from Debian $suite into $root"
    twice rabbitmq_debootstrap_into "$root.partial" "$suite" "$mirror" "$script" ||
        die "RabbitMQ from Debian $suite could not be installed; $cache/debootstrap-$suite.log says why"
    mv "$root.partial" "$root"
}

rabbitmq_debootstrap_into() {
    rm -rf --one-file-system "$1"
    # In a mount namespace: what it mounts is gone when it ends, also when it is killed.
    unshare --mount --propagation private \
        debootstrap --variant=minbase --include=rabbitmq-server "$2" "$1" "$3" "$4" >"$cache/debootstrap-$2.log" 2>&1 &&
        printf '127.0.0.1 localhost\n' >"$1/etc/hosts"
}

rabbitmq_start() {
    local node name
    certificates "$run/tls"
    for node in $rabbitmq_nodes; do
        name=rabbitmq${node%%:*}
        mkdir -p "$run/$name"
        take_ports "$rabbitmq_ports_per_node"
        printf '%s\n' "${ports[@]}" >"$run/$name/ports"
        rabbitmq_plugins "${node%%:*}" >"$run/$name/enabled_plugins"
        rabbitmq_definitions >"$run/$name/definitions.json"
        if [[ $engine == packages ]]; then
            rabbitmq_conf 127.0.0.1 "${ports[@]:0:4}" "/srv/$name" >"$run/$name/rabbitmq.conf"
            rabbitmq_start_package "${node#*:}" "$name" "${ports[@]:4:2}"
        else
            rabbitmq_conf 0.0.0.0 5672 5671 15672 15671 "/srv/$name" >"$run/$name/rabbitmq.conf"
        fi
    done
    [[ $engine == packages ]] || rabbitmq_compose up --detach >&2
}

# rabbitmq_plugins NUMBER: 4.3 has shovels, so that moves by the broker are tested, and 4.0 has none, so that their refusal is.
rabbitmq_plugins() {
    local shovel=
    [[ $1 != 43 ]] || shovel=,rabbitmq_shovel
    printf '[rabbitmq_management,rabbitmq_auth_mechanism_ssl%s].\n' "$shovel"
}

# rabbitmq_start_package SUITE NAME DIST_PORT EPMD_PORT
rabbitmq_start_package() {
    local suite=$1 name=$2 home=/srv/$2
    # Two nodes and a compiler share few cores, so schedulers do not spin while they wait.
    # shellcheck disable=SC2016
    start_process "$name" unshare --mount --propagation private --pid --fork --kill-child \
        sh -c 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount --bind "$2" "$1/srv" && shift 2 &&
               ulimit -S -n "$(ulimit -H -n)" && exec "$@"' sh "$cache/rabbitmq-$suite" "$run" \
        chroot "$cache/rabbitmq-$suite" /usr/bin/env --ignore-environment \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 HOME="$home" \
        RABBITMQ_NODENAME="$name@localhost" RABBITMQ_DIST_PORT="$3" \
        ERL_EPMD_PORT="$4" ERL_EPMD_ADDRESS=127.0.0.1 \
        RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$home/rabbitmq.conf" \
        RABBITMQ_ENABLED_PLUGINS_FILE="$home/enabled_plugins" RABBITMQ_PID_FILE="$home/pid" \
        RABBITMQ_MNESIA_BASE="$home/data" RABBITMQ_LOG_BASE="$home/logs" RABBITMQ_LOGS=- \
        RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}' \
        /usr/lib/rabbitmq/bin/rabbitmq-server
}

# rabbitmq_conf ADDRESS AMQP AMQPS HTTP HTTPS FOLDER
rabbitmq_conf() {
    cat <<END
listeners.tcp.default = $1:$2
listeners.ssl.default = $1:$3
ssl_options.cacertfile = /srv/tls/ca.pem
ssl_options.certfile = /srv/tls/server.pem
ssl_options.keyfile = /srv/tls/server.key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = false
ssl_cert_login_from = common_name
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = AMQPLAIN
auth_mechanisms.3 = EXTERNAL
loopback_users = none
management.tcp.ip = $1
management.tcp.port = $4
management.ssl.ip = $1
management.ssl.port = $5
management.ssl.cacertfile = /srv/tls/ca.pem
management.ssl.certfile = /srv/tls/server.pem
management.ssl.keyfile = /srv/tls/server.key
load_definitions = $6/definitions.json
disk_free_limit.absolute = 100MB
END
}

rabbitmq_definitions() {
    cat <<'END'
{"vhosts": [{"name": "/"}],
 "users": [
  {"name": "guest", "password": "guest", "tags": ["administrator"]},
  {"name": "app", "password": "app", "tags": []},
  {"name": "postroom-client", "password_hash": "", "tags": ["administrator"]}],
 "permissions": [
  {"user": "guest", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "app", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"},
  {"user": "postroom-client", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}]}
END
}

rabbitmq_ready() {
    local node name
    for node in $rabbitmq_nodes; do
        name=rabbitmq${node%%:*}
        wait_until "RabbitMQ ${name#rabbitmq}" "$run/$name/log" rabbitmq_answers "$name"
    done
}

# rabbitmq_answers NAME: the management API lets guest in, and AMQP answers a hello.
rabbitmq_answers() {
    local ports line
    mapfile -t ports <"$run/$1/ports"
    { exec 3<>"/dev/tcp/127.0.0.1/${ports[2]}"; } 2>/dev/null || return 1
    printf 'GET /api/overview HTTP/1.0\r\nHost: localhost\r\nAuthorization: Basic Z3Vlc3Q6Z3Vlc3Q=\r\n\r\n' >&3
    IFS= read -r -t 5 line <&3 || return 1
    exec 3>&-
    [[ $line == *' 200 '* ]] || return 1
    { exec 3<>"/dev/tcp/127.0.0.1/${ports[0]}"; } 2>/dev/null || return 1
    printf 'AMQP\0\0\011\001' >&3
    IFS= read -r -t 5 -N 1 line <&3 || true
    exec 3>&-
    answers "${ports[1]}"
}

rabbitmq_urls() {
    local node number ports
    for node in $rabbitmq_nodes; do
        number=${node%%:*}
        mapfile -t ports <"$run/rabbitmq$number/ports"
        echo "POSTROOM_RABBITMQ${number}_URL=amqp://guest:guest@127.0.0.1:${ports[0]}/%2f?management=http://127.0.0.1:${ports[2]}"
        echo "POSTROOM_RABBITMQ${number}_TLS_URL=amqps://guest:guest@localhost:${ports[1]}/%2f?management=https://localhost:${ports[3]}"
    done
    echo "POSTROOM_RABBITMQ_TLS_CA=$run/tls/ca.pem"
    echo "POSTROOM_RABBITMQ_TLS_CERT=$run/tls/client.pem"
    echo "POSTROOM_RABBITMQ_TLS_KEY=$run/tls/client.key"
    echo "POSTROOM_RABBITMQ_TLS_USER=postroom-client"
}

rabbitmq_stop() {
    [[ $engine == packages ]] || rabbitmq_compose down --volumes --timeout 1 >/dev/null 2>&1
}

# compose, with the run's folder and each node's ports for compose.yaml.
rabbitmq_compose() (
    export POSTROOM_RUN=$run
    for node in $rabbitmq_nodes; do
        number=${node%%:*}
        mapfile -t ports <"$run/rabbitmq$number/ports"
        export "RABBITMQ${number}_AMQP=${ports[0]}" "RABBITMQ${number}_AMQPS=${ports[1]}" \
            "RABBITMQ${number}_HTTP=${ports[2]}" "RABBITMQ${number}_HTTPS=${ports[3]}"
    done
    compose "$@"
)
