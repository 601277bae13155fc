import { Command, CommanderError, Option } from 'commander';
import { AppError } from '../runtime/app-error.ts';
import type { Act } from './command.ts';
import { commands } from './commands.ts';
import { exitCodes, type CliContext, type ExitCode } from './context.ts';
import { exitCodeOfError, printError } from './print-error.ts';

/** Parses the command line, runs its command and gives the exit code; never throws and never ends the process. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  const state: { exitCode: ExitCode; json: boolean } = {
    exitCode: exitCodes.ok,
    json: argv.includes('--json'),
  };
  const act: Act =
    (action) =>
    async (...raw) => {
      // Commander gives the positionals, then the options, then the command; options of the levels above belong to them.
      const command = raw.at(-1) as Command;
      state.exitCode = await action(context, command.args, command.optsWithGlobals());
    };
  try {
    const program = await buildProgram(argv, context, act);
    await program.parseAsync([...argv], { from: 'user' });
    return state.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
    printError(context, error, state);
    return error instanceof AppError ? exitCodeOfError(error) : exitCodes.failed;
  }
}

async function buildProgram(argv: readonly string[], context: CliContext, act: Act): Promise<Command> {
  const program = new Command('capstan')
    .description('Runs coding agents and document tools as dependable background workers.')
    .version(context.version, '-V, --version')
    .addOption(new Option('--db-path <file>', 'the database; its folder is the data folder'))
    .addOption(new Option('--log-level <level>', 'trace, debug, info, warn or error'))
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      writeErr: (text) => context.stderr.write(text),
      getOutHelpWidth: () => context.stdout.columns ?? 100,
    })
    .showHelpAfterError('(`--help` says what there is)')
    .exitOverride();
  const called = argv.find((word) => commands.some(({ name }) => name === word));
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(summary).copyInheritedSettings(program);
    if (name === called) (await load()).define(command, act);
  }
  return program;
}
