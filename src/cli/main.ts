#!/usr/bin/env node
/** The `hallway` command. `start` boots the service; everything else talks to a running one and never boots Nest. */
import { Command, CommanderError } from 'commander';
import { ConfigError, describeConfig, readConfig } from '../config.js';
import { CliError } from './cli-error.js';

/** Refusals of a start: their message says what to do, a stack would hide it. Known by name, so that `--help` loads no database. */
const isForPeople = (error: unknown): error is Error =>
  error instanceof Error &&
  ['InstanceHeld', 'EmbeddedUnavailable', 'KeysMissing', 'LogChanged', 'LogUnavailable'].includes(error.name);

const program = new Command('hallway')
  .description('Hallway: an event-sourced live feed for conferences')
  .showHelpAfterError('(--help says more)')
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'hallway: 200 ')) })
  .exitOverride();

program
  .command('start')
  .description('start the service in the foreground; Ctrl-C stops it')
  .action(async () => {
    const config = readConfig();
    // First of all: only what is loaded after it can be instrumented.
    const { startTelemetry } = await import('../telemetry.js');
    const telemetry = await startTelemetry(config);
    const { startService } = await import('../main.js');
    await startService(config, telemetry);
  });

program
  .command('config')
  .description('print the configuration (secrets masked) and what each value means')
  .action(() => {
    for (const { name, value, meaning } of describeConfig(readConfig()))
      console.log(`${`${name}=${value}`.padEnd(44)} # ${meaning}`);
  });

program
  .command('topics')
  .description('make the Kafka topics, or check those that are there; done once, before the first start of a cluster')
  .option('--accept', 'the topic that is there is the log from now on, though another one was folded before')
  .action(async (options: { accept?: boolean }) => {
    const { setUpTopics } = await import('./topics.js');
    await setUpTopics(readConfig(), options);
  });

const log = program
  .command('log')
  .description('move a conference between the embedded log and Kafka; stop the service first');
log
  .command('export')
  .description('print the events of a conference, from the log that is configured')
  .argument('<conference>', 'its id')
  .action(async (conference: string) => {
    const { exportLog } = await import('./log.js');
    await exportLog(readConfig(), conference);
  });
log
  .command('import')
  .description('append exported events to the log that is configured; a run that was cut off is taken up again')
  .argument('<file>', 'what `hallway log export` printed; - reads standard input')
  .action(async (file: string) => {
    const { importLog } = await import('./log.js');
    await importLog(readConfig(), file);
  });

program
  .command('import')
  .description('import a schedule into a conference, which is opened if it does not exist')
  .argument('<file>', 'schedule.xml or schedule.json version 1 (frab, pentabarf, pretalx); - reads standard input')
  .option('-c, --conference <id>', "the conference's id; default: the file's acronym")
  .action(async (file: string, options: { conference?: string }) => {
    const { importFile } = await import('./import.js');
    await importFile(readConfig(), file, options.conference);
  });

program
  .command('token')
  .description('make a token, or a one-time link that hands one out')
  .requiredOption('-r, --role <role>', 'organizer, moderator, operator, attendee, screen or producer')
  .option('-c, --conference <id>', 'the conference it is for; organizers and operators may have * (all)', '*')
  .option('-s, --session <id...>', 'moderator: only for these sessions (default: all)')
  .option('-a, --actor <id>', 'producer: the source it speaks for; ids of people are made by the service')
  .option('--label <text>', 'what it is for, by which `hallway tokens list` shows it')
  .option('-l, --link', 'print a one-time link instead of the token')
  .action(async (options) => {
    const { makeToken } = await import('./token.js');
    await makeToken(readConfig(), options);
  });

program
  .command('link')
  .description('make a one-time link to go on as the same person on another device (whose token HALLWAY_TOKEN is)')
  .requiredOption('-c, --conference <id>', 'the conference')
  .action(async (options: { conference: string }) => {
    const { makeDeviceLink } = await import('./access.js');
    await makeDeviceLink(readConfig(), options.conference);
  });

const tokens = program.command('tokens').description('who of the staff has access, and how to end it');
tokens
  .command('list')
  .description('list tokens of the staff that have not run out, and what was revoked')
  .option('-c, --conference <id>', 'of this conference only', '*')
  .action(async (options: { conference: string }) => {
    const { listAccess } = await import('./access.js');
    await listAccess(readConfig(), options.conference);
  });
