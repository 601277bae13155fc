import { exitCodes, type CliContext, type ExitCode } from './context.ts';
import { topHelp } from './top-help.ts';

/** Parses the command line, runs its command and gives the exit code; never throws and never ends the process. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    context.stderr.write(topHelp());
    return exitCodes.usage;
  }
  if (rest.length === 0 && ['--help', '-h', 'help'].includes(first)) {
    context.stdout.write(topHelp());
    return exitCodes.ok;
  }
  if (rest.length === 0 && ['--version', '-V'].includes(first)) {
    context.stdout.write(`${context.version}\n`);
    return exitCodes.ok;
  }
  // What is said above takes half as long without the parser.
  const { parseAndRun } = await import('./parse-and-run.ts');
  return parseAndRun(argv, context);
}
