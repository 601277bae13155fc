import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const requireMark = '<!-- capstan:require -->';
const mathjaxMark = '<!-- capstan:mathjax -->';
/** A display formula that is a little higher than its line, or wider than the page, must not make the whole cell scroll. */
const mathjaxStyle =
  '<style>mjx-container[display="true"] { overflow: auto hidden; padding: 1px 0; }</style>';
const requirePath = '/usr/share/javascript/requirejs/require.min.js';

/** What Jupyter says to MathJax 2, in the words of MathJax 3. */
const mathjaxSettings = {
  tex: {
    inlineMath: [
      ['$', '$'],
      ['\\(', '\\)'],
    ],
    displayMath: [
      ['$$', '$$'],
      ['\\[', '\\]'],
    ],
    processEscapes: true,
    processEnvironments: true,
    tags: 'ams',
  },
  svg: { fontCache: 'local' },
  options: { enableMenu: false },
};

/** A page of nbconvert with all that it needs inside: MathJax where there is mathematics, require.js where an output asks for it. */
export async function makeOffline(html: string): Promise<string> {
  const body = html.slice(html.indexOf('<body'));
  const mathjax = hasMathematics(body) ? await mathjaxScript() : '';
  const require = /\brequire(?:js)?\s*[.(]/.test(body) ? await requireScript() : '';
  // Functions: the replacement is code, and `$` in it means nothing.
  return html.replace(requireMark, () => require).replace(mathjaxMark, () => mathjax);
}

/** What a page would still load from elsewhere: programs and style sheets, the first few. */
export function loadedFromElsewhere(html: string): readonly string[] {
  const found = html.matchAll(
    /<(?:script|link|iframe)\b[^>]*?\b(?:src|href)=["'](?<url>(?:https?:)?\/\/[^"']+|file:[^"']+)["']/gi,
  );
  return [...new Set([...found].map(({ groups }) => groups?.['url'] ?? ''))].slice(0, 5);
}

/** Pictures that a page names by a relative path: those that were there are part of the page. The first few. */
export function missingPictures(html: string): readonly string[] {
  const found = html.matchAll(/<img\b[^>]*?\bsrc=["'](?<path>(?![a-z][a-z0-9+.-]*:|\/\/|#)[^"']+)["']/gi);
  return [...new Set([...found].map(({ groups }) => groups?.['path'] ?? ''))].slice(0, 5);
}

function hasMathematics(body: string): boolean {
  const text = body.replaceAll(/<(script|style)\b[\s\S]*?<\/\1>/gi, '');
  return /\$[^$<>]+\$|\$\$|\\\(|\\\[|\\begin\{/.test(text);
}

async function mathjaxScript(): Promise<string> {
  const path = fileURLToPath(import.meta.resolve('mathjax/es5/tex-svg-full.js'));
  const code = await readFile(path, 'utf8');
  return `${mathjaxStyle}\n<script>window.MathJax = ${JSON.stringify(mathjaxSettings)};</script>\n<script>${inline(code)}</script>`;
}

async function requireScript(): Promise<string> {
  const code = await readFile(requirePath, 'utf8').catch(() => null);
  return code === null ? '' : `<script>${inline(code)}</script>`;
}

/** Code that may stand in a page: an end tag inside it would end it. */
function inline(code: string): string {
  return code.replaceAll(/<\/(script)/gi, '<\\/$1').replaceAll('<!--', '<\\!--');
}
