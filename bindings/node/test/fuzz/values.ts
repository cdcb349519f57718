// What the fuzzers throw: anything, and what JavaScript is odd in.

import fc from 'fast-check';

/** What our own functions and getters throw. Only this may come through. */
export class Mine extends Error {
  override readonly message = 'mine';
}

const mine = () => {
  throw new Mine();
};
/** Something else that our functions reject with. */
const wordless: object = Object.create(null);
/** An object that throws when a member is read. Symbols are what fast-check asks for. */
const touchy = new Proxy(
  {},
  {
    has: (_, key) => (typeof key === 'symbol' ? key === fc.toStringMethod : mine()),
    get: (_, key) => {
      if (typeof key !== 'symbol') return mine();
      return key === fc.toStringMethod ? () => 'touchy' : undefined;
    },
  },
);

export const anything: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
  fc.anything({
    withSet: true,
    withTypedArray: true,
    withObjectString: true,
    withBoxedValues: true,
  }),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom<unknown>(
    '',
    '\ud800',
    'x\udc00y',
    'a\0b',
    'alice'.repeat(9),
    '爱丽丝',
    'x'.repeat(65_537),
    'x'.repeat(1 << 21),
    2 ** 31,
    2 ** 53,
    -0,
    10n ** 30n,
    Symbol('s'),
    wordless,
    new String('alice'),
    new Proxy(() => {}, {}),
    touchy,
    mine,
    () => 'ticket',
    async () => mine(),
    () => Promise.reject(wordless),
    () => new Promise(() => {}),
    AbortSignal.abort(),
    AbortSignal.timeout(1),
    { aborted: false, addEventListener: mine, removeEventListener: mine },
  ),
);

/** Arguments, of which most are as they should be: what lies behind the first check is to be reached, too. */
export function mostly(...good: unknown[]): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...good) }, anything);
}

/** Whatever is thrown where nobody can catch it, and is not ours, ends the process with what it was. */
export function nothingUncaught(): void {
  const note = (kind: string) => (reason: unknown) => {
    if (reason instanceof Mine || reason === wordless) return;
    console.error(kind, reason);
    process.exit(3);
  };
  process.on('uncaughtException', note('uncaughtException'));
  process.on('unhandledRejection', note('unhandledRejection'));
}

/**
 * Checks a property with argv's seed for argv's milliseconds, and once at least. A run that takes more than five minutes has
 * hung.
 */
export async function check<T>(property: fc.IAsyncProperty<T>): Promise<void> {
  const alive = setInterval(() => {}, 1000); // nothing else may keep the process
  try {
    const how = {
      seed: Number(process.argv[2]),
      timeout: 300_000,
      endOnFailure: true, // shrinking what hangs takes for ever
    };
    const interruptAfterTimeLimit = Number(process.argv[3]);
    const told = await fc.check(property, { ...how, numRuns: Infinity, interruptAfterTimeLimit });
    if (told.interrupted && told.numRuns === 0) await fc.assert(property, { ...how, numRuns: 1 });
    else if (told.failed) throw new Error(await fc.asyncDefaultReportMessage(told));
    console.log('nothing was found');
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  clearInterval(alive);
  process.exit(); // fast-check's last timeout is still there
}
