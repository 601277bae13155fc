import { Command, CommanderError, Option } from 'commander';
import { AppError } from '../runtime/app-error.ts';
import type { Act } from './command.ts';
import { commands, commandWords, globalOptions } from './commands.ts';
import { exitCodes, columnsOf, type CliContext, type ExitCode } from './context.ts';
import { exitCodeOfError, printError } from './print-error.ts';
import { topHelp } from './top-help.ts';

/** Loads the command that is called, lets commander parse its options and runs it; gives the exit code and never throws. */
export async function parseAndRun(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  let exitCode: ExitCode = exitCodes.ok;
  const act: Act =
    (action) =>
    async (...raw) => {
      // Commander gives the positionals, then the options, then the command; options of the levels above belong to them.
      const command = raw.at(-1) as Command;
      exitCode = await action(context, command.args, command.optsWithGlobals());
    };
  let program: Command | null = null;
  try {
    program = await buildProgram(argv, context, act);
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // A command that has only subcommands was called without one: its help stands on stderr.
    if (thrown instanceof CommanderError && thrown.code === 'commander.help') return exitCodes.usage;
    const error = thrown instanceof CommanderError ? badUsage(thrown, calledCommand(program, argv)) : thrown;
    printError(context, error, { json: asksForJson(argv) });
    return error instanceof AppError ? exitCodeOfError(error) : exitCodes.failed;
  }
}

async function buildProgram(argv: readonly string[], context: CliContext, act: Act): Promise<Command> {
  const program = new Command('capstan')
    .usage('[options] <command>')
    .version(context.version, '-V, --version')
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      // Said by `printError`, as every other error.
      outputError: () => undefined,
      getOutHelpWidth: () => columnsOf(context.stdout, 100),
      getErrHelpWidth: () => columnsOf(context.stderr, 100),
    })
    .configureHelp({ showGlobalOptions: true })
    .exitOverride();
  for (const { flags, summary } of globalOptions) program.addOption(new Option(flags, summary));
  program.helpInformation = () => topHelp();
  const words = commandWords(argv);
  const called = words[0] === 'help' ? words[1] : words[0];
  for (const entry of commands) {
    const command = program.command(entry.name).description(entry.summary).copyInheritedSettings(program);
    if (entry.name === called) (await entry.load()).define(command, act);
  }
  return program;
}

/** Whether the options say `--json`; errors are then JSON too. */
function asksForJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? argv.length : end).includes('--json');
}

/** The words of the command that was called, as far as there is such a one: `workers list`. */
function calledCommand(program: Command | null, argv: readonly string[]): string {
  const names: string[] = [];
  let level = program;
  for (const word of commandWords(argv)) {
    const next: Command | undefined = level?.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    names.push(word);
    level = next;
  }
  return names.map((name) => `${name} `).join('');
}

function badUsage(error: CommanderError, called: string): AppError {
  const message = error.message.replace(/^error: /, '').replaceAll('\n', ' ');
  return new AppError('user', 'bad_usage', message.charAt(0).toUpperCase() + message.slice(1), {
    hint: `See \`capstan ${called}--help\`.`,
    cause: error,
  });
}
