import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { maskSecret } from './mask-secret.ts';
import { fc } from '../../../test/support/properties.ts';

const secret = 'aabaabaabx';

describe('masking a secret in a stream', () => {
  it('hides every occurrence and nothing else, wherever the stream is cut', async () => {
    const piece = fc.constantFrom('a', 'b', 'x', 'aab', 'aabaab', secret, ' ', '\n');
    const part = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(part), async (parts) => {
        const source = Readable.from(parts.filter((one) => one !== '').map((one) => Buffer.from(one)));
        const masked = (await buffer(source.pipe(maskSecret(secret)))).toString();
        expect(masked).toBe(parts.join('').replaceAll(secret, '*'.repeat(secret.length)));
      }),
    );
  });

  it('holds nothing back that cannot be the beginning of the secret', () => {
    const stream = maskSecret(secret);
    stream.write(Buffer.from('data: {"aab"}\n\n'));
    expect(String(stream.read())).toBe('data: {"aab"}\n\n');
    stream.destroy();
  });
});
