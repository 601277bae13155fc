/** Does `work` again and again, never twice at once, and keeps no process alive for it. Disposing it waits for the work that goes on. */
export function every(
  ms: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): AsyncDisposable {
  let going: Promise<void> | null = null;
  const timer = setInterval(() => {
    going ??= work()
      .catch(onError)
      .finally(() => {
        going = null;
      });
  }, ms);
  timer.unref();
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await going;
    },
  };
}
