# Apache Kafka 4.3 for tests/with-brokers: one KRaft node on 127.0.0.1 with a PLAINTEXT listener and a SASL_SSL one
# (SCRAM-SHA-256 and PLAIN, behind a certificate of an authority made for this run).
#
# Users on SASL_SSL: alice / alice-secret and bob / bob-secret, by either mechanism. ACLs are on: whoever comes in by
# PLAINTEXT and alice may do everything; bob only what a test allows him.
#
# It comes as jars from Maven, with or without a container engine, and takes a Java runtime.
# shellcheck shell=bash disable=SC2154

kafka_given() {
    [[ -n ${POSTROOM_KAFKA_URL:-} && -n ${POSTROOM_KAFKA_TLS_URL:-} ]]
}

kafka_missing() {
    if ! command -v openssl >/dev/null && [[ $EUID != 0 ]]; then
        echo "openssl is not installed (it makes the certificates)"
    else
        maven_missing
    fi
}

kafka_install() {
    command -v openssl >/dev/null || locked apt apt_install openssl
    maven_install kafka
}

kafka_start() {
    local home=$run/kafka tls=$run/kafka-tls
    mkdir -p "$home"
    take_ports 3
    printf '%s\n' "${ports[@]}" >"$home/ports"
    certificates "$tls"
    # Kafka takes key, certificate and authority as PEM in one file, the key as PKCS#8.
    openssl pkcs8 -topk8 -nocrypt -in "$tls/server.key" -out "$tls/server.p8" 2>/dev/null
    cat "$tls/server.p8" "$tls/server.pem" "$tls/ca.pem" >"$tls/broker.pem"
    kafka_properties "$home" "$tls/broker.pem" "${ports[@]}" >"$home/server.properties"
    kafka_logging >"$home/log4j2.yaml"
    kafka_java kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAQ --config "$home/server.properties" \
        --add-scram 'SCRAM-SHA-256=[name=alice,password=alice-secret]' \
        --add-scram 'SCRAM-SHA-256=[name=bob,password=bob-secret]' >"$home/format.log" 2>&1 ||
        die "Kafka could not format its storage: $(tail -n 3 "$home/format.log")"
    kafka_java_arguments
    start_process "$home/log" java "${arguments[@]}" kafka.Kafka "$home/server.properties"
}

kafka_java_arguments() {
    arguments=(-Xms256m -Xmx768m -cp "$(maven_folder kafka)/*" "-Dlog4j2.configurationFile=$run/kafka/log4j2.yaml")
}

kafka_java() {
    local arguments
    kafka_java_arguments
    java "${arguments[@]}" "$@"
}

# kafka_properties HOME PEM PLAINTEXT_PORT SASL_SSL_PORT CONTROLLER_PORT
kafka_properties() {
    local scram=org.apache.kafka.common.security.scram.ScramLoginModule
    local plain=org.apache.kafka.common.security.plain.PlainLoginModule
    cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$5
listeners=PLAINTEXT://127.0.0.1:$3,SECURE://127.0.0.1:$4,CONTROLLER://127.0.0.1:$5
advertised.listeners=PLAINTEXT://127.0.0.1:$3,SECURE://localhost:$4
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=$2
sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN
listener.name.secure.scram-sha-256.sasl.jaas.config=$scram required;
listener.name.secure.plain.sasl.jaas.config=$plain required user_alice="alice-secret" user_bob="bob-secret";
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:alice
log.dirs=$1/data
num.partitions=1
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=3
group.initial.rebalance.delay.ms=0
END
}

kafka_logging() {
    cat <<'END'
Configuration:
  Appenders:
    Console:
      name: out
      PatternLayout: {pattern: "%d %p %m (%c)%n"}
  Loggers:
    Root:
      level: WARN
      AppenderRef: [{ref: out}]
END
}

kafka_ready() {
    local ports
    mapfile -t ports <"$run/kafka/ports"
    wait_until "Kafka" "$run/kafka/log" answers "${ports[0]}"
    wait_until "Kafka's SASL_SSL listener" "$run/kafka/log" answers "${ports[1]}"
}

kafka_urls() {
    local ports
    mapfile -t ports <"$run/kafka/ports"
    echo "POSTROOM_KAFKA_URL=kafka://127.0.0.1:${ports[0]}"
    echo "POSTROOM_KAFKA_TLS_URL=kafka://localhost:${ports[1]}?security.protocol=SASL_SSL&sasl.mechanism=SCRAM-SHA-256"
    echo "POSTROOM_KAFKA_TLS_CA=$run/kafka-tls/ca.pem"
}
