declare const brand: unique symbol;
type Brand<T, Name> = T & { readonly [brand]: Name };

export type JobId = Brand<string, 'JobId'>;
export type BuildId = Brand<string, 'BuildId'>;
export type WorkerId = Brand<string, 'WorkerId'>;
