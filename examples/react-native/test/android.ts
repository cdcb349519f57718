// react-native-web as an Android phone has it, as far as the example asks.

import { Platform } from 'react-native';

Platform.OS = 'android';
