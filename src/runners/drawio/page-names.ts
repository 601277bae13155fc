import { AppError } from '../../runtime/app-error.ts';

const entities: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** The names of a file's pages, null for one without. Throws `drawing_invalid` (user) where it is no draw.io file. */
export function pageNames(file: string, xml: string): readonly (string | null)[] {
  const pages = [...xml.matchAll(/<diagram\b(?<attributes>(?:[^>"']|"[^"]*"|'[^']*')*)>/g)];
  if (pages.length > 0) return pages.map(({ groups }) => nameIn(groups?.['attributes'] ?? ''));
  if (/<mxGraphModel\b/.test(xml)) return [null];
  throw new AppError('user', 'drawing_invalid', `${file} cannot be drawn: it holds no page.`, {
    hint: 'Open it in draw.io and save it again.',
  });
}

function nameIn(attributes: string): string | null {
  const found = /\sname=(?:"(?<double>[^"]*)"|'(?<single>[^']*)')/.exec(attributes)?.groups;
  const name = found?.['double'] ?? found?.['single'] ?? '';
  return name === ''
    ? null
    : name.replaceAll(/&(?:#x(?<hex>[0-9a-f]{1,6})|#(?<number>\d{1,7})|(?<word>\w+));/gi, decoded);
}

function decoded(whole: string, hex?: string, number?: string, word?: string): string {
  if (word !== undefined) return entities[word] ?? whole;
  const code = hex === undefined ? Number(number) : Number.parseInt(hex, 16);
  return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
}
