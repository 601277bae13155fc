/** Container tools hand an unset variable on as an empty one: both mean unset. */
export function isUnset(value: string | undefined): value is undefined | '' {
  return value === undefined || value.trim() === '';
}
