# ElasticMQ for tests/with-brokers: SQS with move tasks and DeadLetterQueueSourceArn. It takes any credentials.
# It comes as jars from Maven, with or without a container engine, and takes a Java runtime.
# shellcheck shell=bash disable=SC2154

elasticmq_given() {
    [[ -n ${POSTROOM_ELASTICMQ_URL:-} ]]
}

elasticmq_missing() {
    maven_missing
}

elasticmq_install() {
    maven_install elasticmq
}

elasticmq_start() {
    local home=$run/elasticmq
    mkdir -p "$home"
    take_ports 1
    printf '%s\n' "${ports[@]}" >"$home/port"
    cat >"$home/elasticmq.conf" <<END
include classpath("application.conf")
node-address { protocol = http, host = localhost, port = ${ports[0]}, context-path = "" }
rest-sqs { enabled = true, bind-port = ${ports[0]}, bind-hostname = "127.0.0.1", sqs-limits = strict }
rest-stats { enabled = false }
aws { region = eu-central-1, accountId = 000000000000 }
END
    start_process elasticmq java -Xmx512m "-Dconfig.file=$home/elasticmq.conf" -cp "$(maven_folder elasticmq)/*" \
        org.elasticmq.server.Main
}

elasticmq_ready() {
    wait_until "ElasticMQ" "$run/elasticmq/log" elasticmq_answers elasticmq
}

elasticmq_answers() {
    answers "$(cat "$run/$1/port")"
}

elasticmq_urls() {
    echo "POSTROOM_ELASTICMQ_URL=sqs://eu-central-1?endpoint=http://localhost:$(cat "$run/elasticmq/port")"
}
