// What the measuring programs share.

import type { Handle, Native } from '../src/native.js';

/** The addon with what baselines.c adds to it. */
export interface Baselines extends Native {
  nothing(): void;
  nothingElsewhere(): Promise<void>;
  flood(client: Handle, count: number): void;
}

/** Loads the addon that TIM_NATIVE_PATH names, and notes the handles that it makes from now on. */
export function baselines(): { native: Baselines; handles: Handle[] } {
  const native = require(process.env['TIM_NATIVE_PATH']!) as Baselines;
  const handles: Handle[] = [];
  const { create } = native;
  native.create = (...args) => {
    const made = create(...args);
    if (typeof made === 'object') handles.push(made);
    return made;
  };
  return { native, handles };
}

export const rounds = Number(process.env['ROUNDS'] ?? 5);

export function print(name: string, value: number): void {
  console.log(`${name} ${value}`);
}
