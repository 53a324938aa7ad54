/**
 * A function that gives the same object for arguments with the same JSON: kernels are told apart by identity, so a factory makes each of its kernels once.
 */
export function remembered<A, R extends object>(make: (argument: A) => R): (argument: A) => R {
  const made = new Map<string, R>();
  return (argument) => {
    const key = JSON.stringify(argument);
    const known = made.get(key);
    if (known !== undefined) return known;
    const result = make(argument);
    made.set(key, result);
    return result;
  };
}
