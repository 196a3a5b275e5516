# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_postroom_global_optspecs
    string join \n o/output= color= config= y/yes= n/dry-run schema= registry= q/quiet v/verbose h/help V/version
end

function __fish_postroom_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_postroom_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_postroom_using_subcommand
    set -l cmd (__fish_postroom_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c postroom -n "__fish_postroom_needs_command" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_needs_command" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_needs_command" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_needs_command" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_needs_command" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_needs_command" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_needs_command" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_needs_command" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_needs_command" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_needs_command" -s V -l version -d 'Print version'
complete -c postroom -n "__fish_postroom_needs_command" -a "queues" -d 'List queues with depth, rates, oldest age, consumers and dead-letter pairing; dead-letter queues first'
complete -c postroom -n "__fish_postroom_needs_command" -a "show" -d 'Show one queue: type, arguments and policies, pairing, read cost and peek budget, expiry, consumers'
complete -c postroom -n "__fish_postroom_needs_command" -a "browse" -d 'Look at messages; whatever a look holds is given back'
complete -c postroom -n "__fish_postroom_needs_command" -a "groups" -d 'Group dead messages by what killed them: count, share, first and last death, expiry, a sample'
complete -c postroom -n "__fish_postroom_needs_command" -a "report" -d 'Write the incident report: what broke, since when, how many, where, and what was done about it'
complete -c postroom -n "__fish_postroom_needs_command" -a "publish" -d 'Publish message lines from standard input, or one raw body; each confirmed by the broker'
complete -c postroom -n "__fish_postroom_needs_command" -a "capture" -d 'Copy messages to an archive; the queue keeps everything'
complete -c postroom -n "__fish_postroom_needs_command" -a "replay" -d 'Send messages back to where they came from, or elsewhere; each is removed only after its copy is confirmed'
complete -c postroom -n "__fish_postroom_needs_command" -a "drain" -d 'Move messages into an archive or another queue: copied, confirmed, and only then removed'
complete -c postroom -n "__fish_postroom_needs_command" -a "plan" -d 'Run a plan that was saved with --plan-out'
complete -c postroom -n "__fish_postroom_needs_command" -a "consumers" -d 'List the consumer groups of a topic: state, members, lag'
complete -c postroom -n "__fish_postroom_needs_command" -a "offsets" -d 'Move the place of a consumer group'
complete -c postroom -n "__fish_postroom_needs_command" -a "journal" -d 'List runs, show what became of each message, finish a run that was cut short, and take one back'
complete -c postroom -n "__fish_postroom_needs_command" -a "tui" -d 'Open the terminal UI: queues, causes, messages, replay and drain'
complete -c postroom -n "__fish_postroom_needs_command" -a "demo" -d 'Show the built-in incident: a bookshop after a bad release, 2,000 dead messages on three brokers'
complete -c postroom -n "__fish_postroom_needs_command" -a "config" -d 'Write, find, show and check the config file'
complete -c postroom -n "__fish_postroom_needs_command" -a "completions" -d 'Print the completion script for a shell'
complete -c postroom -n "__fish_postroom_needs_command" -a "man" -d 'Print the manual page, or write all of them into a folder'
complete -c postroom -n "__fish_postroom_needs_command" -a "help" -d 'Explain a verb, or filters (`postroom help filter`)'
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l match -d 'Only queues whose names have these letters, in this order: the filter of the screens' -r
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand queues" -l internal -d 'Internal queues and topics, too'
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand queues" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand show" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand show" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand show" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand show" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand show" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand show" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand show" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand show" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand show" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s l -l limit -d 'Show at most N messages of each [default: 50]' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l from -d 'Start at: first, last (the last N of --limit), end, an offset, or a time (2026-03-02T10:11:12Z, -2h)' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l until -d 'Stop before this offset or time' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l partition -d 'Only this partition' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l columns -d 'Show these columns, one row a message: age, time, queue, id, key, why, body, size, or fields such as header.tenant and body.total; the names are those of the screens' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s a -l all -d 'Show every message'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l follow -d 'Go on after the end and wait for arrivals; Ctrl-C ends it'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing the look'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l redact -d 'Apply the profile\'s redact rules to machine output, too'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -l decode -d 'Add what the payload is to machine output: its formats and its decoded form beside the raw bytes'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand browse" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l by -d 'Group by: failure, class, origin, type, shape, or a field such as header.tenant or body.currency' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l against -d 'Compare with an archive captured before: what is new, gone and the same in each group' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s l -l limit -d 'Look at no more than N messages of each queue' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand groups" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing the look'
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand groups" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand report" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand report" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand report" -l against -d 'Compare with an archive captured before: what is new, gone and the same in each group' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand report" -s l -l limit -d 'Look at no more than N messages of each queue' -r
complete -c postroom -n "__fish_postroom_using_subcommand report" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand report" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand report" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand report" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand report" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand report" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand report" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing the look'
complete -c postroom -n "__fish_postroom_using_subcommand report" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand report" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand report" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand report" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s b -l body -d 'Publish one message with this body' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l file -d 'Publish one message with this file\'s bytes as its body' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s k -l key -d 'The raw body\'s key: a record key, routing key or message group' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s H -l header -d 'A header of the raw body; may be repeated' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s p -l property -d 'A property of the raw body, such as `content_type=application/json`; may be repeated' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l rate -d 'Publish at most N messages a second' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand publish" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand publish" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l to -d 'The new archive, compressed where its name ends in .zst' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l against -d 'Compare with an archive captured before: what is new, gone and the same in each group' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s l -l limit -d 'Copy at most N messages, the first that match' -r
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l redacted -d 'Mask what the profile\'s redact rules name: for other eyes; such an archive can\'t be replayed'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing the look'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand capture" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l to -d '`origin`, or the address of a queue or exchange' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s l -l limit -d 'Replay at most N messages, the first that match' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l max-replays -d 'Replay messages that were replayed before, too, but fewer than N times; the others stay, or are parked' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l park -d 'Set messages aside that were replayed --max-replays times, as they are, in this queue or archive' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s e -l edit -d 'Change each message on its way by this jq program, over .body, .headers, .key and .properties' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l edit-file -d 'The same, with the program in a file' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l rate -d 'Replay at most N messages a second' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l ramp -d 'Send a few messages first, then more: each step begins when the copies of the one before are consumed' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l verify -d 'Watch for at most this time what becomes of the copies: consumed, waiting, or dead again (exit code 3)' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l max-in-flight -d 'Have at most N copies sent and not confirmed at a time; with --verify: sent and not consumed' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l per-key -d 'Send the messages of one key one after the other, and none behind one that failed' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l max-failures -d 'Stop when N messages have failed or come back' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l plan-out -d 'Save the plan, which names every message, and stop; `postroom plan run FILE` runs it' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l keep -d 'Keep the originals: a copy'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l again -d 'Also messages that were replayed before'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l edit-in-editor -d 'The same by hand: open the messages in $VISUAL or $EDITOR, at most 100 of them'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l send-misfits -d 'Send what was edited also where it does not fit its schema, or where its schema can\'t be had'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l server-side -d 'Let the broker move all messages itself, unmodified: a move task of SQS, a shovel of RabbitMQ'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l expiring-first -d 'Replay messages that are about to vanish (TTL, retention) before the others, also where that breaks the queue\'s order'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l let-expire -d 'Replay also where the pace lets some messages vanish before their turn'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l same-partition -d 'Kafka: send each record to the partition it came from, instead of the one that its key belongs to'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -l exact -d 'Look at the whole queue first and name every message in the plan, also with --yes'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand replay" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l to -d 'The new archive, compressed where its name ends in .zst, or another queue' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l reason -d 'Why the messages are moved to another queue, written into the header postroom-reason of each' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s f -l filter -d 'Only messages that match; see `postroom help filter`' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s g -l group -d 'Only messages of this group, as `postroom groups` names it; give it again for more than one' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s l -l limit -d 'Drain at most N messages, the first that match' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l plan-out -d 'Save the plan, which names every message, and stop; `postroom plan run FILE` runs it' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l discard -d 'Drop the messages without a copy'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l server-side -d 'With --discard: let the broker drop all messages at once, those in flight and those that arrive meanwhile included'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -l exact -d 'Look at the whole queue first and name every message in the plan, also with --yes'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand drain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and not __fish_seen_subcommand_from run" -f -a "run" -d 'Run it: the messages that it names and no others (--dry-run shows it)'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l again -d 'Also messages that were replayed before'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of refusing'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -l let-expire -d 'Run it also where its pace lets some messages vanish before their turn'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand plan; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s g -l group -d 'Only this group, with its place in each partition' -r
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand consumers" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and not __fish_seen_subcommand_from reset" -f -a "reset" -d 'Set where a consumer group goes on reading; only while it has no members'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s g -l group -d 'The consumer group' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l to -d 'first, last, end, an offset, a time, +N or -N' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l after -d 'Behind this message: PARTITION:OFFSET' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l partition -d 'Only this partition' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand offsets; and __fish_seen_subcommand_from reset" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -f -a "list" -d 'List the runs, the newest first'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -f -a "show" -d 'Show one run; with -o jsonl what became of each message, too'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -f -a "resume" -d 'Finish a run that was killed, failed or stopped'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -f -a "undo" -d 'Put back what a replay or a drain moved, as far as it is still there'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and not __fish_seen_subcommand_from list show resume undo prune" -f -a "prune" -d 'Remove the journals of old runs, and the originals in them'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l rescue -d 'Put messages that a return would destroy back as new copies at the tail, instead of stopping at them'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -l doubtful -d 'Also send again what may have been sent, also of a finished run: where its copy is not in its target'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -l in -d 'Look for copies in this queue, too (an exchange does not tell where it leads to)' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l older-than -d 'Those that ended longer ago than this' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -l all -d 'Also runs that were cut short and could be resumed'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand journal; and __fish_seen_subcommand_from prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand tui" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand tui" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand tui" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand tui" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand tui" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand demo" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand demo" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand demo" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand demo" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -f -a "init" -d 'Write a documented config file; one that is there is not touched'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -f -a "path" -d 'Print where the config file is, or would be'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -f -a "show" -d 'Print the profiles, without secrets'
complete -c postroom -n "__fish_postroom_using_subcommand config; and not __fish_seen_subcommand_from init path show check" -f -a "check" -d 'Read the file, its TLS files and its secrets, and say what is wrong'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from path" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand config; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand completions" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand completions" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand completions" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand completions" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand man" -l to -d 'Write postroom.1 and one page for each verb into this folder' -r -f -a "(__fish_complete_directories)"
complete -c postroom -n "__fish_postroom_using_subcommand man" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand man" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand man" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand man" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand man" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand man" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand man" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand man" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand man" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c postroom -n "__fish_postroom_using_subcommand help" -s o -l output -d 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]' -r -f -a "table\t'For people: aligned and cut to the terminal\'s width'
json\t'One JSON value: an object, or an array of them'
jsonl\t'One JSON object on each line'
raw\t'Payload bytes as they are, nothing between them'
csv\t'Comma-separated values under a line of names: only `browse --columns` writes them'
md\t'A page of Markdown: only `report` writes one'"
complete -c postroom -n "__fish_postroom_using_subcommand help" -l color -d 'When to use colour' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Always'
never\t'Never'"
complete -c postroom -n "__fish_postroom_using_subcommand help" -l config -d 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand help" -s y -l yes -d 'Do not ask before a write; on a production profile as --yes=QUEUE' -r
complete -c postroom -n "__fish_postroom_using_subcommand help" -l schema -d 'Read payloads by a schema: .avsc, .proto#message.Type, a descriptor set or a JSON Schema (.json); with QUEUE= those of one queue (* and ? stand for anything)' -r -F
complete -c postroom -n "__fish_postroom_using_subcommand help" -l registry -d 'Read payloads that name their schema by this registry: `https://user@registry:8081` (Confluent-compatible; the password in `POSTROOM_REGISTRY_PASSWORD`) or `glue://REGION`' -r
complete -c postroom -n "__fish_postroom_using_subcommand help" -s n -l dry-run -d 'Show the plan of a write and stop'
complete -c postroom -n "__fish_postroom_using_subcommand help" -s q -l quiet -d 'Say only errors on stderr'
complete -c postroom -n "__fish_postroom_using_subcommand help" -s v -l verbose -d 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)'
complete -c postroom -n "__fish_postroom_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
