// The colours of both appearances. Each pair of text and ground has a contrast of 4.5 to 1 at least.

import { useColorScheme } from 'react-native';

const light = {
  ground: '#f3f4f8',
  card: '#ffffff',
  line: '#d9dce6',
  edge: '#858b9d', // of what can be filled in: 3 to 1
  text: '#171a26',
  quiet: '#5a6072',
  accent: '#3b4cca',
  onAccent: '#ffffff',
  soft: '#e8eafc',
  good: '#14713d',
  wait: '#8a5300',
  bad: '#b3261e',
  badSoft: '#fdecea',
  waitSoft: '#fdf1dc',
  goodSoft: '#e2f4e9',
};

const dark: Theme = {
  ground: '#0f1118',
  card: '#1a1d29',
  line: '#2e3344',
  edge: '#767d93',
  text: '#f1f2f7',
  quiet: '#a7adbf',
  accent: '#a5b0ff',
  onAccent: '#12163a',
  soft: '#262c52',
  good: '#6fd99a',
  wait: '#f4bf6b',
  bad: '#ffa39b',
  badSoft: '#3d1c1a',
  waitSoft: '#36270e',
  goodSoft: '#12301f',
};

export type Theme = Record<keyof typeof light, string>;

export function useTheme(): Theme {
  return useColorScheme() === 'dark' ? dark : light;
}
