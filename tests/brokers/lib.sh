# What every broker of tests/with-brokers needs: talk, the cache and its locks, free ports, processes to stop.
# Sourced by tests/with-brokers, together with one file per broker. A file NAME.sh defines
#   NAME_given     whether the environment already holds its URLs, so that there is nothing to start
#   NAME_missing   prints why it can't run on this machine, nothing where it can
#   NAME_install   puts what it needs into $cache (once; other runs wait for it)
#   NAME_start     starts it, with its data under $run; processes through `start_process`
#   NAME_answers   whether one of its processes answers, by the name of its folder under $run
#   NAME_ready     waits until it answers, through `wait_until`
#   NAME_urls      prints NAME=VALUE lines for the command's environment
#   NAME_stop      stops what `stop_all` can't: containers (optional)
# shellcheck shell=bash disable=SC2016,SC2034,SC2154

cache=${POSTROOM_BROKER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/postroom-brokers}
engine=
project=postroom-$$
run=
command=
pids=()
started=()

say() {
    printf 'with-brokers: %s\n' "$*" >&2
}

# 69 is EX_UNAVAILABLE: a service that is needed is not there.
die() {
    say "$*"
    exit 69
}

broker_names() {
    find "$here" -maxdepth 1 -name '*.sh' ! -name lib.sh -printf '%f\n' | sed 's/\.sh$//' | sort
}

# --- how brokers come here -------------------------------------------------------------------------------------

# The container engine that answers, or "packages": the value of $engine.
find_engine() {
    local candidate
    for candidate in ${POSTROOM_BROKER_ENGINE:-docker podman}; do
        if [[ $candidate == packages ]]; then
            break
        elif command -v "$candidate" >/dev/null && timeout 10 "$candidate" info >/dev/null 2>&1 &&
            "$candidate" compose version >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    echo packages
}

compose() {
    "$engine" compose --project-name "$project" --file "$here/compose.yaml" "$@"
}

# Runs a command again, once: package mirrors have bad moments.
twice() {
    "$@" || { say "trying again: $*" && sleep 3 && "$@"; }
}

# apt_install PACKAGE...: installs the packages whose commands are missing. Needs root.
apt_install() {
    twice apt-get update --quiet=2 >&2
    DEBIAN_FRONTEND=noninteractive twice apt-get install --yes --quiet=2 --no-install-recommends "$@" >&2
}

# The Debian mirror that this machine's apt is configured with; nothing where it has none.
debian_mirror() {
    if [[ -n ${POSTROOM_DEBIAN_MIRROR:-} ]]; then
        echo "$POSTROOM_DEBIAN_MIRROR"
        return
    fi
    apt-get indextargets --format '$(LABEL) $(SITE)' 'Created-By: Packages' 2>/dev/null |
        sed -n 's/^Debian //p' | sort -u | head -n 1
}

# locked NAME COMMAND...: runs the command while no other run holds NAME.
locked() (
    mkdir -p "$cache"
    exec 9>"$cache/$1.lock"
    flock --nonblock 9 || { say "waiting for another run that installs $1" && flock 9; }
    shift
    "$@"
)

# maven_missing: why jars can't be had here, nothing where they can.
maven_missing() {
    if command -v mvn >/dev/null && command -v java >/dev/null; then
        return
    elif [[ $EUID != 0 ]] || ! command -v apt-get >/dev/null; then
        echo "java and mvn are not installed (it comes as jars from Maven)"
    fi
}

# maven_install NAME: makes $cache/NAME of the jars that tests/brokers/maven/NAME.xml asks for, whole or not at all.
# A folder of another version is another folder: `maven_folder NAME` names it.
maven_install() {
    command -v mvn >/dev/null && command -v java >/dev/null ||
        locked apt apt_install default-jre-headless maven
    locked "$1" maven_copy "$1" "$(maven_folder "$1")"
}

maven_folder() {
    echo "$cache/$1-$(sed -n 's|^  <version>\(.*\)</version>|\1|p' "$here/maven/$1.xml")"
}

