
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'postroom' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'postroom'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'postroom' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('queues', 'queues', [CompletionResultType]::ParameterValue, 'List queues with depth, rates, oldest age, consumers and dead-letter pairing; dead-letter queues first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show one queue: type, arguments and policies, pairing, read cost and peek budget, expiry, consumers')
            [CompletionResult]::new('browse', 'browse', [CompletionResultType]::ParameterValue, 'Look at messages; whatever a look holds is given back')
            [CompletionResult]::new('publish', 'publish', [CompletionResultType]::ParameterValue, 'Publish message lines from standard input, or one raw body; each confirmed by the broker')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Write, find, show and check the config file')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script for a shell')
            [CompletionResult]::new('man', 'man', [CompletionResultType]::ParameterValue, 'Print the manual page, or write all of them into a folder')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Explain a verb, or filters (`postroom help filter`)')
            break
        }
        'postroom;queues' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--internal', '--internal', [CompletionResultType]::ParameterName, 'Internal queues and topics, too')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;show' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;browse' {
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Show at most N messages [default: 50]')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'Show at most N messages [default: 50]')
            [CompletionResult]::new('--from', '--from', [CompletionResultType]::ParameterName, 'Start at: first, last (the last N of --limit), end, an offset, or a time (2026-03-02T10:11:12Z, -2h)')
            [CompletionResult]::new('--until', '--until', [CompletionResultType]::ParameterName, 'Stop before this offset or time')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Only messages that match; see `postroom help filter`')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Only messages that match; see `postroom help filter`')
            [CompletionResult]::new('-g', '-g', [CompletionResultType]::ParameterName, 'Only messages of this group, as `postroom groups` names it')
            [CompletionResult]::new('--group', '--group', [CompletionResultType]::ParameterName, 'Only messages of this group, as `postroom groups` names it')
            [CompletionResult]::new('--partition', '--partition', [CompletionResultType]::ParameterName, 'Only this partition')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Show every message')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every message')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on after the end and wait for arrivals; Ctrl-C ends it')
            [CompletionResult]::new('--rescue', '--rescue', [CompletionResultType]::ParameterName, 'Put messages that a return would destroy back as new copies at the tail, instead of refusing the look')
            [CompletionResult]::new('--redact', '--redact', [CompletionResultType]::ParameterName, 'Apply the profile''s redact rules to machine output, too')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;publish' {
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'Publish one message with this body')
            [CompletionResult]::new('--body', '--body', [CompletionResultType]::ParameterName, 'Publish one message with this body')
            [CompletionResult]::new('--file', '--file', [CompletionResultType]::ParameterName, 'Publish one message with this file''s bytes as its body')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'The raw body''s key: a record key, routing key or message group')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'The raw body''s key: a record key, routing key or message group')
            [CompletionResult]::new('-H', '-H ', [CompletionResultType]::ParameterName, 'A header of the raw body; may be repeated')
            [CompletionResult]::new('--header', '--header', [CompletionResultType]::ParameterName, 'A header of the raw body; may be repeated')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'A property of the raw body, such as `content_type=application/json`; may be repeated')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'A property of the raw body, such as `content_type=application/json`; may be repeated')
            [CompletionResult]::new('--rate', '--rate', [CompletionResultType]::ParameterName, 'Publish at most N messages a second')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;config' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('init', 'init', [CompletionResultType]::ParameterValue, 'Write a documented config file; one that is there is not touched')
            [CompletionResult]::new('path', 'path', [CompletionResultType]::ParameterValue, 'Print where the config file is, or would be')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Print the profiles, without secrets')
            [CompletionResult]::new('check', 'check', [CompletionResultType]::ParameterValue, 'Read the file, its TLS files and its secrets, and say what is wrong')
            break
        }
        'postroom;config;init' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;config;path' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;config;show' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;config;check' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;completions' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;man' {
            [CompletionResult]::new('--to', '--to', [CompletionResultType]::ParameterName, 'Write postroom.1 and one page for each verb into this folder')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'postroom;help' {
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--output', '--output', [CompletionResultType]::ParameterName, 'How to write data [default: table on a terminal, else jsonl for lists and json for one object]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--config', '--config', [CompletionResultType]::ParameterName, 'The config file [default: `POSTROOM_CONFIG`, else postroom/config.toml in your config folder]')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask before a write; on a production profile as --yes=QUEUE')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Show the plan of a write and stop')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Say only errors on stderr')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log to stderr: -v what is done, -vv more, -vvv everything (`POSTROOM_LOG` takes a filter)')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
