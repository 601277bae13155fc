import { columnsOf, type Terminal } from './context.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
const clear = '\r\u001B[2K';

/** Lines that stay, above one that moves while something is waited for; off a terminal there is none of the latter. */
export interface LiveLine extends Disposable {
  print(line: string): void;
}

/**
 * @param text what stands in the moving line, asked for at each frame with the columns that it may take
 * @param moves whether there is a moving line at all
 */
export function startLiveLine(out: Terminal, moves: boolean, text: (width: number) => string): LiveLine {
  if (!moves) {
    return {
      print: (line) => void out.write(`${line}\n`),
      [Symbol.dispose]: () => undefined,
    };
  }
  let frame = 0;
  const draw = (): void => {
    // Some columns stay free: a terminal would wrap behind the last one, and Ctrl-C writes ^C there.
    out.write(`${clear}${frames[frame % frames.length] ?? ''} ${text(Math.max(10, columnsOf(out, 80) - 6))}`);
  };
  const timer = setInterval(() => {
    frame += 1;
    draw();
  }, frameMs);
  draw();
  return {
    print(line) {
      out.write(`${clear}${line}\n`);
      draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      out.write(clear);
    },
  };
}
