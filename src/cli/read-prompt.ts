import { addAbortSignal } from 'node:stream';
import { AppError } from '../runtime/app-error.ts';
import type { CliContext } from './context.ts';

const maxBytes = 4 * 1024 * 1024;

/** The prompt: `given`, or all of stdin where that is `-`. Throws `no_prompt` or `prompt_too_long`; stops reading when interrupted. */
export async function readPrompt(given: string, context: CliContext): Promise<string> {
  const prompt = given === '-' ? await readStdin(context) : given;
  if (prompt.trim() !== '') return prompt;
  throw new AppError('user', 'no_prompt', 'There is no prompt.', {
    hint: 'Say what the agent is to do: capstan run "Add a contact page" --dir site',
  });
}

async function readStdin({ stdin, stderr, interrupted }: CliContext): Promise<string> {
  if (stdin.isTTY === true) stderr.write('Write the prompt; Ctrl-D on an empty line ends it.\n');
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of addAbortSignal(interrupted, stdin) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes > maxBytes) throw tooLong();
    }
  } catch (error) {
    if (interrupted.aborted) return '';
    throw error;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function tooLong(): AppError {
  return new AppError('user', 'prompt_too_long', 'What stdin gives is too long for a prompt.', {
    hint: 'Put long material into a file of the folder and name it in the prompt.',
  });
}