maven_copy() {
    [[ ! -d $2 ]] || return 0
    rm -rf "$2.partial"
    say "installing $1 from Maven into $2"
    twice mvn --quiet --batch-mode --file "$here/maven/$1.xml" dependency:copy-dependencies \
        -DoutputDirectory="$2.partial" >"$cache/maven-$1.log" 2>&1 ||
        die "$1 could not be installed; $cache/maven-$1.log says why"
    mv "$2.partial" "$2"
}

# --- this run ----------------------------------------------------------------------------------------------------

# Makes $run, the folder of this run, readable by the brokers' own users; and in it what a test kills a broker with.
run_folder() {
    run=$(mktemp --directory --tmpdir postroom-brokers.XXXXXXXX)
    chmod 755 "$run"
    export POSTROOM_BROKER_CONTROL=$run/control
    # shellcheck disable=SC2016
    printf '#!/usr/bin/env bash\nexec %q %q %q %q "$@"\n' "$here/control" "$run" "$engine" "$project" >"$run/control"
    chmod 755 "$run/control"
}

# take_ports N: sets `ports` to N free ports on 127.0.0.1, which no other run takes while this one lives.
# Below the range that the system hands out to clients, so that none of those is in the way.
take_ports() {
    local want=$1 port lock
    mkdir -p "$cache/ports"
    ports=()
    while ((${#ports[@]} < want)); do
        port=$((20000 + RANDOM % 12000))
        exec {lock}>"$cache/ports/$port"
        if flock --nonblock "$lock" && ! answers "$port"; then
            ports+=("$port")
        else
            exec {lock}>&-
        fi
    done
}

# answers PORT: whether something listens there.
answers() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# certificates FOLDER: an authority, a server certificate for localhost, a client certificate. Readable by
# everybody, for the server in a container is another user; they live as long as this run.
certificates() {
    local folder=$1 who
    mkdir -p "$folder"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj '/CN=postroom test authority' \
        -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout "$folder/ca.key" -out "$folder/ca.pem" 2>/dev/null
    for who in 'server localhost serverAuth' 'client postroom-client clientAuth'; do
        # shellcheck disable=SC2086
        certificate_of "$folder" $who
    done
    chmod 644 "$folder"/*
}

# certificate_of FOLDER FILE COMMON_NAME USAGE
certificate_of() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=$3" \
        -keyout "$1/$2.key" -out "$1/$2.csr" 2>/dev/null
    openssl x509 -req -in "$1/$2.csr" -CA "$1/ca.pem" -CAkey "$1/ca.key" -CAcreateserial -days 2 -out "$1/$2.pem" \
        -extfile <(printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=%s\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n' "$4") \
        2>/dev/null
}

# start_process NAME COMMAND...: starts the process of the broker whose folder is $run/NAME; its log is `log` there. It
# dies with this script, whatever way this script ends, and `control` (tests/brokers/control) can kill it and start it again.
start_process() {
    local name=$1
    shift
    setpriv --pdeathsig KILL bash "$here/keep" "$run/$name" "$@" >"$run/$name/log" 2>&1 </dev/null &
    pids+=($!)
}

# wait_until WHAT LOG COMMAND...: waits until the command succeeds, at most 3 minutes; then shows the end of the log.
wait_until() {
    local what=$1 log=$2 deadline=$((SECONDS + 180)) pid
    shift 2
    until "$@"; do
        for pid in "${pids[@]}"; do
            kill -0 "$pid" 2>/dev/null || deadline=0
        done
        if ((SECONDS >= deadline)); then
            if [[ -f $log ]]; then tail -n 30 "$log" >&2; else compose logs --tail 30 >&2 || true; fi
            die "$what did not start; the end of its log is above"
        fi
        sleep 0.2
    done
}

# Stops the command where it still runs, then every broker of this run by process id, and removes the run's folder.
stop_all() {
    trap '' HUP INT TERM
    local name pid
    [[ -z $command ]] || kill -TERM "$command" 2>/dev/null || true
    for name in "${started[@]}"; do
        ! declare -F "${name}_stop" >/dev/null || "${name}_stop" || true
    done
    for pid in "${pids[@]}"; do
        kill -TERM "$pid" 2>/dev/null || true
    done
    wait "${pids[@]}" 2>/dev/null || true
    [[ -z $run ]] || rm -rf --one-file-system "$run"
}
