import { columnsOf, rowsOf, type Terminal } from './context.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
const clearLine = '\r\u001B[2K';
const lineUp = '\u001B[1A';

/** Lines that stay, above one or some that move while something is waited for; off a terminal there are none of the latter. */
export interface LiveLine extends Disposable {
  print(line: string): void;
}

/** What fits on the terminal: columns and rows that may be taken, and a mark that turns from frame to frame. */
export interface LiveSpace {
  readonly width: number;
  readonly height: number;
  readonly mark: string;
}

/**
 * @param moves whether there is a moving line at all
 * @param text what stands in the moving line, or in each of several, asked for at each frame; one alone has its mark put before it
 */
export function startLiveLine(
  out: Terminal,
  moves: boolean,
  text: (space: LiveSpace) => string | readonly string[],
): LiveLine {
  if (!moves) {
    return {
      print: (line) => void out.write(`${line}\n`),
      [Symbol.dispose]: () => undefined,
    };
  }
  let frame = 0;
  let drawn = 1;
  const clear = (): string => `${clearLine}${`${lineUp}${clearLine}`.repeat(Math.max(0, drawn - 1))}`;
  // In one write: a terminal shows no moment without the lines.
  const draw = (before: string): void => {
    const cleared = clear();
    const mark = frames[frame % frames.length] ?? '';
    // Some columns stay free: a terminal would wrap behind the last one, and Ctrl-C writes ^C there.
    const width = Math.max(10, columnsOf(out, 80) - 6);
    const said = text({ width, height: Math.max(1, rowsOf(out, 24) - 2), mark });
    const lines = typeof said === 'string' ? [`${mark} ${said}`] : said;
    drawn = lines.length;
    out.write(`${cleared}${before}${lines.join('\n')}`);
  };
  const timer = setInterval(() => {
    frame += 1;
    draw('');
  }, frameMs);
  draw('');
  return {
    print(line) {
      draw(`${line}\n`);
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      out.write(clear());
    },
  };
}
