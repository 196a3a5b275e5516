# Apache Kafka 4.3 for tests/with-brokers: one KRaft node on 127.0.0.1 with four listeners: PLAINTEXT; SASL_SSL
# (SCRAM-SHA-256, PLAIN and OAUTHBEARER, behind a certificate of an authority made for this run); SSL that asks for a
# client certificate of the same authority; and PLAINTEXT that sends its clients to another port, where a test puts a proxy
# in between: POSTROOM_KAFKA_PROXIED_URL is that of the port, and POSTROOM_KAFKA_BEHIND_PROXY what it is to lead to.
#
# Users on SASL_SSL: alice / alice-secret and bob / bob-secret; OAUTHBEARER takes any unsigned token, believes its subject,
# and ends a connection whose token is not renewed in time. ACLs are on: whoever comes in by PLAINTEXT, alice and the owner of the client certificate may do everything,
# bob may do nothing.
#
# Clients on librdkafka before 2.6.1 (kcat in Debian 12) can't log in with SCRAM: they repeat the nonce wrongly, and
# Kafka 4 answers "invalid credentials".
#
# It comes as jars from Maven, with or without a container engine, and takes a Java runtime.
# shellcheck shell=bash disable=SC2154

kafka_given() {
    [[ -n ${POSTROOM_KAFKA_URL:-} && -n ${POSTROOM_KAFKA_SASL_URL:-} ]]
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
    take_ports 6
    printf '%s\n' "${ports[@]}" >"$home/ports"
    certificates "$tls"
    # Kafka takes key, certificate and authority as PEM in one file, the key as PKCS#8.
    openssl pkcs8 -topk8 -nocrypt -in "$tls/server.key" -out "$tls/server.p8" 2>/dev/null
    cat "$tls/server.p8" "$tls/server.pem" "$tls/ca.pem" >"$tls/broker.pem"
    kafka_properties "$home" "$tls" "${ports[@]}" >"$home/server.properties"
    kafka_logging >"$home/log4j2.yaml"
    kafka_java kafka.tools.StorageTool format --cluster-id AAAAAAAAAAAAAAAAAAAAAQ --config "$home/server.properties" \
        --add-scram 'SCRAM-SHA-256=[name=alice,password=alice-secret]' \
        --add-scram 'SCRAM-SHA-256=[name=bob,password=bob-secret]' >"$home/format.log" 2>&1 ||
        die "Kafka could not format its storage: $(tail -n 3 "$home/format.log")"
    kafka_java_arguments
    start_process kafka java "${arguments[@]}" kafka.Kafka "$home/server.properties"
}

kafka_java_arguments() {
    arguments=(-Xms256m -Xmx768m -cp "$(maven_folder kafka)/*" "-Dlog4j2.configurationFile=$run/kafka/log4j2.yaml")
}

kafka_java() {
    local arguments
    kafka_java_arguments
    java "${arguments[@]}" "$@"
}

# kafka_properties HOME TLS_FOLDER PLAINTEXT_PORT SASL_SSL_PORT SSL_PORT CONTROLLER_PORT BEHIND_PROXY_PORT PROXY_PORT
kafka_properties() {
    local scram=org.apache.kafka.common.security.scram.ScramLoginModule
    local plain=org.apache.kafka.common.security.plain.PlainLoginModule
    local bearer=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule
    cat <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$6
listeners=PLAINTEXT://127.0.0.1:$3,SECURE://127.0.0.1:$4,MUTUAL://127.0.0.1:$5,CONTROLLER://127.0.0.1:$6,PROXIED://127.0.0.1:$7
advertised.listeners=PLAINTEXT://127.0.0.1:$3,SECURE://localhost:$4,MUTUAL://localhost:$5,PROXIED://127.0.0.1:$8
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,MUTUAL:SSL,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location=$2/broker.pem
ssl.truststore.type=PEM
ssl.truststore.location=$2/ca.pem
listener.name.mutual.ssl.client.auth=required
listener.name.mutual.ssl.principal.mapping.rules=RULE:^CN=(.*?)\$/\$1/
sasl.enabled.mechanisms=SCRAM-SHA-256,PLAIN,OAUTHBEARER
listener.name.secure.scram-sha-256.sasl.jaas.config=$scram required;
listener.name.secure.plain.sasl.jaas.config=$plain required user_alice="alice-secret" user_bob="bob-secret";
listener.name.secure.oauthbearer.sasl.jaas.config=$bearer required unsecuredLoginStringClaim_sub="broker";
listener.name.secure.oauthbearer.connections.max.reauth.ms=600000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS;User:alice;User:postroom-client
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
    wait_until "Kafka" "$run/kafka/log" kafka_answers kafka
}

# kafka_answers NAME: each listener for clients is there.
kafka_answers() {
    local ports
    mapfile -t ports <"$run/$1/ports"
    answers "${ports[0]}" && answers "${ports[1]}" && answers "${ports[2]}" && answers "${ports[4]}"
}

kafka_urls() {
    local ports
    mapfile -t ports <"$run/kafka/ports"
    echo "POSTROOM_KAFKA_URL=kafka://127.0.0.1:${ports[0]}"
    echo "POSTROOM_KAFKA_PROXIED_URL=kafka://127.0.0.1:${ports[5]}"
    echo "POSTROOM_KAFKA_BEHIND_PROXY=127.0.0.1:${ports[4]}"
    echo "POSTROOM_KAFKA_SASL_URL=kafka://localhost:${ports[1]}?security.protocol=SASL_SSL"
    echo "POSTROOM_KAFKA_TLS_URL=kafka://localhost:${ports[2]}?security.protocol=SSL"
    echo "POSTROOM_KAFKA_TLS_CA=$run/kafka-tls/ca.pem"
    echo "POSTROOM_KAFKA_TLS_CERT=$run/kafka-tls/client.pem"
    echo "POSTROOM_KAFKA_TLS_KEY=$run/kafka-tls/client.key"
}
