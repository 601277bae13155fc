import { z } from 'zod';
import { AppError } from '../../runtime/app-error.ts';
import type { DrawioFormat } from '../../contract/drawio-job.ts';
import type { Page } from '../browser/browser.ts';

export interface PageRequest {
  readonly xml: string;
  /** From 0. */
  readonly page: number;
  readonly format: DrawioFormat;
  readonly scale: number;
}

export interface DrawnPage {
  readonly image: Buffer;
  /** Nothing is drawn on it. */
  readonly empty: boolean;
  /** Addresses of images that are not part of the file, and were not fetched. */
  readonly missing: readonly string[];
}

/** Chromium makes no larger pictures. */
const maxSide = 16_000;

const aboutSchema = z.object({ empty: z.boolean(), missing: z.array(z.string()) });
const pngSchema = aboutSchema.extend({ width: z.number(), height: z.number() });
const svgSchema = aboutSchema.extend({ svg: z.string() });

/** The names of a file's pages; null for one without. Throws `page_failed` (user) where it is no draw.io file. */
export async function listPages(page: Page, xml: string): Promise<readonly (string | null)[]> {
  return z.array(z.string().nullable()).parse(await page.evaluate(`capstanPages(${JSON.stringify(xml)})`));
}

/** Draws one page of a file. Throws `page_failed`, `drawing_too_large` (user). */
export async function drawPage(page: Page, { format, ...request }: PageRequest): Promise<DrawnPage> {
  const argument = JSON.stringify(request);
  if (format === 'svg') {
    const { svg, ...about } = svgSchema.parse(await page.evaluate(`capstanSvg(${argument})`));
    return { ...about, image: Buffer.from(svg) };
  }
  const { width, height, ...about } = pngSchema.parse(await page.evaluate(`capstanPng(${argument})`));
  if (Math.max(width, height) > maxSide) {
    throw new AppError(
      'user',
      'drawing_too_large',
      `A page becomes ${String(width)} × ${String(height)} pixels.`,
      {
        hint: `At most ${String(maxSide)} on a side: choose a smaller scale, or svg.`,
      },
    );
  }
  await page.call('Emulation.setDeviceMetricsOverride', {
    width,
    height,
    deviceScaleFactor: 1,
    mobile: false,
  });
  const shot = await page.call('Page.captureScreenshot', {
    format: 'png',
    clip: { x: 0, y: 0, width, height, scale: 1 },
    captureBeyondViewport: true,
  });
  return { ...about, image: Buffer.from(z.object({ data: z.string() }).parse(shot).data, 'base64') };
}
