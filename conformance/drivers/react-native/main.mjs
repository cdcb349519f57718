// The driver of @opentim/react-native: a bundle for the host of bindings/react-native/test, which has print and onLine.

import * as tim from 'react-native-tim-js';

import { driver } from '../js/driver.mjs';

globalThis.onLine = driver(tim, print);