tokens
  .command('revoke')
  .description('end a token, or all tokens and unused links of an actor, at once and on live sockets too')
  .option('-t, --token <id>', 'id of the token, from `hallway tokens list`')
  .option('-a, --actor <id>', 'all that this actor was given until now')
  .option('-c, --conference <id>', 'in this conference only', '*')
  .option('--reason <text>', 'why; kept in the list')
  .action(async (options) => {
    const { revokeAccess } = await import('./access.js');
    await revokeAccess(readConfig(), options);
  });

const keys = program.command('keys').description('keys that sign tokens');
keys
  .command('rotate')
  .description('sign with a new key from now on; older tokens stay good until they run out')
  .option('--revoke', 'older keys verify nothing any more: every token ends, attendees join again')
  .action(async (options: { revoke?: boolean }) => {
    const { rotateKeys } = await import('./access.js');
    await rotateKeys(readConfig(), options.revoke ?? false);
  });

program
  .command('tail')
  .description('follow a channel: what it holds, then every change; Ctrl-C ends it')
  .argument('<channel>', 'schedule, updates, session/SESSION/questions, session/SESSION/discussion, …')
  .requiredOption('-c, --conference <id>', 'the conference')
  .option('--url <url>', 'where the service is (default: HALLWAY_URL, or the one that runs in DATA_DIR)')
  .option('--json', 'one JSON object a line')
  .option('--once', 'end when everything that is there was shown')
  .action(async (channel: string, options) => {
    const { tailChannel } = await import('./tail.js');
    await tailChannel(readConfig(), channel, options);
  });

program
  .command('generations')
  .description('list the generations of read models, go back to an earlier version, or drop one (needs DATABASE_URL)')
  .argument('[act]', 'list, switch, rollback (to the one that was live before) or drop', 'list')
  .argument('[id]', 'of switch and drop: as `list` prints it')
  .action(async (act: string, id: string | undefined) => {
    const { generations } = await import('./generations.js');
    await generations(readConfig(), act, id);
  });

program
  .command('dead-letters')
  .description('what came in and could not be taken (needs DATABASE_URL; retry needs KAFKA_BROKERS)')
  .argument('<act>', 'list, show, retry or drop')
  .argument('[place]', 'as `list` prints it: TOPIC/PARTITION/OFFSET')
  .action(async (act: string, place: string | undefined) => {
    const { deadLetters } = await import('./dead-letters.js');
    await deadLetters(readConfig(), act, place);
  });

program
  .command('skip')
  .description('drop an event that its partition cannot fold (embedded: stop the service first); it is audited')
  .argument('<partition>', 'as the log line and /readyz name it')
  .argument('<offset>', 'of the event')
  .option('--by <name>', 'who drops it (default: the user of this machine)')
  .option('--because <text>', 'why, for the audit')
  .action(async (partition: string, offset: string, options) => {
    const { skipEvent } = await import('./way-out.js');
    await skipEvent(readConfig(), partition, offset, options);
  });

program
  .command('erase')
  .description("destroy a person's key at once, also while nothing is folded (embedded: stop the service first)")
  .argument('<conference>', 'its id')
  .argument('<subject>', 'id of the person')
  .option('--by <name>', 'who erases (default: the user of this machine)')
  .option('--because <text>', 'why, for the audit')
  .action(async (conference: string, subject: string, options) => {
    const { erasePerson } = await import('./way-out.js');
    await erasePerson(readConfig(), conference, subject, options);
  });

// The list of commands comes from the capabilities, which are only loaded when asked for.
if (process.argv[2] === 'send' || process.argv[2] === 'help') {
  const { addSend } = await import('./send.js');
  addSend(program, readConfig);
} else {
  program.command('send').description('send any command (`hallway send --help` lists them)');
}

const HELP: ReadonlySet<string> = new Set(['help', '--help', '-h']);

/** Asked for help, Commander shows it, also of a command that does not exist; not asked, it says what is wrong. */
function argumentsFor(program: Command, words: readonly string[]): readonly string[] {
  let command = program;
  for (const word of words.filter((one) => one !== 'help')) {
    if (word.startsWith('-') || command.commands.length === 0) break;
    const known = command.commands.find((one) => one.name() === word);
    if (!known) return words.filter((one) => !HELP.has(one));
    command = known;
  }
  return words;
}

try {
  await program.parseAsync(argumentsFor(program, process.argv.slice(2)), { from: 'user' });
} catch (error) {
  process.exitCode = 1;
  if (error instanceof CommanderError) process.exitCode = error.exitCode;
  else if (error instanceof CliError || error instanceof ConfigError || isForPeople(error))
    console.error(`hallway: ${error.message}`);
  else if ((error as { code?: unknown } | null)?.code === '53100')
    console.error('hallway: 201 the disk of the database is full: make space and start again');
  else console.error(error);
}
