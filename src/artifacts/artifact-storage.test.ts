import { createHash } from 'node:crypto';
import { readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { createArtifactStorage } from './artifact-storage.ts';
import { asFileError } from './file-error.ts';
import { scratchFolder, unprivileged } from '../../test/support/scratch-folder.ts';

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');

test('bytes, streams and files are stored with size and hash, and read back', async () => {
  const root = scratchFolder();
  const storage = createArtifactStorage(join(root, 'artifacts'));
  await writeFile(join(root, 'file'), 'from a file');
  expect(await storage.put('j1', 'a.txt', Buffer.from('bytes'))).toEqual({
    name: 'a.txt',
    sizeBytes: 5,
    sha256: sha256('bytes'),
  });
  expect(
    await storage.put('j1', 'b.txt', Readable.from([Buffer.from('in '), Buffer.from('pieces')])),
  ).toEqual({
    name: 'b.txt',
    sizeBytes: 9,
    sha256: sha256('in pieces'),
  });
  expect(await storage.put('j1', 'c.txt', { file: join(root, 'file') })).toMatchObject({
    sha256: sha256('from a file'),
  });
  const opened = await storage.open('j1', 'b.txt');
  expect(opened.sizeBytes).toBe(9);
  expect(await text(opened.stream)).toBe('in pieces');
  expect(await storage.list('j1')).toEqual([
    { name: 'a.txt', sizeBytes: 5 },
    { name: 'b.txt', sizeBytes: 9 },
    { name: 'c.txt', sizeBytes: 11 },
  ]);
  await storage.remove('j1');
  expect(await storage.list('j1')).toEqual([]);
});

test('a later write replaces an artifact; who reads the old one reads it to its end', async () => {
  const storage = createArtifactStorage(scratchFolder());
  await storage.put('j1', 'a', Buffer.from('old'));
  const old = await storage.open('j1', 'a');
  await storage.put('j1', 'a', Buffer.from('new'));
  expect(await text(old.stream)).toBe('old');
  expect(await text((await storage.open('j1', 'a')).stream)).toBe('new');
});

test('a stream that breaks leaves the artifact as it was and no file behind', async () => {
  const root = scratchFolder();
  const storage = createArtifactStorage(root);
  await storage.put('j1', 'a', Buffer.from('old'));
  const broken = async function* (): AsyncGenerator<Buffer> {
    yield Buffer.from('half');
    await Promise.reject(new Error('cut'));
  };
  await expect(storage.put('j1', 'a', broken())).rejects.toThrow('cut');
  expect(await text((await storage.open('j1', 'a')).stream)).toBe('old');
  expect(await readdir(join(root, 'j1'))).toEqual(['a']);
});

test.each(['../x', '..', '.hidden', 'a/b', '', 'a\n', 'x'.repeat(129)])(
  'the name %j is refused',
  async (name) => {
    const storage = createArtifactStorage(scratchFolder());
    await expect(storage.put('j1', name, Buffer.alloc(0))).rejects.toMatchObject({
      kind: 'user',
      code: 'invalid_artifact_name',
    });
  },
);

test('a job id never leads elsewhere', async () => {
  const storage = createArtifactStorage(scratchFolder());
  await expect(storage.open('../j', 'a')).rejects.toMatchObject({ kind: 'user', code: 'invalid_job_id' });
});

test('what is not there is said so', async () => {
  const storage = createArtifactStorage(scratchFolder());
  await expect(storage.open('j1', 'a')).rejects.toMatchObject({ kind: 'user', code: 'artifact_not_found' });
});

test('a link is never stored in place of the file it points to', async () => {
  const root = scratchFolder();
  await symlink('/etc/passwd', join(root, 'link'));
  const storage = createArtifactStorage(join(root, 'artifacts'));
  await expect(storage.put('j1', 'a', { file: join(root, 'link') })).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await storage.list('j1')).toEqual([]);
});

test('a folder that may not be written is named', async () => {
  const root = scratchFolder();
  const storage = createArtifactStorage(join(root, 'artifacts'));
  await storage.put('j1', 'a', Buffer.from('x'));
  await expect(unprivileged(() => storage.put('j2', 'a', Buffer.from('x')))).rejects.toMatchObject({
    code: 'permission_denied',
  });
});

test('a full disk is named', async () => {
  const error: unknown = await writeFile('/dev/full', 'x').catch((caught: unknown) => caught);
  expect(asFileError(error, '/data/x')).toMatchObject({
    kind: 'infrastructure',
    code: 'disk_full',
    message: expect.stringContaining('/data/x') as string,
  });
});
