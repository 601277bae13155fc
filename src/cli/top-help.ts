import { commands, globalOptions } from './commands.ts';

/** Of `capstan --help`: from the table alone, so that nothing has to be loaded for it. */
export function topHelp(): string {
  const options = [
    ...globalOptions.map(({ flags, summary }) => [flags, summary] as const),
    ['-V, --version', 'say which version this is'] as const,
    ['-h, --help', 'say what there is, also of each command'] as const,
  ];
  return `Usage: capstan [options] <command>

Runs coding agents and document tools as dependable background workers.

Commands:
${columns(commands.map(({ name, summary }) => [name, summary] as const))}

Options:
${columns(options)}

Start with:
  capstan doctor
  capstan run "Add a contact page" --dir site
`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
}
