import type { Runner } from '../domain/runner.ts';
import { createDocumentRunner } from '../runners/document/create-document-runner.ts';
import { createDrawioTool } from '../runners/drawio/drawio-tool.ts';
import { findDrawio } from '../runners/drawio/find-drawio.ts';
import type { Capstan } from './open-capstan.ts';
import { openToolRoom } from './open-tool-room.ts';

/** Puts the drawio runner together; the caller starts and disposes it. Rejects with `drawio_missing` or `chromium_missing` where no job could run. */
export async function createConfiguredDrawioRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const drawio = await findDrawio(capstan.commandPath, signal);
  return openToolRoom(capstan, signal, async (room) => {
    const tool = await createDrawioTool({ ...room, drawio });
    return createDocumentRunner({ tool, artifacts: capstan.artifacts, dataDir: capstan.config.dataDir });
  });
}
