import type { Runner } from '../../domain/runner.ts';
import { createDocumentRunner } from '../../runners/document/create-document-runner.ts';
import { createDrawioDesktopTool } from '../../runners/drawio/drawio-desktop-tool.ts';
import { createDrawioTool } from '../../runners/drawio/drawio-tool.ts';
import { findDrawio } from '../../runners/drawio/find-drawio.ts';
import type { Capstan } from '../open-capstan.ts';
import { openToolRoom } from './open-tool-room.ts';

/** Puts the drawio runner together; the caller starts and disposes it. Rejects with what `findDrawio` throws where no job could run. */
export async function createConfiguredDrawioRunner(capstan: Capstan, signal: AbortSignal): Promise<Runner> {
  const { config, artifacts } = capstan;
  const drawio = await findDrawio({ path: capstan.commandPath, ...config.tools }, signal);
  return openToolRoom(capstan, signal, async (room) => {
    const tool =
      drawio.kind === 'desktop'
        ? createDrawioDesktopTool({ ...room, drawio }, config.tools)
        : await createDrawioTool({ ...room, drawio }, config.tools);
    return createDocumentRunner({ tool, toolName: drawio.name, artifacts, dataDir: config.dataDir });
  });
}
