# moto for tests/with-brokers: SQS's main path in Python, in a virtual environment of its own in the cache.
# It comes from PyPI, with or without a container engine, and takes Python 3.9 or newer.
# shellcheck shell=bash disable=SC2154

moto_version=5.2.5

moto_given() {
    [[ -n ${POSTROOM_MOTO_URL:-} ]]
}

moto_missing() {
    if ! command -v python3 >/dev/null && { [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; }; then
        echo "python3 is not installed"
    fi
}

moto_install() {
    python3 -c 'import ensurepip' 2>/dev/null || locked apt apt_install python3 python3-venv
    locked moto moto_environment "$cache/moto-$moto_version"
}

moto_environment() {
    [[ ! -e $1/ready ]] || return 0
    rm -rf "$1"
    say "installing moto into $1"
    python3 -m venv "$1" && twice "$1/bin/pip" install --quiet "moto[server]==$moto_version" >"$cache/moto.log" 2>&1 ||
        die "moto could not be installed; $cache/moto.log says why"
    touch "$1/ready"
}

moto_start() {
    mkdir -p "$run/moto"
    take_ports 1
    printf '%s\n' "${ports[@]}" >"$run/moto/port"
    start_process moto "$cache/moto-$moto_version/bin/moto_server" --host 127.0.0.1 --port "${ports[0]}"
}

moto_ready() {
    wait_until "moto" "$run/moto/log" moto_answers moto
}

moto_answers() {
    answers "$(cat "$run/$1/port")"
}

moto_urls() {
    echo "POSTROOM_MOTO_URL=sqs://us-east-1?endpoint=http://127.0.0.1:$(cat "$run/moto/port")"
}
