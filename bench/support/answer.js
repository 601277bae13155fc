/**
 * The other end of side.ts: answers each request by the function of its `do`, and ends the program when the bench is gone.
 * Plain JavaScript, because the rivals' drivers use it too.
 */
export function answer(functions, end) {
  process.on('message', (request) => {
    Promise.resolve()
      .then(() => functions[request.do](request))
      .then(
        (result) => process.send({ result: result ?? null }),
        (error) => process.send({ error: String(error?.stack ?? error) }),
      );
  });
  process.once('disconnect', () => {
    Promise.resolve(end()).catch((error) => {
      console.error(error);
      process.exitCode = 1;
    });
  });
}
