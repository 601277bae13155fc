/** The price of an order in cents: the eleventh loaf of every eleven is free. */
export function priceOf(loaves, centsEach) {
  const free = Math.floor(loaves / 10);
  return (loaves - free) * centsEach;
}
