import { StyleSheet, Text, View } from 'react-native';

import { type Theme, useTheme } from './theme';

export type Tone = 'good' | 'wait' | 'bad';

const SOFT = { good: 'goodSoft', wait: 'waitSoft', bad: 'badSoft' } as const satisfies Record<
  Tone,
  keyof Theme
>;
const SIGN: Readonly<Record<Tone, string>> = { good: '✓', wait: '…', bad: '!' };

/** A sentence that has to be heard: screen readers say it when it appears. */
export function Notice({ tone, children }: { tone: Tone; children: string }) {
  const theme = useTheme();
  return (
    <View
      accessibilityLiveRegion={tone === 'bad' ? 'assertive' : 'polite'}
      accessibilityRole={tone === 'bad' ? 'alert' : 'none'}
      style={[styles.notice, { backgroundColor: theme[SOFT[tone]] }]}
    >
      <Text aria-hidden style={[styles.sign, { color: theme[tone] }]}>
        {SIGN[tone]}
      </Text>
      <Text style={[styles.text, { color: theme.text }]}>{children}</Text>
    </View>
  );
}

const styles = StyleSheet.create({
  notice: { flexDirection: 'row', gap: 12, padding: 14, borderRadius: 14 },
  sign: { fontSize: 16, lineHeight: 22, fontWeight: '800', minWidth: 16, textAlign: 'center' },
  text: { flex: 1, fontSize: 15, lineHeight: 22 },
});
