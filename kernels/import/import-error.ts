/** A model file that cannot be imported; the message says what is wrong with it and what to do. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
}
